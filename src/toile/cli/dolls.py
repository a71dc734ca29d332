"""`toile dolls make` writes a dataset of Paper Dolls; `toile dolls show` draws a contact sheet."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from toile.dolls.doll import Category, Mode
from toile.dolls.draw import draw_doll
from toile.dolls.layouts import Layout, Split
from toile.dolls.sheet import contact_sheet, save_sheet
from toile.dolls.writers import DatasetSettings, write_dataset
from toile.errors import ToileError
from toile.tasks.size import parse_size


@dataclass(frozen=True, kw_only=True)
class DollsMake:
    """Writes a dataset of Paper Dolls in the layout of VITON-HD or of DressCode; goes on where it stopped."""

    out: Annotated[Path, tyro.conf.Positional]
    """Folder to write into."""
    count: int
    """How many dolls."""
    first_seed: int = 0
    """Seed of the first doll. Seeds below 10,000,000 are for training."""
    layout: Layout = "viton-hd"
    """Folders and names: VITON-HD holds upper garments only, DressCode all three categories."""
    split: Split = "train"
    """The split that the dolls go into."""
    size: str = "1024x768"
    """HEIGHTxWIDTH of every picture."""
    mode: Mode = "studio"
    """Plain studio, or a street with clutter, harder poses and more occlusion."""
    workers: int = 1
    """Processes that draw."""

    def run(self) -> None:
        """Writes the dataset."""
        settings = DatasetSettings(
            out=self.out,
            count=self.count,
            first_seed=self.first_seed,
            layout=self.layout,
            split=self.split,
            size=parse_size(self.size),
            mode=self.mode,
            workers=self.workers,
        )
        drawn = write_dataset(settings)
        print(f"{self.out}: {drawn} dolls drawn, {self.count - drawn} were there already")


@dataclass(frozen=True, kw_only=True)
class DollsShow:
    """Draws a contact sheet of Paper Dolls: photo, agnostic mask, flat garment, caption."""

    output: Annotated[Path, tyro.conf.arg(aliases=["-o"])] = Path("dolls.png")
    """Picture file to write."""
    first_seed: int = 0
    """Seed of the first doll."""
    count: int = 12
    """How many dolls."""
    mode: Mode = "studio"
    """Plain studio, or a street."""
    category: Category | None = None
    """Category of the garments; by default each seed's own."""
    size: str = "256x192"
    """HEIGHTxWIDTH of each picture on the sheet."""

    def run(self) -> None:
        """Draws the sheet and writes it."""
        if not 1 <= self.count <= 400:
            raise ToileError(f"a sheet shows 1 to 400 dolls, not {self.count}")
        size = parse_size(self.size)
        seeds = range(self.first_seed, self.first_seed + self.count)
        save_sheet(
            contact_sheet([draw_doll(seed, size, self.mode, self.category) for seed in seeds]), self.output
        )
        print(self.output)


@dataclass(frozen=True)
class Dolls:
    """Paper Dolls: draw pictures of people in clothes, with exact ground truth."""

    command: (
        Annotated[DollsMake, tyro.conf.subcommand("make")]
        | Annotated[DollsShow, tyro.conf.subcommand("show")]
    )
    """What to do with them."""

    def run(self) -> int | None:
        """Run the chosen command."""
        return self.command.run()
