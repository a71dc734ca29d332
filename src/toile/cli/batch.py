"""`toile batch TASK LIST -o OUT`: a catalogue at a time."""

import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import tyro

from toile.catalogue.settings import CatalogueSettings
from toile.cli.automatic_masks import NONE, ParserOption, given_mask
from toile.cli.options import (
    ANYDRESSING_OPTIONS,
    IGR_OPTIONS,
    TWGTM_OPTIONS,
    CategoryOption,
    ModelOption,
    OwnModelOptions,
)
from toile.cli.wardrobe import WardrobeOption
from toile.errors import ToileError
from toile.tasks.masks import AUTO
from toile.tasks.models import Models, System
from toile.tasks.takeoff import parse_box

REASONS = 3
"""Kinds of failures that are told on the terminal, each by its first one; the page has all."""
MaskChoiceOption = Annotated[str, tyro.conf.arg(metavar="auto|none")]
MasksOption = Annotated[str, tyro.conf.arg(metavar="FOLDER|auto|none")]


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """How the work is divided, and what happens when it is taken up again."""

    batch: int = 1
    """Items that are drawn at once: as many as the GPU's memory allows; on a CPU 1 to 4."""
    workers: int = 1
    """Processes that draw, each with the model in its own memory; they share the processors, and take turns
    on several GPUs. One that dies is replaced."""
    threads: Annotated[int | None, tyro.conf.arg(metavar="N")] = None
    """Threads of each worker. Left out: the processors, divided by the workers."""
    engine: Literal["local", "ray"] = "local"
    """Where workers run: on this computer, or on a Ray cluster (pip install 'toile[cluster]') whose nodes all
    see LIST, its pictures and OUT under the same names."""
    address: Annotated[str | None, tyro.conf.arg(metavar="auto|HOST:PORT")] = None
    """The Ray cluster, with --engine ray; auto is the one that this computer belongs to. Left out: Ray is
    started here for this run."""
    timeout: Annotated[float | None, tyro.conf.arg(metavar="SECONDS")] = None
    """A worker that takes longer for a block (--batch items; with --shards, a shard) is replaced. Left out:
    it may take any time."""
    shards: bool = False
    """Write WebDataset shards (shard-00000000.tar, ...) instead of a folder of PNGs."""
    shard_size: int = 100
    """Items of one shard, which is written when all of them are drawn: stopping before loses these."""
    retry_failed: bool = False
    """Do those items again that failed in an earlier run."""


OwnRunOptions = Annotated[RunOptions, tyro.conf.arg(name="run")]


@dataclass(frozen=True, kw_only=True)
class BatchOptions:
    """What every task does a catalogue with."""

    task: ClassVar[str]
    """The task's name."""
    system: ClassVar[System]
    """What draws the results."""

    items: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="LIST")]
    """A .csv or .jsonl file, WebDataset shards (a folder of them, or 'in-{000..012}.tar'); for restore and
    takeoff also a folder of pictures."""
    output: Annotated[Path, tyro.conf.arg(aliases=["-o"], metavar="OUT")]
    """A folder: pictures, manifest.jsonl with a line an item, report.html. A run that was stopped goes on
    when the same command is given again."""
    run_options: OwnRunOptions = field(default_factory=RunOptions)
    """How the work is divided, and what happens when it is taken up again."""
    options: OwnModelOptions
    """Which model draws, how, and on what."""

    def run(self) -> int:
        """Do the list, say what came of it, and return the exit code."""
        from toile.catalogue.lists import open_list
        from toile.catalogue.run import run_catalogue

        self.check()
        masks = given_mask(getattr(self, "masks", AUTO))
        items = open_list(self.items, self.task, masks=masks)
        summary = run_catalogue(self.task, items, self.output, self.settings())
        print(summary.report)
        print(f"{summary.done} of {summary.items} done, {summary.failed} failed", file=sys.stderr)
        for kind in list(summary.failures)[:REASONS]:
            print(f"  {kind.count} × {kind.rows[0]['error']}", file=sys.stderr)
        return summary.exit_code

    def defaults(self) -> dict[str, object]:
        """The task's own settings, by the names of a list's columns."""
        raise NotImplementedError

    def models(self) -> Models:
        """What draws."""
        own = self.options
        named: dict[str, Any] = {self.system: own.model}
        return Models(device=own.device, dtype=own.dtype, **named)

    def check(self) -> None:
        """Refuse what no model can draw.

        Raises:
            ToileError: naming the setting.
        """
        category = self.defaults().get("category")
        self.options.check(None if category is None else str(category))

    def settings(self) -> CatalogueSettings:
        """All of it, as Python users write it."""
        own, model = self.run_options, self.options
        drawing = model.drawing
        return CatalogueSettings(
            models=self.models(),
            defaults={
                "seed": model.seed,
                "steps": drawing.steps,
                "guidance": drawing.guidance,
                "size": drawing.size,
            }
            | self.defaults(),
            sink="shards" if own.shards else "folder",
            batch=own.batch,
            shard_size=own.shard_size,
            workers=own.workers,
            engine=own.engine,
            address=own.address,
            threads=own.threads,
            timeout=own.timeout,
            retry_failed=own.retry_failed,
        )


