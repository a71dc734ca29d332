import math
from dataclasses import replace

import numpy as np
import pytest

from toile.errors import ToileError
from toile.evaluation.bootstrap import bootstrap_difference, sign_flip_test
from toile.evaluation.reports.compare import compare, probability, protocol_differences


def changed(result, **fields):
    """The same result under a protocol with other fields."""
    return replace(result, protocol={**result.protocol, **fields}, protocol_hash="1" * 64)


def test_differences_are_paired_by_identifier_and_not_by_place(three) -> None:
    sharp, blurred, _ = three
    order = np.random.default_rng(0).permutation(sharp.count).tolist()
    mixed = replace(
        blurred,
        items=tuple(blurred.items[place] for place in order),
        values={name: tuple(column[place] for place in order) for name, column in blurred.values.items()},
    )
    straight, crooked = compare(sharp, blurred), compare(sharp, mixed)
    assert straight.differences["ssim"] == crooked.differences["ssim"]
    sides = [np.array(result.values["ssim"]) for result in (sharp, blurred)]
    expected = bootstrap_difference(*sides)
    found = straight.differences["ssim"]
    assert (found.figure.value, found.figure.low, found.figure.high) == (
        expected.mean,
        expected.low,
        expected.high,
    )
    assert found.p == sign_flip_test(*sides)


def test_who_is_better_follows_the_direction(three) -> None:
    sharp, blurred, _ = three
    forwards, backwards = compare(sharp, blurred), compare(blurred, sharp)
    for name in ("ssim", "l1_within"):
        assert forwards.differences[name].better is True
        assert backwards.differences[name].better is False
        assert compare(sharp, sharp).differences[name].better is None
    assert compare(sharp, sharp).differences["ssim"].p == 1
    assert forwards.differences["fd_dolls"].better is None  # sets have no paired interval


def test_other_protocols_are_refused_and_what_differs_is_said(three) -> None:
    sharp, blurred, _ = three
    pictures = {**blurred.protocol["pictures"], "size": [512, 384], "resizing": "lanczos"}
    other = changed(blurred, pictures=pictures, version=2)
    with pytest.raises(
        ToileError, match=r"version is 1 and 2; pictures.size is 1024×768 and 512×384"
    ) as refused:
        compare(sharp, other)
    assert "--different-protocols" in str(refused.value) and "\n" not in str(refused.value)
    fields = {one.field: (one.first, one.second) for one in protocol_differences(sharp, other)}
    assert fields == {
        "version": ("1", "2"),
        "pictures.size": ("1024×768", "512×384"),
        "pictures.resizing": ("none", "lanczos"),
    }
    told = compare(sharp, other, different_protocols=True)
    assert told.differences["ssim"].better and "not measured alike" in told.remarks[0]


def test_one_metric_more_is_a_difference_of_that_metric(three) -> None:
    sharp, blurred, _ = three
    other = changed(blurred, metrics=blurred.protocol["metrics"][:-1])
    assert {one.field.rpartition(".")[0] for one in protocol_differences(sharp, other)} == {
        "metrics.fd_dolls"
    }


def test_other_weights_and_other_truths_are_refused(three) -> None:
    sharp, blurred, _ = three
    weights = {"dolls": {"source": "bundled", "sha256": "cd" * 32}}
    with pytest.raises(ToileError, match=r"weights.dolls.sha256 is abababababab and cdcdcdcdcdcd"):
        compare(sharp, replace(blurred, weights=weights))
    items = tuple(replace(item, target_sha256="0" * 64) for item in blurred.items)
    with pytest.raises(
        ToileError, match="the truth of street-00000001 and 11 more is one picture and another"
    ):
        compare(sharp, replace(blurred, items=items))


def test_a_title_is_no_difference_but_a_bare_hash_is(three) -> None:
    sharp, blurred, _ = three
    assert protocol_differences(sharp, replace(blurred, protocol={**blurred.protocol, "title": "x"})) == ()
    (only,) = protocol_differences(sharp, replace(blurred, protocol_hash="2" * 64))
    assert only.field == "protocol_hash"


def test_only_common_finite_pictures_are_compared(three) -> None:
    sharp, blurred, _ = three
    fewer = replace(blurred, items=blurred.items[2:], count=blurred.count - 2)
    fewer = replace(
        fewer, values={"ssim": (None, math.inf, *blurred.values["ssim"][4:]), "l1_within": (None,) * 10}
    )
    comparison = compare(sharp, fewer)
    assert comparison.differences["ssim"].count == sharp.count - 4
    assert comparison.differences["l1_within"].count == 0
    assert math.isnan(comparison.differences["l1_within"].figure.value)
    assert any("the 10 pictures that both have" in remark for remark in comparison.remarks)
    with pytest.raises(ToileError, match="no picture in common"):
        compare(sharp, replace(blurred, items=(), values={"ssim": (), "l1_within": ()}))


def test_other_versions_are_remarked_and_compared(three) -> None:
    comparison = compare(three[0], replace(three[1], versions={"numpy": "0.1"}, conforming=False))
    assert any("numpy is" in remark for remark in comparison.remarks)
    assert any("blurred_<b> is not the benchmark" in remark for remark in comparison.remarks)


def test_probabilities_are_printed_so() -> None:
    said = [probability(p) for p in (0.0001, 0.0123, 0.5, math.nan)]
    assert said == ["p < 0.001", "p = 0.012", "p = 0.50", ""]
