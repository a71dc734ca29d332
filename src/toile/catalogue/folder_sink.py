"""A folder of PNGs, called as the items are."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from toile.catalogue.encoding import encoded
from toile.catalogue.item import Item
from toile.catalogue.whole_block import write_whole_block
from toile.tasks.result import Result

PICTURES = "pictures"
"""Where the results themselves lie; what else there is lies in a folder of its kind, as `silhouette`."""
FLAT_LIMIT = 10_000
"""Of a longer list, pictures lie in sub-folders."""
TOGETHER = 1_000
"""So many of them in each."""


@dataclass(frozen=True, kw_only=True)
class FolderSink:
    """Writes `pictures/NAME.png`, and of a long list `pictures/00012/NAME.png`."""

    folder: Path
    """Of the output."""
    items: int = 0
    """How many the whole list has."""

    def write(self, block: int, results: Sequence[tuple[Item, Result]]) -> list[str]:
        """See `Sink.write`."""
        files: dict[str, bytes] = {}
        places: list[str] = []
        for item, result in results:
            (_, main), *others = encoded(result).items()
            places.append(self._place(item, PICTURES))
            files[places[-1]] = main
            files |= {self._place(item, role): content for role, content in others}
        write_whole_block(self.folder, block, files)
        return places

    def _place(self, item: Item, kind: str) -> str:
        part = f"{item.number // TOGETHER:05d}/" if self.items > FLAT_LIMIT else ""
        return f"{kind}/{part}{item.name}.png"