@dataclass(frozen=True, kw_only=True)
class BatchRestore(BatchOptions):
    """Restore the flat garments of a list of photos, by IGR.

    Columns of a list: photo, and if wanted mask, category, seed, steps, guidance, size, name. A value in the
    list counts more than an option.

    Exit code: 0 when all items are done, 1 when some failed, 2 when nothing could be done, 130 after Ctrl-C.
    """

    task: ClassVar[str] = "restore"
    system: ClassVar[System] = "igr"
    masks: MasksOption = AUTO
    """White where the garment is, in a folder, named as the photos. auto finds them by the parser, none takes
    whole photos; a list says it in its column mask."""
    parser: ParserOption = "tiny"
    """What finds masks: the bundled parser, or a Segformer for clothes by folder or hub name."""
    category: CategoryOption = "upper"
    """What to restore."""
    options: OwnModelOptions = IGR_OPTIONS
    """Which model restores, how, and on what."""

    def defaults(self) -> dict[str, object]:
        """See `BatchOptions.defaults`."""
        return {"category": self.category, "mask": NONE if self.masks == NONE else AUTO}

    def models(self) -> Models:
        """See `BatchOptions.models`."""
        return replace(super().models(), parser=self.parser)


@dataclass(frozen=True, kw_only=True)
class BatchTakeOff(BatchOptions):
    """Take garments off the people of a list of photos, by TWGTM; no masks are needed.

    Columns of a list: photo, and if wanted category, box, silhouette, seed, steps, guidance, size, name. A
    value in the list counts more than an option.

    Exit code: 0 when all items are done, 1 when some failed, 2 when nothing could be done, 130 after Ctrl-C.
    """

    task: ClassVar[str] = "takeoff"
    system: ClassVar[System] = "twgtm"
    category: CategoryOption = "upper"
    """What to take off."""
    box: Annotated[str | None, tyro.conf.arg(metavar="X0,Y0,X1,Y1|predicted")] = None
    """Where in the results the garments shall lie, or where the model predicts that they will. Left out:
    anywhere."""
    silhouette: bool = False
    """Write the predicted silhouettes as well."""
    options: OwnModelOptions = TWGTM_OPTIONS
    """Which model takes off, how, and on what."""

    def defaults(self) -> dict[str, object]:
        """See `BatchOptions.defaults`."""
        return {"category": self.category, "box": parse_box(self.box), "silhouette": self.silhouette}


@dataclass(frozen=True, kw_only=True)
class BatchTryOn(BatchOptions):
    """Dress people in garments, a pair a line, by TWGTM.

    Columns of a list: person and garment, and if wanted mask, category, repaint, candidates, round_trip,
    seed, steps, guidance, size, name. A value in the list counts more than an option. Neighbours that share
    a garment encode it once.

    Exit code: 0 when all items are done, 1 when some failed, 2 when nothing could be done, 130 after Ctrl-C.
    """

    task: ClassVar[str] = "tryon"
    system: ClassVar[System] = "twgtm"
    mask: MaskChoiceOption = AUTO
    """Where photos are repainted, for lines that name no mask: auto finds it by the parser, none takes a box
    over the category's usual place."""
    parser: ParserOption = "tiny"
    """What finds masks: the bundled parser, or a Segformer for clothes by folder or hub name."""
    category: CategoryOption = "upper"
    """What kind of garments they are."""
    repaint: bool = True
    """Keep the photos' own pixels outside of the masks, but for a soft edge."""
    candidates: int = 1
    """Try on with so many seeds, take the garment off each result again, and keep the one that gives it back
    best."""
    options: OwnModelOptions = TWGTM_OPTIONS
    """Which model tries on, how, and on what."""

    def defaults(self) -> dict[str, object]:
        """See `BatchOptions.defaults`."""
        return {
            "category": self.category,
            "mask": _line_mask(self.mask),
            "repaint": self.repaint,
            "candidates": self.candidates,
        }

    def models(self) -> Models:
        """See `BatchOptions.models`."""
        return replace(super().models(), parser=self.parser)


