"""diffusers' own pipelines on small random models, and files as others publish them."""

import inspect
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from logging import WARNING, Handler, getLogger
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL, ControlNetModel, DiffusionPipeline, T2IAdapter, UNet2DConditionModel
from PIL import Image
from safetensors.torch import save_file
from tests.small_models import IMAGE, LATENT, TEXT, small_unet
from transformers import CLIPTextConfig, CLIPTextModel, CLIPVisionConfig, CLIPVisionModelWithProjection

from toile.anydressing.dressing_attention import DressingAttention
from toile.diffusion import tiny
from toile.diffusion.layers import attention_layers
from toile.diffusion.stable_diffusion import sd15_scheduler
from toile.wardrobe import Wardrobe

SIZE = 64
FACE = 10
"""Width of a face's embedding."""


@cache
def _frozen_parts() -> dict[str, torch.nn.Module]:
    torch.manual_seed(0)
    vae = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(4, 4, 4, 4),
        latent_channels=LATENT,
        norm_num_groups=2,
    )
    config = {"hidden_size": TEXT, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    text = CLIPTextConfig(
        **config, vocab_size=tiny.VOCABULARY, bos_token_id=0, eos_token_id=1, pad_token_id=1
    )
    vision = CLIPVisionConfig(
        **config, projection_dim=IMAGE, image_size=tiny.IMAGE_ENCODER_SIZE, patch_size=32
    )
    return {
        "vae": vae.eval(),
        "text_encoder": CLIPTextModel(text).eval(),
        "image_encoder": CLIPVisionModelWithProjection(vision).eval(),
        "tokenizer": tiny.tokenizer(["a person in the park wears a red dress"]),
    }


def pipeline(
    kind: type[DiffusionPipeline], unet: UNet2DConditionModel | None = None, **others
) -> DiffusionPipeline:
    """A stock pipeline; its frozen parts are shared by all of them."""
    known = inspect.signature(kind.__init__).parameters
    made = kind(
        **{name: part for name, part in _frozen_parts().items() if name in known},
        unet=small_unet() if unet is None else unet,
        scheduler=sd15_scheduler(),
        safety_checker=None,
        feature_extractor=tiny.feature_extractor(),
        requires_safety_checker=False,
        **others,
    )
    made.set_progress_bar_config(disable=True)
    return made


def further(kind: type[DiffusionPipeline]) -> dict[str, torch.nn.Module]:
    """What a kind of pipeline needs besides."""
    names = {"controlnet": small_controlnet, "adapter": small_adapter}
    known = inspect.signature(kind.__init__).parameters
    return {name: make() for name, make in names.items() if name in known}


@cache
def small_adapter() -> T2IAdapter:
    """A T2I-Adapter."""
    torch.manual_seed(1)
    adapter = T2IAdapter(channels=[16, 32, 32], num_res_blocks=1, adapter_type="full_adapter")
    return adapter.eval()


@cache
def small_controlnet() -> ControlNetModel:
    """A ControlNet that says something: its own last layers would start at zero."""
    controlnet = ControlNetModel.from_unet(small_unet(), conditioning_embedding_out_channels=(4, 4, 8, 8))
    shake(controlnet, by=0.3)
    return controlnet.eval()


def shake(module: torch.nn.Module, seed: int = 0, by: float = 0.1) -> None:
    """Change every weight, as some training does."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter += by * torch.randn(parameter.shape, generator=generator)


def picture(seed: int = 3) -> Image.Image:
    """A picture of noise."""
    random = np.random.default_rng(seed)
    return Image.fromarray(random.integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8))


def mask() -> Image.Image:
    """The right half."""
    painted = Image.new("L", (SIZE, SIZE))
    painted.paste(255, (SIZE // 2, 0, SIZE, SIZE))
    return painted


def outfit(
    garments: int = 2,
    seed: int = 5,
    scale: float | None = None,
    unet: UNet2DConditionModel | None = None,
) -> Wardrobe:
    """What a picture wears, for the layers of `small_unet` or another, strong enough to be seen."""
    unet = small_unet() if unet is None else unet
    generator = torch.Generator().manual_seed(seed)
    dressing = DressingAttention.from_unet(unet)
    widths = {name: layer.inner_dim for name, layer in attention_layers(unet, "attn1").items()}
    with torch.no_grad():
        layers = dressing(
            {name: 3 * torch.randn(garments, 6, width, generator=generator) for name, width in widths.items()}
        )
    wardrobe = Wardrobe(layers=layers, rows=(tuple(range(garments)),), per_picture=True)
    return wardrobe if scale is None else wardrobe.with_scale(scale)


def paint(pipe: DiffusionPipeline, wardrobe: Wardrobe | None = None, seeds: Sequence[int] = (0,), **options):
    """Latents of pictures, each from its own seed, two steps each."""
    arguments = {} if wardrobe is None else {"wardrobe": wardrobe}
    arguments |= options.pop("arguments", {})
    options = {"prompt": "a red dress", "num_inference_steps": 2, "guidance_scale": 3.0} | options
    if "image" not in options:
        options |= {"height": SIZE, "width": SIZE}
    return pipe(
        **options,
        generator=[torch.Generator().manual_seed(seed) for seed in seeds],
        cross_attention_kwargs=arguments or None,
        output_type="latent",
    ).images


def apart(first: torch.Tensor, second: torch.Tensor) -> float:
    """The greatest difference."""
    return float((first - second).abs().max())


@contextmanager
def warnings_of(name: str) -> Iterator[list[str]]:
    """What a library's loggers say meanwhile, though a command that ran before may have silenced them."""

    class Listener(Handler):
        def emit(self, record):
            heard.append(record.getMessage())

    heard: list[str] = []
    listener, logger = Listener(), getLogger(name)
    level = logger.level
    logger.addHandler(listener)
    logger.setLevel(WARNING)
    try:
        yield heard
    finally:
        logger.setLevel(level)
        logger.removeHandler(listener)


def lora_file(path: Path, style: str, seed: int = 0, rank: int = 2) -> Path:
    """A LoRA for every attention projection of `small_unet`, named as `diffusers` or `kohya` does."""
    unet, generator = small_unet(), torch.Generator().manual_seed(seed)
    tensors = {}
    for kind in ("attn1", "attn2"):
        for name, layer in attention_layers(unet, kind).items():
            for part, linear in _projections(layer).items():
                down = 0.3 * torch.randn(rank, linear.in_features, generator=generator)
                up = torch.randn(linear.out_features, rank, generator=generator)
                if style == "kohya":
                    stem = f"lora_unet_{name}.{part}".replace(".", "_")
                    tensors |= {f"{stem}.lora_down.weight": down, f"{stem}.lora_up.weight": up}
                    tensors[f"{stem}.alpha"] = torch.tensor(float(rank))
                else:
                    stem = f"unet.{name}.{part}"
                    tensors |= {f"{stem}.lora_A.weight": down, f"{stem}.lora_B.weight": up}
    save_file(tensors, path)
    return path


def _projections(layer: torch.nn.Module) -> dict[str, torch.nn.Linear]:
    return {"to_q": layer.to_q, "to_k": layer.to_k, "to_v": layer.to_v, "to_out.0": layer.to_out[0]}


def ip_adapter_file(path: Path, *, face: bool = False, seed: int = 0, tokens: int = 4) -> Path:
    """An image prompt's weights by the published names: ip-adapter_sd15's, or ip-adapter-faceid_sd15's."""
    unet, generator = small_unet(), torch.Generator().manual_seed(seed)

    def draw(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator)

    tensors = {"image_proj.norm.weight": torch.ones(TEXT), "image_proj.norm.bias": torch.zeros(TEXT)}
    if face:
        tensors |= {
            "image_proj.proj.0.weight": draw(2 * FACE, FACE),
            "image_proj.proj.0.bias": draw(2 * FACE),
        }
        tensors |= {
            "image_proj.proj.2.weight": draw(tokens * TEXT, 2 * FACE),
            "image_proj.proj.2.bias": draw(tokens * TEXT),
        }
    else:
        tensors |= {
            "image_proj.proj.weight": draw(tokens * TEXT, IMAGE),
            "image_proj.proj.bias": draw(tokens * TEXT),
        }
    for number, name in enumerate(unet.attn_processors):
        layer = unet.get_submodule(name.removesuffix(".processor"))
        if number % 2:
            for part in ("to_k_ip", "to_v_ip"):
                tensors[f"ip_adapter.{number}.{part}.weight"] = draw(layer.inner_dim, TEXT)
        if face:
            for part, linear in _projections(layer).items():
                stem = f"ip_adapter.{number}.{part.removesuffix('.0')}_lora"
                tensors[f"{stem}.down.weight"] = draw(2, linear.in_features)
                tensors[f"{stem}.up.weight"] = draw(linear.out_features, 2)
    save_file(tensors, path)
    return path
