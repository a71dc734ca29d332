"""What all systems' pipelines share; how it serves each of them, their own tests say."""

import shutil
from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderKL, DiffusionPipeline, SchedulerMixin, UNet2DConditionModel
from tests.small_models import small_unet

from toile.diffusion import tiny
from toile.diffusion.system_pipeline import SHARED_PARTS, SystemPipeline, encode_pictures
from toile.errors import ToileError


class Other(DiffusionPipeline):
    """A pipeline of somebody else's, which keeps a number of its own."""

    def __init__(
        self,
        vae: AutoencoderKL,
        unet: UNet2DConditionModel,
        scheduler: SchedulerMixin,
        size=None,
        num_inference_steps=None,
    ) -> None:
        super().__init__()
        self.register_modules(vae=vae, unet=unet, scheduler=scheduler)
        self.register_to_config(size=size, num_inference_steps=num_inference_steps)
        self.vae_scale_factor = 8


class OwnUNet(SystemPipeline, Other):
    """A system that has trained a U-Net."""

    system = "own"
    trained_parts = ("unet",)


class SharedUNet(SystemPipeline, Other):
    """A system that takes everybody's U-Net."""

    system = "shared"
    trained_parts = ()
    shared_parts = {**SHARED_PARTS, "unet": UNet2DConditionModel}  # noqa: RUF012


def small(kind: type[SystemPipeline], size: list[int] | None) -> SystemPipeline:
    torch.manual_seed(0)
    vae = tiny.vae().eval()
    vae.register_to_config(scaling_factor=0.5)
    return kind(vae, small_unet(), tiny.scheduler(), size=size)


@pytest.fixture(scope="module")
def plain() -> SystemPipeline:
    return small(OwnUNet, [64, 32])


@pytest.mark.parametrize(("height", "width", "size"), [(None, None, (64, 32)), (96, None, (96, 32))])
def test_sizes(plain, height, width, size):
    assert plain.check_size(height, width) == size


def test_steps_are_those_asked_for_or_the_model_s_or_the_system_s(plain):
    assert plain.check_steps(3) == 3
    for own, expected in ((None, 25), (4, 4)):
        model = small(OwnUNet, None)
        model.system = "igr"
        model.register_to_config(num_inference_steps=own)
        assert (model.check_steps(), model.check_steps(3)) == (expected, 3)
    for steps, own in ((0, 4), (None, 0)):
        model.register_to_config(num_inference_steps=own)
        with pytest.raises(ToileError, match="num_inference_steps is 0; it must be at least 1"):
            model.check_steps(steps)


def test_sizes_that_cannot_be_halved_are_refused(plain):
    with pytest.raises(ToileError, match=r"size 100×32.*multiples of 32; take 96×32"):
        plain.check_size(100)


def test_without_a_size_of_its_own_it_is_the_u_net_s():
    assert small(OwnUNet, None).default_size == (64, 64)


def test_pictures_are_encoded_by_the_posterior_s_mode(plain):
    pictures = torch.rand(2, 3, 64, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
    with torch.no_grad():
        expected = plain.vae.encode(pictures).latent_dist.mode() * 0.5
        torch.testing.assert_close(encode_pictures(plain.vae, pictures), expected)


def bundle(kind: type[SystemPipeline], folder: Path) -> None:
    """Save a system as it is bundled: its own parts in its folder, all others in the base's."""
    small(kind, [64, 32]).save_pretrained(folder / kind.system)
    (folder / "base").mkdir()
    for part in ("vae", "unet", "scheduler"):
        if part not in kind.trained_parts:
            (folder / kind.system / part).rename(folder / "base" / part)


@pytest.mark.parametrize("kind", [OwnUNet, SharedUNet])
def test_a_bundled_system_takes_what_it_shares(kind, tmp_path, monkeypatch):
    bundle(kind, tmp_path)
    monkeypatch.setattr("toile.bundled.weights_folder", lambda: tmp_path)
    loaded = kind.from_pretrained("tiny")
    assert loaded.default_size == (64, 32) and loaded.unet.dtype == torch.float32
    assert torch.equal(loaded.unet.conv_in.weight, small_unet().conv_in.weight)


def test_a_part_that_it_does_not_share_is_missed(tmp_path, monkeypatch):
    bundle(OwnUNet, tmp_path)
    monkeypatch.setattr("toile.bundled.weights_folder", lambda: tmp_path)
    shutil.move(tmp_path / "own" / "unet", tmp_path / "base" / "unet")
    with pytest.raises(ToileError, match="tiny cannot be loaded") as error:
        OwnUNet.from_pretrained("tiny")
    assert "\n" not in str(error.value)


def test_of_a_model_that_the_hub_does_not_give_one_whole_line_is_said():
    with pytest.raises(ToileError, match="nobody/nothing is no folder here and cannot be had") as error:
        OwnUNet.from_pretrained("nobody/nothing")
    assert "\n" not in str(error.value) and str(error.value).endswith("or give a folder")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, "pil", ["latents"]), "num_inference_steps is 0"),
        ((1, "jpeg", ["latents"]), "'jpeg'"),
        ((1, "pil", ["noise"]), "'noise'"),
    ],
)
def test_calls_that_make_no_sense_are_refused(plain, arguments, message):
    plain._callback_tensor_inputs = ["latents"]
    assert plain.check_call(1, "pt", ["latents"]) == 1
    with pytest.raises(ToileError, match=message):
        plain.check_call(*arguments)
