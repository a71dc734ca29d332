"""What `toile dress` takes besides garments: a pose, a face, LoRAs, all by diffusers' own loaders."""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from toile.cli.garment_files import PictureOption
from toile.errors import ToileError

if TYPE_CHECKING:
    from PIL import Image
    from torch import Tensor

EMBEDDINGS = (".npy", ".safetensors")
"""What a face's embedding is kept in; any other file is a picture."""
MOST = 10.0
"""Largest weight of anything."""


@dataclass(frozen=True, kw_only=True)
class Extensions:
    """What else is to be seen."""

    pose: PictureOption = None
    """A picture of the pose, drawn as the ControlNet wants it (OpenPose's coloured bones on black)."""
    controlnet: Annotated[str | None, tyro.conf.arg(metavar="PATH|NAME")] = None
    """The ControlNet that reads --pose: a folder, or a hub name."""
    pose_scale: float = 1.0
    """How much the pose counts."""
    face: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None
    """A picture for an IP-Adapter; for an IP-Adapter-FaceID, the face's embedding as insightface gives it
    (512 numbers), in a .npy or .safetensors file."""
    face_adapter: Annotated[str | None, tyro.conf.arg(metavar="FILE")] = None
    """The adapter that reads --face: a .safetensors file, or one on the hub as OWNER/NAME/FILE."""
    face_encoder: Annotated[str | None, tyro.conf.arg(metavar="PATH|NAME")] = None
    """CLIP's image encoder that the adapter wants: a folder, or a hub name. Left out: the model's own."""
    face_scale: float = 0.7
    """How much the face counts."""
    lora: Annotated[tuple[str, ...], tyro.conf.UseAppendAction, tyro.conf.arg(metavar="FILE[:WEIGHT]")] = ()
    """A LoRA for the model's U-Net: a .safetensors file, or one on the hub as OWNER/NAME/FILE; may be given
    several times."""

    def check(self) -> None:
        """Refuse what does not belong together, before anything is loaded.

        Raises:
            ToileError: naming the option.
        """
        for first, second in (("pose", "controlnet"), ("face", "face_adapter")):
            _check_pair(self, first, second)
            _check_pair(self, second, first)
        if self.face_encoder is not None and self.face is None:
            raise ToileError("--face-encoder goes with --face; give the face, or leave the encoder out")
        for name in ("pose_scale", "face_scale"):
            if not 0 <= getattr(self, name) <= MOST:
                raise ToileError(f"{name} is {getattr(self, name)}; it must lie between 0 and {MOST:g}")
        if self.face_adapter is not None:
            weight_file(self.face_adapter, "face adapter")
        for lora in self.loras():
            weight_file(lora[0], "lora")

    def inputs(self) -> list[Path]:
        """The files that are read."""
        return [path for path in (self.pose, self.face) if path is not None]

    def loras(self) -> list[tuple[str, float]]:
        """Each LoRA's file and weight.

        Raises:
            ToileError: when a weight is out of range.
        """
        return [_parsed(text) for text in self.lora]

    def metadata(self) -> dict[str, object]:
        """What the pictures tell of it: nothing where nothing was asked for."""
        told: dict[str, object] = {}
        if self.pose is not None:
            told |= {"pose": self.pose.name, "controlnet": self.controlnet, "pose_scale": self.pose_scale}
        if self.face is not None:
            told |= {"face": self.face.name, "face_adapter": self.face_adapter, "face_scale": self.face_scale}
        return told | ({"lora": list(self.lora)} if self.lora else {})


@dataclass(frozen=True, kw_only=True)
class Extended:
    """A pipeline that is ready to draw, and what each of its calls needs."""

    pipeline: Any
    """A `StableDiffusionPipeline`, or with a pose a `StableDiffusionControlNetPipeline`."""
    arguments: dict[str, Any]
    """Of its calls."""


def extend(pipeline: Any, extensions: Extensions, size: tuple[int, int], *, guided: bool) -> Extended:
    """Load what is asked for into a pipeline, which it changes.

    Args:
        pipeline: an `AnyDressingPipeline`.
        extensions: what is asked for.
        size: (height, width) to draw at.
        guided: whether there are unconditional rows.

    Raises:
        ToileError: when a file cannot be read, or is not made for this model.
    """
    from toile.images import load_photo

    face = None if extensions.face is None else _read_face(extensions.face)
    pose = None if extensions.pose is None else load_photo(extensions.pose)
    arguments: dict[str, Any] = {}
    if pose is not None:
        pipeline = with_controlnet(pipeline, str(extensions.controlnet))
        arguments |= _pose_arguments(pose, extensions.pose_scale, size)
    if face is not None:
        load_face_adapter(pipeline, str(extensions.face_adapter), extensions.face_encoder)
        pipeline.set_ip_adapter_scale(extensions.face_scale)
        arguments |= face_arguments(pipeline, face, guided=guided)
    load_loras(pipeline, extensions.loras())
    return Extended(pipeline=pipeline, arguments=arguments)


