"""AnyDressing's training: exact, continuable, and its garments decide the clothes."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from tests.small_models import LATENT, TEXT, small_unet
from torch.nn.functional import mse_loss

from toile.anydressing.model import AnyDressingModel
from toile.anydressing.pipeline import AnyDressingPipeline
from toile.anydressing.recipes import (
    AnyDressingRecipe,
    tiny_half,
    with_image_prompt,
    without_separate_garments,
)
from toile.diffusion import tiny
from toile.errors import ToileError
from toile.training.anydressing import encode_anydressing, train_anydressing
from toile.training.anydressing_start import load_anydressing, start_from
from toile.training.configuration import read_configuration
from toile.training.settings import RunSettings
from toile.training.sources import Sources

SIZE = (64, 32)
OWN = ("garments_net", "dressing_attention")


def small(recipe: AnyDressingRecipe, steps: int = 2) -> AnyDressingRecipe:
    """The same recipe for a moment's training."""
    optimization = replace(
        recipe.optimization, steps=steps, batch_size=2, warmup_steps=0, final_learning_rate=None
    )
    return replace(recipe, size=SIZE, num_inference_steps=1, optimization=optimization)


def start(folder: Path, recipe: AnyDressingRecipe, cache: Path | None, **settings) -> Path:
    """Train on a few dolls."""
    sources = Sources(
        data="dolls:0:2:mixed", unseen="dolls:100:1", cache=cache, initial=settings.pop("initial", None)
    )
    return train_anydressing(
        recipe, sources, RunSettings(folder=folder, device="cpu", log_every=1, **settings)
    )


