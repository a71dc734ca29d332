"""Paper Dolls who are to wear the garments of others."""

from dataclasses import dataclass, replace

from PIL import Image

from toile.data.doll_pairs import DollPairs, DollsMode
from toile.data.pose import Pose
from toile.data.record import GarmentPair, Pictures
from toile.evaluation.try_on import others_garments


def exchanged_dolls(seeds: range, mode: DollsMode, size: tuple[int, int], seed: int) -> list[GarmentPair]:
    """Each doll with another's garment of its category, as pairs; the seed says whose.

    Raises:
        ToileError: when a doll is the only one of its category.
    """
    dolls = DollPairs(seeds.start, len(seeds), mode=mode, size=size)
    return [
        replace(
            fitting.wearer,
            identifier=f"{fitting.wearer.source.removeprefix('dolls:')}-{fitting.wearer.identifier}",
            garment_identifier=fitting.garment.identifier,
            garment_caption=fitting.garment.garment_caption,
            paired=False,
            pictures=ExchangedPictures(wearer=fitting.wearer.pictures, garment_of=fitting.garment.pictures),
        )
        for fitting in others_garments(dolls, seed)
    ]


@dataclass(frozen=True, kw_only=True)
class ExchangedPictures:
    """A person of one pair and the garment of another."""

    wearer: Pictures
    """Gives the photo, its mask, its parse map and its joints."""
    garment_of: Pictures
    """Gives the flat garment and its silhouette."""

    def person(self) -> Image.Image:
        """The photo, RGB."""
        return self.wearer.person()

    def garment(self) -> Image.Image:
        """The other's flat garment, RGB."""
        return self.garment_of.garment()

    def mask(self) -> Image.Image:
        """The photo's agnostic mask."""
        return self.wearer.mask()

    def silhouette(self) -> Image.Image:
        """The other garment's silhouette."""
        return self.garment_of.silhouette()

    def parse(self) -> Image.Image | None:
        """The photo's parse map."""
        return self.wearer.parse()

    def pose(self) -> Pose | None:
        """The person's joints."""
        return self.wearer.pose()