def with_controlnet(pipeline: Any, name: str) -> Any:
    """The same Stable Diffusion, led by a ControlNet.

    Raises:
        ToileError: when there is none of that name.
    """
    from diffusers import ControlNetModel, StableDiffusionControlNetPipeline

    from toile.diffusion.stable_diffusion import load_part

    controlnet = load_part(ControlNetModel, name, "", dtype=pipeline.unet.dtype, use_safetensors=True)
    parts = ("vae", "text_encoder", "tokenizer", "unet", "scheduler", "image_encoder", "feature_extractor")
    led = StableDiffusionControlNetPipeline(
        **{part: getattr(pipeline, part) for part in parts},
        controlnet=controlnet.to(pipeline.device),
        safety_checker=None,
        requires_safety_checker=False,
    )
    led.set_progress_bar_config(disable=True)
    return led


def load_face_adapter(pipeline: Any, adapter: str, encoder: str | None) -> None:
    """Load an IP-Adapter, and the image encoder that it wants where one is named.

    Raises:
        ToileError: when either cannot be loaded, or was made for another U-Net.
    """
    from transformers import CLIPImageProcessorPil

    from toile.diffusion.stable_diffusion import load_image_encoder

    if encoder is not None:
        part, extractor = load_image_encoder(encoder, dtype=pipeline.unet.dtype)
        pipeline.register_modules(image_encoder=part.to(pipeline.device), feature_extractor=extractor)
    if pipeline.feature_extractor is None:  # or diffusers takes one that needs torchvision
        pipeline.register_modules(feature_extractor=CLIPImageProcessorPil())
    source, subfolder, file = weight_file(adapter, "face adapter")
    with _usable(f"face adapter {adapter}"):
        pipeline.load_ip_adapter(source, subfolder=subfolder, weight_name=file, image_encoder_folder=None)


def face_arguments(pipeline: Any, face: "Image.Image | Tensor", *, guided: bool) -> dict[str, Any]:
    """What a call needs for the adapter to see a face.

    Args:
        pipeline: with an adapter loaded.
        face: a picture, or embeddings (n, E).
        guided: whether there are unconditional rows; they see an empty picture, or zeros.

    Raises:
        ToileError: when the adapter wants the other kind, or another encoder.
    """
    import torch

    (projection,) = pipeline.unet.encoder_hid_proj.image_projection_layers
    kind = type(projection).__name__
    if "FaceIDPlus" in kind:
        raise ToileError("FaceID Plus is not supported; take ip-adapter-faceid_sd15, which needs no CLIP")
    given = isinstance(face, torch.Tensor)
    if "FaceID" in kind and not given:
        raise ToileError(
            "this face adapter is a FaceID: it wants the face's embedding, in a .npy or .safetensors file"
        )
    if not given and pipeline.image_encoder is None:
        raise ToileError(
            "the model has no image encoder; name the one that the adapter wants: --face-encoder"
        )
    with _usable("the face"), torch.no_grad():
        embeds = _embedded(pipeline, face, guided)
        pipeline.unet.encoder_hid_proj(embeds)  # fails now, and not when half is drawn
    return {"ip_adapter_image_embeds": embeds}


def _embedded(pipeline: Any, face: "Image.Image | Tensor", guided: bool) -> "list[Tensor]":
    """A face as a call takes it: (1, n, E), with unconditional rows (2, n, E)."""
    import torch

    device = pipeline.unet.device
    if not isinstance(face, torch.Tensor):
        embeds: list[Tensor] = pipeline.prepare_ip_adapter_image_embeds([face], None, device, 1, guided)
        return embeds
    own = face[None].to(device, pipeline.unet.dtype)  # (1 n E)
    return [torch.cat([torch.zeros_like(own), own]) if guided else own]