def weights_of(export: Path) -> dict[str, torch.Tensor]:
    """Everything that was trained."""
    return {
        f"{part}.{name}": tensor
        for part in OWN
        for name, tensor in load_file(export / part / "diffusion_pytorch_model.safetensors").items()
    }


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two steps, as `whole`, what it read kept in `cache`."""
    folder = tmp_path_factory.mktemp("anydressing")
    start(folder / "whole", small(tiny_half()), folder / "cache", validate_every=2, sample_every=2)
    return folder


def losses_of(run: Path) -> list[float]:
    """The loss of each step."""
    import json

    return [json.loads(line)["loss"] for line in (run / "metrics.jsonl").read_text().splitlines()]


def test_a_stopped_run_ends_with_the_same_bits(runs: Path) -> None:
    start(runs / "stopped", small(tiny_half(), steps=1), runs / "cache")
    continued = weights_of(start(runs / "stopped", small(tiny_half()), runs / "cache"))
    for name, tensor in weights_of(runs / "whole" / "export").items():
        assert torch.equal(continued[name], tensor), name


def test_encoded_ahead_or_in_the_step_the_losses_are_the_same(runs: Path) -> None:
    start(runs / "fresh", small(tiny_half(), steps=1), None)
    assert losses_of(runs / "fresh")[0] == pytest.approx(losses_of(runs / "whole")[0], rel=0.01)


def test_a_run_says_what_it_read_and_draws_what_it_learnt(runs: Path) -> None:
    configuration = read_configuration(runs / "whole" / "config.json") or {}
    assert configuration["data"]["training"]["triplets"] == 4
    assert len(configuration["data"]["unseen"]["fingerprint"]) == 16
    assert "validation/unseen_loss" in (runs / "whole" / "metrics.jsonl").read_text()
    sample = Image.open(runs / "whole" / "samples" / "step_000002.png")
    rows = 5  # upper, lower, hat, drawn, true
    assert sample.size == (2 * (SIZE[1] + 4), rows * (SIZE[0] + 4))


def test_the_export_is_a_pipeline_that_training_goes_on_from(runs: Path) -> None:
    export = runs / "whole" / "export"
    pipeline = AnyDressingPipeline.from_pretrained(export)
    assert pipeline.default_size == SIZE and pipeline.dressing.kinds == ("upper", "lower", "hat")
    recipe = start_from(small(tiny_half()), str(export))
    parts, model = load_anydressing(recipe)
    assert parts.image_encoder is not None
    loaded = {
        f"{part}.{name}": value for part in OWN for name, value in getattr(model, part).state_dict().items()
    }
    for name, tensor in weights_of(export).items():
        assert torch.equal(loaded[name], tensor), name
    assert (
        load_anydressing(replace(recipe, kinds=(*recipe.kinds, "shoe")))[1].garments_net.kinds[-1] == "shoe"
    )


def test_weights_of_another_form_are_refused(runs: Path) -> None:
    recipe = start_from(small(tiny_half()), str(runs / "whole" / "export"))
    with pytest.raises(ToileError, match="was trained with separate True"):
        load_anydressing(without_separate_garments(recipe))
    with pytest.raises(ToileError, match="knows the kinds upper, lower, hat, in this order"):
        load_anydressing(replace(recipe, kinds=("hat", "upper", "lower")))
    with pytest.raises(ToileError, match=r"size 72×40: .* multiples of 32; take 64×32"):
        load_anydressing(replace(recipe, size=(72, 40)))
    with pytest.raises(ToileError, match="augmented_epochs is 2"):
        sources = Sources(data="dolls:0:2", unseen="dolls:9:1", augmented_epochs=2)
        encode_anydressing(recipe, sources, RunSettings(folder=runs / "augmented", device="cpu"))


def test_the_baseline_trains_exports_and_goes_on(runs: Path) -> None:
    recipe = with_image_prompt(small(tiny_half(), steps=1))
    export = start(runs / "prompt", recipe, runs / "cache", sample_every=1)
    before = load_anydressing(start_from(recipe, str(export)))[1].extractor.state_dict()
    assert not (export / "garments_net").exists()
    again = start(runs / "again", recipe, runs / "cache", initial=str(export))
    after = load_anydressing(start_from(recipe, str(again)))[1].extractor.state_dict()
    differences = [float((after[name] - before[name]).abs().max()) for name in before]
    assert 0 < max(differences) < 5e-3  # a step's length: other weights would be far away
    caches = [path for path in (runs / "cache").iterdir() if path.is_dir()]
    assert len(caches) == 2  # seen and unseen triplets, once for all recipes


def outfit(upper: tuple[float, ...], lower: tuple[float, ...]) -> tuple[torch.Tensor, torch.Tensor]:
    """Latents of somebody in two colours, (C, 8, 8), and of the two garments, (2, C, 8, 8)."""
    person, garments = torch.zeros(LATENT, 8, 8), torch.zeros(2, LATENT, 8, 8)
    for place, (colour, rows) in enumerate([(upper, slice(1, 4)), (lower, slice(4, 7))]):
        person[:, rows, 2:6] = torch.tensor(colour)[:, None, None]
        garments[place, :, 2:6, 2:6] = torch.tensor(colour)[:, None, None]
    return person, garments


def test_swapping_the_garments_swaps_the_clothes() -> None:
    """Two triplets with equal noise and prompt, overfitted by one model around a U-Net that knows nothing."""
    torch.manual_seed(0)
    outfits = [outfit((1, -1, -1, 1), (-1, -1, 1, 1)), outfit((-1, 1, -1, -1), (1, 1, -1, -1))]
    people, garments = (torch.stack(each) for each in zip(*outfits, strict=True))
    scheduler, last = tiny.scheduler(), torch.full((2,), 999)
    noise, prompt = (
        torch.randn(1, LATENT, 8, 8).expand(2, -1, -1, -1),
        torch.randn(1, 5, TEXT).expand(2, -1, -1),
    )
    noisy, target = scheduler.add_noise(people, noise, last), scheduler.get_velocity(people, noise, last)
    assert torch.equal(noisy[0], noisy[1])  # nothing but the garments tells the two apart
    model = AnyDressingModel.from_base(small_unet(), trained="full")
    optimizer = torch.optim.AdamW((p for p in model.parameters() if p.requires_grad), lr=1e-2)

    def predict(worn: torch.Tensor) -> torch.Tensor:
        present, drop = torch.ones(2, 2, dtype=torch.bool), torch.zeros(2, dtype=torch.bool)
        return model(noisy, last, prompt, torch.zeros(1, 5, TEXT), worn, present, drop).noise

    for _ in range(45):
        mse_loss(predict(garments), target).backward()
        optimizer.step()
        optimizer.zero_grad()
    with torch.no_grad():
        drawn = -predict(garments.flip(0))  # at the last timestep, the velocity is the picture, negated
    for swapped, own, other in zip(drawn, people, people.flip(0), strict=True):
        for rows in (slice(1, 4), slice(4, 7)):  # the upper garment, the lower one
            seen, theirs, mine = (picture[:, rows, 2:6] for picture in (swapped, other, own))
            assert mse_loss(seen, theirs) < 0.5 * mse_loss(seen, mine)
