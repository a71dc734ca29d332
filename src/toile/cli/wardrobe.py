"""`toile wardrobe`: outfits that are encoded once and kept, for `toile dress --wear NAME`."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro
from PIL import Image

from toile import __version__
from toile.cli.garment_files import GarmentFiles, OwnGarmentFiles
from toile.cli.jobs import output_paths
from toile.cli.options import ModelOption
from toile.cli.positional import several
from toile.errors import ToileError
from toile.tasks.models import check_dtype, found_device, quieten_libraries

if TYPE_CHECKING:
    from toile.anydressing.dressing import AnyDressing
    from toile.wardrobe import GarmentFeatures
    from toile.wardrobe_file import Outfit
    from toile.wardrobe_store import WardrobeStore

WardrobeOption = Annotated[Path | None, tyro.conf.arg(metavar="DIR")]


@dataclass(frozen=True, kw_only=True)
class WardrobeAdd:
    """Encode garments once and keep them as an outfit, which `toile dress --wear NAME` puts on.

    What is kept fits the weights that made it and no others. Small copies of the pictures are kept with it.
    """

    name: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="NAME")]
    """What to call the outfit."""
    garments: OwnGarmentFiles = field(default_factory=GarmentFiles)
    """Pictures of the garments, flat or cut out of a photo."""
    replace: bool = False
    """Take the place of an outfit of that name."""
    model: ModelOption = "tiny"
    """The bundled model, a folder in diffusers layout, or a hub name."""
    device: str = "auto"
    """cpu, cuda, cuda:1, mps; auto takes a GPU where there is one."""
    dtype: Annotated[str, tyro.conf.arg(metavar="{float32,float16,bfloat16}")] = "float32"
    """Kind of number to compute with, and to keep."""
    wardrobe: WardrobeOption = None
    """The wardrobe's folder. Left out: what TOILE_WARDROBE names, else one in the user's data folder."""

    def run(self) -> int:
        """Add the outfit, and print its file."""
        add_outfit(
            self.name,
            self.garments.by_kind(),
            replace=self.replace,
            model=self.model,
            device=self.device,
            dtype=self.dtype,
            wardrobe=self.wardrobe,
        )
        print(open_wardrobe(self.wardrobe).path(self.name))
        return 0


@dataclass(frozen=True, kw_only=True)
class WardrobeList:
    """List the outfits: name, kinds, what made them, when, and the size of the file.

    Exit code: 0, or 1 when a file is damaged, which is said; all others are listed.
    """

    wardrobe: WardrobeOption = None
    """The wardrobe's folder, as for `add`."""

    def run(self) -> int:
        """Print a line for each outfit."""
        store = open_wardrobe(self.wardrobe)
        names = store.names()
        if not names:
            print(f"note: {store.folder} is empty; add an outfit with `toile wardrobe add`", file=sys.stderr)
        outfits = each(names, store.describe)
        for line in columns([_row(outfit) for outfit in outfits]):
            print(line)
        return 0 if len(outfits) == len(names) else 1


@dataclass(frozen=True, kw_only=True)
class WardrobeShow:
    """Draw a contact sheet of outfits: small pictures of their garments.

    Exit code: 0, or 1 when some cannot be shown, which is said, or 2 when none can.
    """

    names: Annotated[tuple[str, ...], tyro.conf.Positional, tyro.conf.arg(metavar="[NAME...]")] = ()
    """Which ones. Left out: all."""
    output: Annotated[Path | None, tyro.conf.arg(aliases=["-o"], metavar="OUT")] = None
    """A .png file or a folder. Left out: wardrobe.png in the working directory."""
    wardrobe: WardrobeOption = None
    """The wardrobe's folder, as for `add`."""

    def run(self) -> int:
        """Write the sheet, and print its path."""
        from toile.images import save_png

        store, (path,) = open_wardrobe(self.wardrobe), output_paths(["wardrobe.png"], self.output)
        names = self.names or store.names()
        shown = [outfit.name for outfit in each(names, store.describe)]
        if names and not shown:
            return 2
        save_png(store.sheet(shown), path, {"toile": __version__, "outfits": shown})
        print(path)
        return 0 if len(shown) == len(names) else 1