def load_loras(pipeline: Any, loras: Sequence[tuple[str, float]]) -> None:
    """Load LoRAs, all of them active, beside the one that an IP-Adapter-FaceID brings.

    Raises:
        ToileError: when one cannot be loaded, or was made for another U-Net.
    """
    active = dict.fromkeys(pipeline.get_active_adapters(), 1.0)
    for number, (lora, weight) in enumerate(loras):
        source, subfolder, file = weight_file(lora, "lora")
        name = f"lora_{number}"
        with _usable(f"lora {lora}"):
            pipeline.load_lora_weights(
                source, subfolder=subfolder, weight_name=file, adapter_name=name, use_safetensors=True
            )
            active[name] = weight
            pipeline.set_adapters(list(active), list(active.values()))


def weight_file(text: str, what: str) -> tuple[str, str, str]:
    """Where a .safetensors file lies: a folder or a hub name, a folder within, and the file's name.

    Args:
        text: a path, or OWNER/NAME/FILE on the hub; a path whose first folder is there is never looked for
            on the hub.
        what: it is, for the error.

    Raises:
        ToileError: when it is of another kind, or there is no such file.
    """
    path = Path(text)
    if path.suffix != ".safetensors":
        raise ToileError(f"{what} {text} is no .safetensors file; others may hold programs, and are not read")
    if path.is_file():
        return str(path.parent), "", path.name
    owner, *others = text.split("/")
    if len(others) < 2 or owner in ("", ".", "..", "~") or Path(owner).is_dir():
        raise ToileError(f"{what} {text} does not exist; give a file, or one on the hub as OWNER/NAME/FILE")
    return f"{owner}/{others[0]}", "/".join(others[1:-1]), others[-1]


def _pose_arguments(pose: "Image.Image", scale: float, size: tuple[int, int]) -> dict[str, Any]:
    from toile.images import fit

    return {"image": fit(pose, size, fill=0)[0], "controlnet_conditioning_scale": scale}


def _read_face(path: Path) -> "Image.Image | Tensor":
    """A picture, or embeddings (n, E)."""
    from toile.images import load_photo

    return read_embedding(path) if path.suffix in EMBEDDINGS else load_photo(path)


def read_embedding(path: Path) -> "Tensor":
    """Read the embeddings of a face, (n, E), from one array in a .npy or .safetensors file.

    Raises:
        ToileError: when it cannot be read, or holds something else.
    """
    import numpy as np
    import torch
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        arrays = [np.load(path, allow_pickle=False)] if path.suffix == ".npy" else [*load_file(path).values()]
    except (OSError, ValueError, SafetensorError) as error:
        raise ToileError(f"face {path} cannot be read: {' '.join(str(error).split())}") from error
    if len(arrays) != 1 or arrays[0].ndim not in (1, 2) or arrays[0].dtype.kind != "f" or not arrays[0].size:
        found = ", ".join(f"{array.dtype} {array.shape}" for array in arrays) or "nothing"
        raise ToileError(f"face {path} holds {found}; one array of floats, (512,) or (faces, 512), is wanted")
    return torch.from_numpy(np.atleast_2d(arrays[0]).astype(np.float32))


def _parsed(text: str) -> tuple[str, float]:
    """A LoRA's file and weight."""
    file, colon, weight = text.rpartition(":")
    if not colon or weight.endswith(".safetensors"):
        return text, 1.0
    try:
        number = float(weight)
    except ValueError:
        raise ToileError(
            f"lora {text!r}: {weight!r} is no weight; write FILE:WEIGHT, as style.safetensors:0.8"
        ) from None
    if not -MOST <= number <= MOST:
        raise ToileError(f"lora {text!r}: the weight must lie between -{MOST:g} and {MOST:g}")
    return file, number


def _check_pair(extensions: Extensions, first: str, second: str) -> None:
    if getattr(extensions, first) is not None and getattr(extensions, second) is None:
        names = (f"--{name.replace('_', '-')}" for name in (first, second))
        raise ToileError("{} is given without {}; give both, or neither".format(*names))


@contextmanager
def _usable(what: str) -> Iterator[None]:
    """Say in one line that something cannot be used, whatever diffusers says; peft only remarks on things."""
    from toile.diffusion.system_pipeline import LOADING_ERRORS

    try:
        with warnings.catch_warnings(action="ignore", category=UserWarning):
            yield
    except LOADING_ERRORS as error:
        reason = " ".join(str(error).split())[:300]
        raise ToileError(f"{what} cannot be used: {reason}") from error
