"""The VAE's task: an easy start, crops inside the picture, and a loss that says what is wrong."""

from copy import copy
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from toile.diffusion import tiny
from toile.diffusion.recipes import VaeRecipe, whole_pictures
from toile.errors import ToileError
from toile.training.base_vae import Reconstruction, VaeTask, load_vae, start_plain
from toile.training.pairs import RunPairs, open_run_pairs
from toile.training.settings import RunSettings
from toile.training.sources import Sources


def two_dolls(folder: Path) -> RunPairs:
    """What a run in `folder` reads."""
    sources = Sources(data="dolls:0:2", unseen="dolls:9:2")
    return open_run_pairs(sources, RunSettings(folder=folder), (64, 96))


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> VaeTask:
    """A task on a few small dolls."""
    torch.manual_seed(0)
    recipe = replace(VaeRecipe(), size=(64, 96), crop=(32, 32))
    return VaeTask(recipe, start_plain(tiny.vae()), two_dolls(tmp_path_factory.mktemp("run")))


def test_posteriors_start_narrow_and_apart() -> None:
    torch.manual_seed(0)
    vae = start_plain(tiny.vae())
    posterior = vae.encode(torch.rand(2, 3, 32, 32) * 2 - 1).latent_dist
    assert torch.allclose(posterior.logvar, torch.full_like(posterior.logvar, -8))
    assert posterior.mean.std() > 0.1


def test_without_a_generator_the_mode_is_decoded() -> None:
    model = Reconstruction(tiny.vae())
    pictures = torch.rand(1, 3, 32, 32) * 2 - 1
    assert torch.equal(model(pictures, None)[0], model(pictures, None)[0])
    noisy = [model(pictures, torch.Generator().manual_seed(seed))[0] for seed in (0, 1)]
    assert not torch.equal(*noisy)


def test_crops_are_windows_of_their_picture(task: VaeTask) -> None:
    pictures = torch.randint(0, 256, (2, 3, 64, 96), dtype=torch.uint8)
    crops = task._crops(pictures, torch.Generator().manual_seed(0))
    assert crops.shape == (4, 3, 32, 32)
    windows = pictures[0].unfold(1, 32, 1).unfold(2, 32, 1)  # (3, 33, 65, 32, 32)
    assert (windows == crops[0][:, None, None]).all(dim=(0, 3, 4)).any()


def test_whole_pictures_are_their_own_crops(task: VaeTask) -> None:
    whole = copy(task)
    whole.recipe = replace(task.recipe, crop=None, crops_per_picture=1)
    pictures = torch.randint(0, 256, (2, 3, 64, 96), dtype=torch.uint8)
    assert torch.equal(whole._crops(pictures, torch.Generator()), pictures)
    assert whole_pictures().crop is None


def test_crops_larger_than_the_pictures_are_refused() -> None:
    with pytest.raises(ToileError, match="larger than the pictures"):
        replace(VaeRecipe(), size=(32, 96))


def test_training_goes_on_from_weights(task: VaeTask, tmp_path: Path) -> None:
    with torch.no_grad():
        task.export(task.model, tmp_path)
    again = load_vae(tmp_path).state_dict()
    assert all(torch.equal(again[name], tensor) for name, tensor in task.model.vae.state_dict().items())


def test_loss_falls_when_a_batch_is_seen_again_and_again(task: VaeTask) -> None:
    batch = torch.utils.data.default_collate([task.dataset[0]])
    optimizer = torch.optim.AdamW(task.model.parameters(), 2e-3)
    losses = []
    for _ in range(25):
        values = task.loss(task.model, batch, torch.Generator().manual_seed(0))
        optimizer.zero_grad()
        values["loss"].backward()
        optimizer.step()
        losses.append(values["loss"].item())
    assert losses[-1] < 0.6 * losses[0]


def test_validation_is_psnr(task: VaeTask) -> None:
    class Grey(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.level = torch.nn.Parameter(torch.zeros(()))

        def forward(self, pictures, generator):
            return pictures + 0.2 * (1 - 2 * (pictures > 0)), None, None  # off by a tenth of the range

    assert task.validate(Grey())["psnr"] == pytest.approx(20, abs=0.01)
