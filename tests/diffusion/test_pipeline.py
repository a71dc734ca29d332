"""What IGR's and TWGTM's pipelines share; how it serves each of them, their own tests say."""

import pytest
import torch
from diffusers import AutoencoderKL, SchedulerMixin, UNet2DConditionModel
from tests.small_models import small_unet

from toile.diffusion import tiny
from toile.diffusion.pipeline import PhotoPipeline


class Plain(PhotoPipeline):
    """A system with no parts of its own."""

    system = "plain"
    trained_parts = ("unet",)
    _callback_tensor_inputs = ("latents", "word")

    def __init__(
        self,
        vae: AutoencoderKL,
        unet: UNet2DConditionModel,
        scheduler: SchedulerMixin,
        size: list[int] | None = None,
    ) -> None:
        super().__init__()
        self.register_modules(vae=vae, unet=unet, scheduler=scheduler)
        self.register_to_config(size=size)


@pytest.fixture(scope="module")
def plain() -> Plain:
    torch.manual_seed(0)
    vae = tiny.vae().eval()
    vae.register_to_config(scaling_factor=0.5)
    pipeline = Plain(vae, small_unet(), tiny.scheduler(), size=[64, 32])
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def test_a_schedule_is_followed(plain):
    """Whoever predicts the true noise's velocity arrives at the true latents."""
    draw = torch.Generator().manual_seed(0)
    clean, noise = torch.randn(2, 1, 4, 2, 2, generator=draw)
    seen: list[torch.Tensor] = []

    def predict(scaled, timestep, tensors):
        seen.append(tensors["word"])
        return plain.scheduler.get_velocity(clean, noise, timestep[None])

    conditions = {"word": torch.zeros(1)}
    result = plain.follow_schedule(noise, predict, conditions, 5)
    torch.testing.assert_close(result, clean, rtol=1e-4, atol=1e-4)
    assert [word.item() for word in seen] == [0.0] * 5


def test_a_callback_changes_what_comes_next(plain):
    words: list[float] = []

    def predict(scaled, timestep, tensors):
        words.append(tensors["word"].item())
        return torch.zeros_like(scaled)

    def callback(pipeline, step, timestep, tensors):
        assert pipeline is plain and set(tensors) == {"word"}
        return {"word": tensors["word"] + 1}

    plain.follow_schedule(torch.ones(1, 4, 2, 2), predict, {"word": torch.zeros(1)}, 3, callback, ["word"])
    assert words == [0, 1, 2]


def test_latents_are_decoded_as_they_were_encoded(plain):
    pictures = torch.rand(2, 3, 64, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
    with torch.no_grad():
        latents = plain.encode_pictures(pictures)
        torch.testing.assert_close(latents, plain.vae.encode(pictures).latent_dist.mode() * 0.5)
        expected = plain.vae(pictures).sample.clamp(-1, 1)  # the mode, decoded
    torch.testing.assert_close(plain.decode_latents(latents), expected)
