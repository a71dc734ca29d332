"""What a restoration costs at the paper's size: Stable Diffusion 1.5's shapes with random weights.

    python benchmarks/full_size.py PHOTO --steps 2

Writes a model folder of about 5 GB (float16) once, and restores PHOTO with it by `toile restore`. The picture
is noise; what counts is that the path is the real one, its time and its memory.
"""

import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import torch
import tyro
from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPImageProcessorPil, CLIPTextModel, CLIPVisionModelWithProjection

from toile.diffusion import tiny
from toile.diffusion.stable_diffusion import (
    StableDiffusionParts,
    sd15_scheduler,
    sd15_text_config,
    sd15_unet_config,
    sd15_vae_config,
    sd15_vision_config,
)
from toile.igr.model import CATEGORY_PROMPTS, IGRModel
from toile.igr.pipeline import IGRPipeline


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What is restored, and how."""

    photo: Annotated[Path, tyro.conf.Positional]
    """Any photo."""
    folder: Path = Path("out/sd15-random")
    """Where the random model is kept; made when missing."""
    size: str = "1024x768"
    """Height and width in pixels."""
    steps: int = 2
    """DDIM steps."""
    device: str = "auto"
    """Where it runs."""
    dtype: str = "float32"
    """Kind of number it computes with."""


def make_model(folder: Path) -> None:
    """Save an IGR of Stable Diffusion 1.5's shapes; its tokenizer knows the category prompts only."""
    torch.manual_seed(0)
    tokenizer = tiny.tokenizer(CATEGORY_PROMPTS.values())
    tokenizer.model_max_length = sd15_text_config().max_position_embeddings
    side = sd15_vision_config().image_size
    parts = StableDiffusionParts(
        unet=UNet2DConditionModel(**sd15_unet_config()),
        vae=AutoencoderKL(**sd15_vae_config()),
        text_encoder=CLIPTextModel(sd15_text_config()),
        tokenizer=tokenizer,
        image_encoder=CLIPVisionModelWithProjection(sd15_vision_config()),
        feature_extractor=CLIPImageProcessorPil(size={"height": side, "width": side}, do_center_crop=False),
        scheduler=sd15_scheduler(),
    )
    model = IGRModel.from_base(parts.unet, parts.image_encoder.config.projection_dim)
    IGRPipeline.from_parts(parts, model, size=(1024, 768)).to(torch.float16).save_pretrained(folder)


def main() -> None:
    """Make the model, restore, and say what it took."""
    settings = tyro.cli(Settings, description=__doc__)
    if not (settings.folder / "model_index.json").is_file():
        make_model(settings.folder)
    output = settings.folder.parent / "full-size.png"
    command = [sys.executable, "-m", "toile.cli.main", "restore", str(settings.photo), "-o", str(output)]
    options = {"model": settings.folder, "size": settings.size, "steps": settings.steps}
    options |= {"device": settings.device, "dtype": settings.dtype}
    started = time.perf_counter()
    subprocess.run(
        command + [word for name, value in options.items() for word in (f"--{name}", str(value))], check=True
    )
    seconds = time.perf_counter() - started
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    print(f"{settings.size}, {settings.steps} steps: {seconds:.0f} s, start included; peak {memory:.1f} GiB")


if __name__ == "__main__":
    main()
