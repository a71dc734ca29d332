"""The chain behind the bundled weights, two steps each on small dolls, up to a restored picture."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from diffusers import StableDiffusionPipeline
from PIL import Image
from safetensors.torch import load_file

from toile.anydressing.pipeline import AnyDressingPipeline
from toile.data.open import open_pairs
from toile.igr.pipeline import IGRPipeline
from toile.training.chain import CHAIN, bundle, gather, half
from toile.training.registry import find_training
from toile.training.settings import RunSettings
from toile.training.sources import Sources
from toile.twgtm.pipeline import TWGTMPipeline

SIZE = (64, 96)
STEPS = 2
ALONE = ("doll-features", "scene-scorer", "parser-half", "parser")
"""Links that draw their own dolls: their tasks' tests train them."""
SAMPLED = ("base-vae", "base", "igr-tiny-coarse")
"""Links that leave pictures; for TWGTM and AnyDressing their tasks' tests look at samples."""


def start(name: str, folder: Path, initial: str | None) -> Path:
    training = find_training(name)
    recipe = training.recipe()
    optimization = replace(recipe.optimization, steps=STEPS, batch_size=4, warmup_steps=0)
    changes = {"crop": (32, 32)} if name == "base-vae" else {}
    recipe = replace(recipe, size=SIZE, optimization=optimization, **changes)
    sources = Sources(
        data="dolls:0:8",
        unseen="dolls:100:4",
        initial=None if initial is None else str(folder / initial / "export"),
        cache=folder / "cache",
    )
    sample_every = STEPS if name in SAMPLED else 0
    run = RunSettings(folder=folder / name, validate_every=STEPS, sample_every=sample_every, device="cpu")
    return training.start(recipe, sources, run)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of runs, every link of the chain trained but those that stand alone."""
    folder = tmp_path_factory.mktemp("runs")
    for link in CHAIN:
        if link.name not in ALONE:
            assert start(link.name, folder, link.initial) == folder / link.name / "export"
    return folder


def test_base_is_a_stable_diffusion(runs: Path) -> None:
    pipeline = StableDiffusionPipeline.from_pretrained(runs / "base" / "export")
    height, width = SIZE
    drawn = pipeline(
        "a blue skirt", height=height, width=width, num_inference_steps=1, output_type="np"
    ).images
    assert drawn.shape == (1, height, width, 3)


def test_latents_have_unit_deviation(runs: Path) -> None:
    from diffusers import AutoencoderKL

    from toile.training.base_vae import PairPictures
    from toile.training.prepared import to_signed

    vae = AutoencoderKL.from_pretrained(runs / "base-vae" / "export" / "vae")
    pictures = torch.cat(
        [PairPictures(open_pairs("dolls:100:4", size=SIZE), SIZE)[i]["pictures"] for i in range(4)]
    )
    with torch.no_grad():
        latents = vae.encode(to_signed(pictures)).latent_dist.mode() * vae.config.scaling_factor
    assert latents.std().item() == pytest.approx(1, abs=0.05)


def test_export_restores(runs: Path) -> None:
    pipeline = IGRPipeline.from_pretrained(runs / "igr-tiny-fine" / "export")
    pair = open_pairs("dolls:200:1", size=SIZE)[0]
    image = pipeline(pair.person, pair.mask, category=pair.category, num_inference_steps=1).images[0]
    assert image.size == (SIZE[1], SIZE[0])


def test_fine_stage_goes_on_from_the_coarse_one(runs: Path) -> None:
    """Two small steps move the weights a little; other weights would be far away."""
    coarse, fine = (
        load_file(runs / f"igr-tiny-{stage}" / "export" / "unet" / "diffusion_pytorch_model.safetensors")
        for stage in ("coarse", "fine")
    )
    base = load_file(runs / "base" / "export" / "unet" / "diffusion_pytorch_model.safetensors")
    name = "mid_block.resnets.0.conv1.weight"
    assert not torch.equal(coarse[name], base[name])
    assert not torch.equal(fine[name], coarse[name])
    assert (fine[name] - coarse[name]).abs().max() < 2e-3


def test_export_tries_on_and_takes_off(runs: Path) -> None:
    pipeline = TWGTMPipeline.from_pretrained(runs / "twgtm-tiny-stage-2" / "export")
    pair = open_pairs("dolls:200:1", size=SIZE)[0]
    how = {"category": pair.category, "num_inference_steps": 1}
    worn = pipeline.try_on(pair.person, pair.garment, pair.mask, **how).images[0]
    flat = pipeline.take_off(pair.person, **how).images[0]
    assert worn.size == flat.size == (SIZE[1], SIZE[0])


def test_all_that_is_bundled_is_found_again(runs: Path, tmp_path: Path, monkeypatch) -> None:
    """Every system's own parts, and the base that they share, as `tiny`."""
    for name in ALONE:
        (runs / name / "export").mkdir(parents=True, exist_ok=True)
    gather(runs, tmp_path)
    monkeypatch.setattr("toile.bundled.weights_folder", lambda: tmp_path)
    for pipeline in (IGRPipeline, TWGTMPipeline, AnyDressingPipeline):
        loaded = pipeline.from_pretrained("tiny")
        assert loaded.vae.config.scaling_factor != 1
    assert not (tmp_path / "twgtm" / "vae").exists()


@pytest.mark.parametrize("name", SAMPLED)
def test_samples_are_drawn(runs: Path, name: str) -> None:
    picture = Image.open(runs / name / "samples" / f"step_{STEPS:06d}.png")
    assert picture.width > SIZE[1]


def test_finished_runs_are_not_repeated(runs: Path) -> None:
    weights = runs / "base" / "export" / "unet" / "diffusion_pytorch_model.safetensors"
    before = weights.stat().st_mtime_ns
    start("base", runs, "base-clip")
    assert weights.stat().st_mtime_ns == before


def test_bundle_halves_and_keeps(runs: Path, tmp_path: Path) -> None:
    target = tmp_path / "igr"
    bundle(runs / "igr-tiny-fine" / "export", target, ("unet", "model_index.json"))
    assert sorted(path.name for path in target.iterdir()) == ["model_index.json", "unet"]
    tensors = load_file(target / "unet" / "diffusion_pytorch_model.safetensors")
    assert {tensor.dtype for tensor in tensors.values()} == {torch.float16}
    assert str(runs) not in "".join(path.read_text() for path in target.rglob("*.json"))


def test_half_leaves_integers_alone() -> None:
    halved = half({"weight": torch.ones(2), "count": torch.ones(2, dtype=torch.int64)})
    assert halved["weight"].dtype == torch.float16
    assert halved["count"].dtype == torch.int64