@dataclass(frozen=True, kw_only=True)
class BatchSwap(BatchOptions):
    """Put the garments that some people wear onto others, a pair a line.

    Columns of a list: wearer and target, and if wanted wearer_mask, target_mask, category, through, repaint,
    seed, steps, guidance, size, name. A value in the list counts more than an option.

    Exit code: 0 when all items are done, 1 when some failed, 2 when nothing could be done, 130 after Ctrl-C.
    """

    task: ClassVar[str] = "swap"
    system: ClassVar[System] = "twgtm"
    category: CategoryOption = "upper"
    """What kind of garments they are."""
    through: Annotated[str, tyro.conf.arg(metavar="{igr,twgtm}")] = "twgtm"
    """What restores garments: IGR, or the model that also tries on."""
    wearer_mask: MaskChoiceOption = AUTO
    """Where the wearers' garments are, for lines that do not say; read by IGR alone."""
    target_mask: MaskChoiceOption = AUTO
    """Where the targets are repainted, for lines that do not say."""
    parser: ParserOption = "tiny"
    """What finds masks: the bundled parser, or a Segformer for clothes by folder or hub name."""
    restorer: ModelOption = "tiny"
    """The model of IGR, with --through igr; it restores with its own usual guidance, and with its own usual
    steps unless --steps asks for others."""
    repaint: bool = True
    """Keep the targets' own pixels outside of the masks, but for a soft edge."""
    options: OwnModelOptions = TWGTM_OPTIONS
    """Which model tries on, how, and on what."""

    def defaults(self) -> dict[str, object]:
        """See `BatchOptions.defaults`."""
        return {
            "category": self.category,
            "through": self.through,
            "wearer_mask": _line_mask(self.wearer_mask),
            "target_mask": _line_mask(self.target_mask),
            "repaint": self.repaint,
        }

    def models(self) -> Models:
        """See `BatchOptions.models`."""
        return replace(super().models(), parser=self.parser, igr=self.restorer)


@dataclass(frozen=True, kw_only=True)
class BatchDress(BatchOptions):
    """Draw people who wear given garments, an outfit and a prompt a line, by AnyDressing.

    Columns of a list: any of upper, lower, dress, hat, garments.KIND, and if wanted prompt, negative_prompt,
    scale, wear, seed, steps, guidance, size, name. A value in the list counts more than an option.

    Exit code: 0 when all items are done, 1 when some failed, 2 when nothing could be done, 130 after Ctrl-C.
    """

    task: ClassVar[str] = "dress"
    system: ClassVar[System] = "anydressing"
    prompt: str | None = None
    """Who wears them, where, in which pose, for lines that do not say."""
    negative_prompt: str = ""
    """What is not to be drawn."""
    scale: float = 0.7
    """How much the garments count: 0 leaves them away."""
    wear: Annotated[str | None, tyro.conf.arg(metavar="NAME")] = None
    """An outfit that `toile wardrobe add` keeps, for lines that name none."""
    wardrobe: WardrobeOption = None
    """The folder of kept outfits. Left out: what TOILE_WARDROBE names, else one in the user's data folder."""
    options: OwnModelOptions = ANYDRESSING_OPTIONS
    """Which model draws, how, and on what."""

    def defaults(self) -> dict[str, object]:
        """See `BatchOptions.defaults`."""
        return {
            "prompt": self.prompt,
            "negative_prompt": self.negative_prompt,
            "scale": self.scale,
            "wear": self.wear,
        }

    def models(self) -> Models:
        """See `BatchOptions.models`."""
        return replace(super().models(), wardrobe=self.wardrobe)


@dataclass(frozen=True)
class Batch:
    """A catalogue at a time: a task with every line of a list, by many workers, taken up where it stopped.

    A folder of photos: toile batch restore photos/ -o flat/ --workers 2

    A CSV with the columns person and garment, on a GPU: toile batch tryon pairs.csv -o worn/ --batch 8

    Shards in, shards out, on a Ray cluster: toile batch takeoff 'in-{000..099}.tar' -o out/ --shards
    --engine ray --address auto --workers 16

    OUT/manifest.jsonl says of each item what became of it, OUT/report.html shows a sample and every failure.
    """

    command: (
        Annotated[BatchRestore, tyro.conf.subcommand("restore")]
        | Annotated[BatchTakeOff, tyro.conf.subcommand("takeoff")]
        | Annotated[BatchTryOn, tyro.conf.subcommand("tryon")]
        | Annotated[BatchSwap, tyro.conf.subcommand("swap")]
        | Annotated[BatchDress, tyro.conf.subcommand("dress")]
    )
    """What to do with each item."""

    def run(self) -> int:
        """Run the chosen task."""
        return self.command.run()


def _line_mask(mask: str) -> str:
    """What a line without a mask of its own gets.

    Raises:
        ToileError: when it is neither `auto` nor `none`.
    """
    if given_mask(mask) is not None:
        raise ToileError(f"mask is {mask!r}; write auto or none, and masks of single items into the list")
    return mask
