from dataclasses import fields
from pathlib import Path

import pytest
from tests.evaluation.metrics.small_clip import sample, save_clip, save_dino

from toile.errors import ToileError
from toile.evaluation.metrics.backbones import Backbones
from toile.evaluation.metrics.registry import EXTRACTORS, METRICS, make_extractor, make_metric
from toile.evaluation.metrics.spec import PerImageMetric, SetMetric

NOWHERE = Backbones(
    clip="no/clip", clip_l="no/clip-l", dino="no/dino", dolls=Path("no/dolls"), twgtm="no/twgtm"
)
NAMES = {
    "ssim", "ms_ssim", "cw_ssim", "psnr", "lpips_alex", "lpips_vgg", "lpips_squeeze", "dists", "dists_dolls",
    "l1_within", "delta_e", "edges", "iou", "fid", "fid_legacy", "kid", "clip_fid", "fd_dolls", "kd_dolls",
    "clip_t", "clip_i", "clip_i_star", "dino", "aesthetic", "round_trip",
}  # fmt: skip


def test_every_name_is_there_and_every_backbone_is_one() -> None:
    assert set(METRICS) == NAMES
    known = {field.name for field in fields(Backbones)}
    assert all(set(entry.backbones) <= known for entry in METRICS.values())


@pytest.mark.parametrize("name", sorted(NAMES))
def test_without_weights_formulas_are_made_and_networks_refused(name: str) -> None:
    entry = METRICS[name]
    if entry.kind == "set":
        metric = make_metric(name, NOWHERE)
        assert isinstance(metric, SetMetric) and not metric.spec.higher_is_better
        assert metric.spec.backbone == entry.backbones[0]
        with pytest.raises(ToileError):
            make_extractor(metric.extractor, NOWHERE)
    elif entry.backbones:
        with pytest.raises(ToileError):
            make_metric(name, NOWHERE)
    else:
        metric = make_metric(name, NOWHERE)
        assert isinstance(metric, PerImageMetric) and metric.spec.backbone is None


def test_printed_names_are_all_different() -> None:
    made = [make_metric(name, NOWHERE) for name, entry in METRICS.items() if entry.kind == "set"]
    assert len({metric.spec.name for metric in made}) == len(made)
    assert {metric.extractor for metric in made if isinstance(metric, SetMetric)} == set(EXTRACTORS)


def test_metrics_on_clip_and_dino_measure(tmp_path: Path) -> None:
    backbones = Backbones(clip=str(save_clip(tmp_path / "clip")), dino=str(save_dino(tmp_path / "dino")))
    for name in ("clip_t", "clip_i", "clip_i_star", "dino"):
        metric = make_metric(name, backbones)
        assert isinstance(metric, PerImageMetric)
        values = metric([sample(0), sample(1)])
        assert ((metric.spec.low <= values) & (values <= metric.spec.high)).all()


def test_unknown_names_are_refused() -> None:
    with pytest.raises(ToileError, match="no metric 'fidd'; there are ssim, "):
        make_metric("fidd", NOWHERE)
    with pytest.raises(ToileError, match="no feature extractor 'vgg'; there are inception, "):
        make_extractor("vgg", NOWHERE)
