"""The options of every command that runs a model: which model, how it draws, and what it runs on."""

from dataclasses import dataclass
from typing import Annotated, Any

import tyro

from toile import __version__
from toile.tasks.drawing import (
    ANYDRESSING_DRAWING,
    IGR_DRAWING,
    TWGTM_DRAWING,
    Drawing,
    check_category,
    check_seeds,
)
from toile.tasks.models import System, check_dtype, load_pipeline
from toile.tasks.size import parse_size

CategoryOption = Annotated[str, tyro.conf.arg(metavar="{upper,lower,dress}")]
ModelOption = Annotated[str, tyro.conf.arg(metavar="tiny|PATH|NAME")]


@dataclass(frozen=True, kw_only=True)
class ModelOptions:
    """Which model draws, how, and on what."""

    model: ModelOption = "tiny"
    """The bundled model, a folder in diffusers layout, or a hub name."""
    steps: Annotated[int | None, tyro.conf.arg(metavar="N")] = None
    """Denoising steps. Left out: the model's own."""
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
        if category is not None:
            check_category(category)
        self.drawing.check()
        check_seeds(self.seed)
        check_dtype(self.dtype)

    @property
    def drawing(self) -> Drawing:
        """How to draw.

        Raises:
            ToileError: when the size is none.
        """
        size = None if self.size is None else parse_size(self.size)
        return Drawing(steps=self.steps, guidance=self.guidance, size=size)

    def load(self, system: System) -> Any:
        """Load the model's pipeline, quietly, onto the device.

        Raises:
            ToileError: when the model or the device is not there.
        """
        return load_pipeline(system, self.model, device=self.device, dtype=self.dtype)

    def canvas(self, pipeline: Any) -> tuple[int, int]:
        """(height, width) that a pipeline works at.

        Raises:
            ToileError: when it cannot work at the size that is asked for.
        """
        return self.drawing.canvas(pipeline)

    def metadata(self, pipeline: Any) -> dict[str, object]:
        """What every picture that a pipeline draws carries with it."""
        return {
            "toile": __version__,
            "model": self.model,
            "steps": pipeline.check_steps(self.steps),
            "guidance": self.guidance,
            "seed": self.seed,
            "size": list(self.canvas(pipeline)),
            "dtype": self.dtype,
        }


OwnModelOptions = Annotated[ModelOptions, tyro.conf.arg(name="model")]
"""The options as a command's field: the name is a heading of its help."""


IGR_OPTIONS = ModelOptions(guidance=IGR_DRAWING.guidance)
"""What IGR draws with when it is told nothing else."""
TWGTM_OPTIONS = ModelOptions(guidance=TWGTM_DRAWING.guidance)
"""What TWGTM draws with when it is told nothing else."""
ANYDRESSING_OPTIONS = ModelOptions(guidance=ANYDRESSING_DRAWING.guidance)
"""What AnyDressing draws with when it is told nothing else."""