@dataclass(frozen=True, kw_only=True)
class WardrobeRemove:
    """Remove outfits, damaged ones as well.

    Exit code: 0, or 1 when some cannot be removed, which is said, or 2 when none can.
    """

    names: Annotated[tuple[str, ...], tyro.conf.Positional, several("NAME")]
    """Which ones."""
    wardrobe: WardrobeOption = None
    """The wardrobe's folder, as for `add`."""

    def run(self) -> int:
        """Remove them, and print the names of those that are gone."""
        store = open_wardrobe(self.wardrobe)

        def remove(name: str) -> str:
            store.remove(name)
            return name

        removed = each(self.names, remove)
        for name in removed:
            print(name)
        return 0 if len(removed) == len(self.names) else 1 if removed else 2


@dataclass(frozen=True)
class Wardrobe:
    """Outfits that are encoded once and kept: add, list, show and remove them."""

    command: (
        Annotated[WardrobeAdd, tyro.conf.subcommand("add")]
        | Annotated[WardrobeList, tyro.conf.subcommand("list")]
        | Annotated[WardrobeShow, tyro.conf.subcommand("show")]
        | Annotated[WardrobeRemove, tyro.conf.subcommand("remove")]
    )
    """What to do."""

    def run(self) -> int:
        """Run the chosen command."""
        return self.command.run()


def open_wardrobe(folder: Path | None) -> "WardrobeStore":
    """The wardrobe in a folder; None is the user's own."""
    from toile.wardrobe_store import WardrobeStore

    return WardrobeStore() if folder is None else WardrobeStore(folder)


def add_outfit(
    name: str,
    garments: Mapping[str, Sequence[Path]],
    *,
    replace: bool = False,
    model: str = "tiny",
    device: str = "auto",
    dtype: str = "float32",
    wardrobe: Path | None = None,
) -> "Outfit":
    """Encode garments in one pass and keep them as an outfit; the arguments are those of `WardrobeAdd`.

    Args:
        name: of the outfit.
        garments: the pictures of each kind.
        replace: take the place of an outfit of that name.
        model: what encodes them.
        device: to compute on.
        dtype: to compute with, and to keep.
        wardrobe: the folder; None is the user's own.

    Raises:
        ToileError: when the name is none or taken, a picture or the model cannot be used, or the model does
            not know a kind; the wardrobe is unchanged then.
    """
    from toile.images import load_photo

    if not garments:
        raise ToileError(
            "an outfit needs a garment; give --upper, --lower, --dress, --hat, or --garment KIND=PICTURE"
        )
    store = open_wardrobe(wardrobe)
    store.check_new(name, replace=replace)
    loaded = {kind: [load_photo(path) for path in paths] for kind, paths in garments.items()}
    dressing = load_dressing(model, device, dtype)
    return store.add(
        name,
        encode_outfit(dressing, loaded),
        pictures=[picture for pictures in loaded.values() for picture in pictures],
        weights=dressing.weights_hash(),
        system="anydressing",
        model=model,
        replace=replace,
    )


def encode_outfit(
    dressing: "AnyDressing", garments: Mapping[str, Sequence[Image.Image]]
) -> "GarmentFeatures":
    """Encode what one person wears, in one pass.

    Raises:
        ToileError: when the model does not know a kind, or there is not enough memory.
    """
    import torch

    from toile.anydressing.outfits import Outfits

    outfits = Outfits.of(garments)
    try:
        return dressing.encode(outfits)
    except torch.OutOfMemoryError as error:
        raise ToileError(
            f"there is not enough memory for {len(outfits.pictures)} garments; write --dtype float16 or "
            "--device cpu"
        ) from error


def load_dressing(model: str, device: str, dtype: str) -> "AnyDressing":
    """Load what encodes garments, quietly, onto the device.

    Raises:
        ToileError: when the model, the device or the kind of number is not there.
    """
    import torch

    check_dtype(dtype)
    quieten_libraries()
    from toile.anydressing.dressing import AnyDressing

    place = found_device(device)
    return AnyDressing.from_pretrained(model, dtype=getattr(torch, dtype), device=place)


def each(names: Sequence[str], use: Callable[[str], Any]) -> list[Any]:
    """What `use` gives for each name; what cannot be done is reported, one line on stderr, and left out."""
    results = []
    for name in names:
        try:
            results.append(use(name))
        except ToileError as error:
            print(f"toile: {' '.join(str(error).split())}", file=sys.stderr)
    return results


def columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines whose columns are aligned."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]


def _row(outfit: "Outfit") -> tuple[str, ...]:
    kinds, size = "+".join(outfit.categories), f"{outfit.size / 1e6:.2f} MB"
    return outfit.name, kinds, outfit.made_by, outfit.weights[:12], outfit.added[:10], size
