import shutil
from pathlib import Path

import pytest
from tests.data.layouts import garment, picture, save, write_dresscode
from tests.evaluation.protocols.small_folder import PROTOCOL, STEMS, options

from toile.errors import ToileError
from toile.evaluation.protocols.evaluate import evaluate
from toile.evaluation.protocols.pairs import open_truths
from toile.evaluation.protocols.protocol import ReferenceRules
from toile.evaluation.protocols.reference import mixture_in, open_reference


def test_folders_of_one_kind_are_no_mixture(small_data: Path) -> None:
    assert mixture_in(small_data / "test" / "cloth") is None
    assert mixture_in(small_data / "test" / "image") is None


def test_persons_among_garments_are_seen(tmp_path: Path) -> None:
    for number in range(10):
        save(garment(number), tmp_path / f"{number}.jpg")
        save(picture(number), tmp_path / f"{number}-worn.jpg")
    assert "10 of 20 pictures lie on white" in str(mixture_in(tmp_path))


def test_the_images_of_dresscode_are_a_mixture(tmp_path: Path) -> None:
    write_dresscode(tmp_path)
    assert "000000_0 and 000000_1" in str(mixture_in(tmp_path / "upper_body" / "images"))


def test_a_mixed_real_set_is_refused(
    good_predictions: Path, small_data: Path, tmp_path: Path, doll_network: Path
) -> None:
    mixed = tmp_path / "mixed"
    mixed.mkdir()
    for number, stem in enumerate(STEMS):
        shutil.copy(small_data / "test" / ("image" if number % 2 else "cloth") / f"{stem}.jpg", mixed)
    with pytest.raises(ToileError, match=r"\[mixed-truth\].*mixes persons and garments"):
        evaluate(
            good_predictions,
            PROTOCOL,
            tmp_path / "out.json",
            data=str(small_data),
            options=options(doll_network, reference=str(mixed)),
        )
    assert not (tmp_path / "out.json").exists()


def test_the_real_set_is_sorted_and_of_the_side_that_is_asked_for(small_data: Path) -> None:
    truths = open_truths(PROTOCOL, str(small_data)).truths
    rules = ReferenceRules(side="persons", dataset="viton-hd", split="test")
    found = open_reference(rules, PROTOCOL.pairs, truths, None)
    assert [entry.identifier for entry in found] == list(STEMS)
    shown = truths[0].show()
    assert found[0].show().tobytes() == shown.inputs[0].tobytes()
    files = open_reference(rules, PROTOCOL.pairs, truths, str(small_data / "test" / "cloth"))
    assert shown.target is not None and files[0].show().tobytes() == shown.target.tobytes()
