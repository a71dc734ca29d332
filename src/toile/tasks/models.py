"""The models that tasks are done with: which they are, where they run, and how they are loaded."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

from toile.bundled import TINY, find_model, usual_steps
from toile.errors import ToileError

DTYPES = ("float32", "float16", "bfloat16")
System = Literal["igr", "twgtm", "anydressing"]
"""A system, by the name of its folder."""
PIPELINES: Mapping[System, str] = {
    "igr": "IGRPipeline",
    "twgtm": "TWGTMPipeline",
    "anydressing": "AnyDressingPipeline",
}
"""The class of each system's pipeline, in the module `pipeline` of the system's folder."""


@dataclass(frozen=True, kw_only=True)
class Models:
    """Which models work, and on what."""

    igr: str = TINY
    """What restores: the bundled model, a folder in diffusers layout, or a hub name."""
    twgtm: str = TINY
    """What tries on and takes off, likewise."""
    anydressing: str = TINY
    """What dresses by a prompt, likewise."""
    parser: str = TINY
    """What finds masks: the bundled parser, or a Segformer for clothes by folder or hub name."""
    device: str = "auto"
    """cpu, cuda, cuda:1, mps; auto takes a GPU where there is one."""
    dtype: str = "float32"
    """Kind of number to compute with."""
    wardrobe: Path | None = None
    """The folder of kept outfits; None is the user's own."""

    def of(self, system: System) -> str:
        """The model of a system."""
        name: str = getattr(self, system)
        return name

    def steps(self, system: System) -> int:
        """The denoising steps that a system's model takes when it is told nothing else.

        See `toile.bundled.usual_steps`.

        Raises:
            ToileError: when the name means no model of the system.
        """
        return usual_steps(self.of(system), system=system, pipeline=PIPELINES[system])

    def check(self, systems: Sequence[System]) -> None:
        """Refuse names that mean no model of their system, before one is loaded; the hub is not asked.

        Raises:
            ToileError: naming the first one.
        """
        for system in systems:
            find_model(self.of(system), system=system, pipeline=PIPELINES[system])


def load_pipeline(system: System, name: str, *, device: str = "auto", dtype: str = "float32") -> Any:
    """Load a system's pipeline, quietly, onto a device.

    Raises:
        ToileError: when the model, the device or the kind of number is not there.
    """
    check_dtype(dtype)
    import torch

    quieten_libraries()
    kind, place = _pipeline_class(system), found_device(device)
    pipeline = kind.from_pretrained(name, dtype=getattr(torch, dtype)).to(place)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def check_dtype(dtype: str) -> None:
    """Refuse a kind of number that is none.

    Raises:
        ToileError: naming it, and those that there are.
    """
    if dtype not in DTYPES:
        raise ToileError(f"dtype {dtype!r} is unknown; write one of {', '.join(DTYPES)}")


def found_device(name: str) -> str:
    """The device that a name means, as torch names it.

    Raises:
        ToileError: when it cannot be used.
    """
    import torch

    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(1, device=name)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0]
        raise ToileError(
            f"device {name!r} cannot be used ({reason}); write cpu, or cuda for a GPU"
        ) from error
    return name


def quieten_libraries() -> None:
    """Have diffusers and transformers say errors alone; before more of them is imported, as that warns."""
    import diffusers
    import transformers

    for library in (diffusers, transformers):
        library.utils.logging.set_verbosity_error()
        library.utils.logging.disable_progress_bar()


@contextmanager
def enough_memory(photos: int, size: tuple[int, int]) -> Iterator[None]:
    """Say what to do about it when the memory does not suffice for so many photos of such a size.

    Raises:
        ToileError: in place of torch's own error.
    """
    import torch

    try:
        yield
    except torch.OutOfMemoryError as error:
        many = f"{photos} photos at once at {size[0]}×{size[1]}" if photos > 1 else f"{size[0]}×{size[1]}"
        less = "the batch or the size" if photos > 1 else "the size"
        raise ToileError(f"there is not enough memory for {many}; lower {less}") from error


def _pipeline_class(system: System) -> Any:
    return getattr(import_module(f"toile.{system}.pipeline"), PIPELINES[system])
