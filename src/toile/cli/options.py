"""The options of every command that runs a model: which model, how it draws, and what it runs on."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import tyro

from toile import __version__
from toile.cli.size import parse_size
from toile.errors import ToileError

CATEGORIES = ("upper", "lower", "dress")
DTYPES = ("float32", "float16", "bfloat16")
LARGEST_SEED = 2**63 - 1

CategoryOption = Annotated[str, tyro.conf.arg(metavar="{upper,lower,dress}")]
ModelOption = Annotated[str, tyro.conf.arg(metavar="tiny|PATH|NAME")]
System = Literal["igr", "twgtm", "anydressing"]
"""A system, by the name of its folder."""


@dataclass(frozen=True, kw_only=True)
class ModelOptions:
    """Which model draws, how, and on what."""

    model: ModelOption = "tiny"
    """The bundled model, a folder in diffusers layout, or a hub name."""
    steps: int
    """Denoising steps."""
    guidance: float
    """Guidance scale; 1 is none, and twice as fast."""
    seed: int = 0
    """Seed of every photo's noise."""
    size: Annotated[str | None, tyro.conf.arg(metavar="HxW")] = None
    """Size to work at and to write, as 1024x768. Left out: the model's own."""
    device: str = "auto"
    """cpu, cuda, cuda:1, mps; auto takes a GPU where there is one."""
    dtype: Annotated[str, tyro.conf.arg(metavar="{float32,float16,bfloat16}")] = "float32"
    """Kind of number to compute with."""

    def check(self, category: str | None = None) -> None:
        """Refuse what no model can draw with, before one is loaded; None where there is no category.

        Raises:
            ToileError: naming the setting, its value, and what it may be.
        """
        if category is not None and category not in CATEGORIES:
            raise ToileError(f"category {category!r} is unknown; write one of {', '.join(CATEGORIES)}")
        check_count("steps", self.steps, 1000)
        if not 0 <= self.guidance <= 100:
            raise ToileError(f"guidance is {self.guidance}; it must lie between 0 and 100")
        if not 0 <= self.seed <= LARGEST_SEED:
            raise ToileError(f"seed is {self.seed}; it must lie between 0 and 2**63 - 1")
        if self.dtype not in DTYPES:
            raise ToileError(f"dtype {self.dtype!r} is unknown; write one of {', '.join(DTYPES)}")
        if self.size is not None:
            parse_size(self.size)

    def load(self, system: System) -> Any:
        """Load the model's pipeline, quietly, onto the device.

        Raises:
            ToileError: when the model or the device is not there.
        """
        import torch

        quieten_libraries()
        kind, device = _pipeline_class(system), found_device(self.device)
        pipeline = kind.from_pretrained(self.model, dtype=getattr(torch, self.dtype)).to(device)
        pipeline.set_progress_bar_config(disable=True)
        return pipeline

    def canvas(self, pipeline: Any) -> tuple[int, int]:
        """(height, width) that a pipeline works at.

        Raises:
            ToileError: when it cannot work at the size that is asked for.
        """
        size: tuple[int, int] = pipeline.check_size(
            *((None, None) if self.size is None else parse_size(self.size))
        )
        return size

    def arguments(self, size: tuple[int, int]) -> dict[str, Any]:
        """How the model draws, as the arguments of a pipeline's call."""
        return {
            "num_inference_steps": self.steps,
            "guidance_scale": self.guidance,
            "height": size[0],
            "width": size[1],
        }

    def metadata(self, size: tuple[int, int]) -> dict[str, object]:
        """What every picture that is written carries with it."""
        return {
            "toile": __version__,
            "model": self.model,
            "steps": self.steps,
            "guidance": self.guidance,
            "seed": self.seed,
            "size": list(size),
            "dtype": self.dtype,
        }


OwnModelOptions = Annotated[ModelOptions, tyro.conf.arg(name="model")]
"""The options as a command's field: the name is a heading of its help."""

IGR_OPTIONS = ModelOptions(steps=25, guidance=1.5)
"""What IGR draws with when it is told nothing else."""
TWGTM_OPTIONS = ModelOptions(steps=30, guidance=2.5)
"""What TWGTM draws with when it is told nothing else."""
ANYDRESSING_OPTIONS = ModelOptions(steps=30, guidance=6.0)
"""What AnyDressing draws with when it is told nothing else."""


def check_seeds(seed: int, count: int) -> None:
    """Refuse seeds that would pass the largest one.

    Raises:
        ToileError: naming them.
    """
    if seed + count - 1 > LARGEST_SEED:
        raise ToileError(f"seed is {seed}; with {count} candidates the last passes 2**63 - 1")


def quieten_libraries() -> None:
    """Have diffusers and transformers say errors alone; before more of them is imported, as that warns."""
    import diffusers
    import transformers

    for library in (diffusers, transformers):
        library.utils.logging.set_verbosity_error()
        library.utils.logging.disable_progress_bar()


def check_count(name: str, value: int, most: int | None = None) -> None:
    """Refuse a number of things that is none, or too large.

    Raises:
        ToileError: naming the setting, its value, and what it may be.
    """
    if value < 1 or (most is not None and value > most):
        allowed = "be at least 1" if most is None else f"lie between 1 and {most}"
        raise ToileError(f"{name} is {value}; it must {allowed}")


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
    if system == "igr":
        from toile.igr.pipeline import IGRPipeline

        return IGRPipeline
    if system == "anydressing":
        from toile.anydressing.pipeline import AnyDressingPipeline

        return AnyDressingPipeline
    from toile.twgtm.pipeline import TWGTMPipeline

    return TWGTMPipeline


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
