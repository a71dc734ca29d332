"""`toile data triplets`: outfits of several garments from pairs of one, as AnyDressing trains on."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from toile.tasks.models import found_device
from toile.tasks.size import parse_size

if TYPE_CHECKING:
    from toile.data.triplet_folder import TripletCount

NO_PARSER = "none"


@dataclass(frozen=True, kw_only=True)
class MakeTriplets:
    """Make triplets: a photo, its in-shop garment, and the other garments, cut out by the photo's parse map.

    Pairs that make none are counted by reason. A run that was stopped goes on where it was.
    """

    data: Annotated[str, tyro.conf.Positional]
    """The dataset: a folder in any layout, a CSV or JSON-lines list, dolls:FIRST:COUNT, a mixture."""
    output: Annotated[Path, tyro.conf.arg(aliases=["-o"], metavar="OUT")]
    """Folder to write into."""
    split: Literal["train", "test"] = "train"
    """Which split to read."""
    size: Annotated[str | None, tyro.conf.arg(metavar="HxW")] = None
    """Fit and pad every picture to this size, as 1024x768. Left out: as they are."""
    hats: Literal["any", "only", "none"] = "any"
    """Cut out hats where there are any, take only photos with a hat, or leave hats alone."""
    parser: Annotated[str, tyro.conf.arg(metavar="none|tiny|PATH|NAME")] = NO_PARSER
    """What parses photos that come without a parse map: a Segformer for clothes; none leaves them out."""
    device: str = "auto"
    """Where the parser runs: cpu, cuda, cuda:1, mps; auto takes a GPU where there is one."""

    def run(self) -> int:
        """Write the triplets, and say what there is now."""
        count = make_triplets(
            self.data,
            self.output,
            split=self.split,
            size=None if self.size is None else parse_size(self.size),
            hats=self.hats,
            parser=self.parser,
            device=self.device,
        )
        left_out = ", ".join(f"{reason} {number}" for reason, number in sorted(count.skipped.items()))
        print(f"{self.output}: {count.triplets} triplets" + (f"; left out: {left_out}" if left_out else ""))
        return 0


def make_triplets(
    data: str,
    output: Path,
    *,
    split: str = "train",
    size: tuple[int, int] | None = None,
    hats: Literal["any", "only", "none"] = "any",
    parser: str = NO_PARSER,
    device: str = "auto",
) -> "TripletCount":
    """Write the triplets of a dataset; the arguments are those of `MakeTriplets`.

    Raises:
        ToileError: when the dataset or the parser cannot be opened, no pair makes a triplet, or the folder
            cannot be written or holds other triplets.
    """
    from toile.data.open import open_pairs
    from toile.data.parsing import Parser
    from toile.data.triplet_folder import write_triplets
    from toile.data.triplets import PairTriplets

    pairs = open_pairs(data, split=split, size=size)
    parses = None if parser == NO_PARSER else Parser.from_pretrained(parser, device=found_device(device))
    made_of = f"{data} {split} size={size} hats={hats} parser={parser}"
    return write_triplets(PairTriplets(pairs, parser=parses, hats=hats), output, source=made_of)
