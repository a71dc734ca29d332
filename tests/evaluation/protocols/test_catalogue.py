import pytest

from toile.errors import ToileError
from toile.evaluation.metrics.registry import METRICS
from toile.evaluation.protocols.built_in import DOLLS_DRAWING, DOLLS_FIRST, DOLLS_SIZE
from toile.evaluation.protocols.catalogue import PROTOCOLS, find_protocol
from toile.evaluation.protocols.pairs import drawing_hash, open_truths


@pytest.mark.parametrize("name", PROTOCOLS)
def test_every_protocol_can_be_used(name: str) -> None:
    protocol = PROTOCOLS[name]
    assert protocol.name == name and protocol.source and len(protocol.hash) == 64
    assert {use.name for use in protocol.metrics} <= METRICS.keys()
    of_sets = [use.name for use in protocol.metrics if METRICS[use.name].kind == "set"]
    assert bool(of_sets) <= (protocol.reference is not None)
    of_pictures = {use.name for use in protocol.metrics} - set(of_sets)
    if not protocol.pairs.paired and protocol.task != "dress":
        assert not of_pictures, "nobody knows the truth of an unpaired picture"
    if protocol.reference is not None and protocol.reference.side == "targets":
        assert protocol.pairs.paired


def test_what_the_papers_say() -> None:
    street = PROTOCOLS["igr-street-tryon-unpaired"]
    assert street.reference is not None and street.reference.dataset == "viton-hd"
    assert street.reference.side == "garments" and street.pictures.cut_out
    assert {use.name: use.scale for use in street.metrics} == {"fid": 1, "clip_fid": 1, "kid": 1000}
    take_off = {use.name for use in PROTOCOLS["twgtm-take-off-viton-hd"].metrics}
    assert take_off == {"ssim", "ms_ssim", "cw_ssim", "lpips_alex", "fid", "clip_fid", "kid", "dists"}
    assert PROTOCOLS["anydressing-single"].pairs.count == 300 * 7
    assert PROTOCOLS["anydressing-multi"].pairs.count == 25 * 10 * 7
    assert PROTOCOLS["catvton"].pictures.truth_jpeg_quality == 75


def test_the_dolls_are_those_that_were_frozen() -> None:
    opened = open_truths(PROTOCOLS["dolls-restore"], None)
    assert opened.deviations == () and len(opened.truths) == 400
    assert opened.rules == PROTOCOLS["dolls-restore"].pairs
    assert drawing_hash(DOLLS_FIRST, ("studio", "street"), DOLLS_SIZE) == DOLLS_DRAWING


def test_other_dolls_are_not_the_benchmark() -> None:
    opened = open_truths(PROTOCOLS["dolls-restore"], "dolls:5:3:street")
    assert [truth.identifier for truth in opened.truths] == [f"street-{seed:08d}" for seed in (5, 6, 7)]
    assert opened.deviations == ("3 pairs instead of 400", "another list of pairs than the protocol's")
    mixed = open_truths(PROTOCOLS["dolls-restore"], "dolls:6:2:mixed")
    assert [truth.identifier for truth in mixed.truths] == ["street-00000007", "studio-00000006"]


def test_find_protocol() -> None:
    assert find_protocol("dolls", "tryon").name == "dolls-tryon"
    assert find_protocol("igr-viton-hd-paired").task == "restore"
    with pytest.raises(ToileError, match="dolls-restore, dolls-takeoff"):
        find_protocol("dolls")
    with pytest.raises(ToileError, match="igr-viton-hd-paired"):
        find_protocol("igr-viton-hd-pared")
