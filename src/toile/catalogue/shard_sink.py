"""WebDataset shards of results: one of them for each block."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from webdataset import TarWriter

from toile.catalogue.encoding import encoded
from toile.catalogue.item import Item
from toile.catalogue.whole_block import write_whole_block
from toile.tasks.result import Result


@dataclass(frozen=True, kw_only=True)
class ShardSink:
    """Writes `shard-BLOCK.tar`: of each item its pictures as `NUMBER.KIND.png`, and `NUMBER.json`.

    The number is the item's position in the list: a key of WebDataset ends at the first dot, and a name may
    have one. The JSON says the name, and all that the PNG says.
    """

    folder: Path
    """Of the output."""

    def write(self, block: int, results: Sequence[tuple[Item, Result]]) -> list[str]:
        """See `Sink.write`."""
        shard, content, places = f"shard-{block:08d}.tar", BytesIO(), []
        with TarWriter(content, encoder=False, mtime=0) as writer:
            for item, result in results:
                key, pictures = f"{item.number:09d}", encoded(result)
                said = {"name": item.name, **result.metadata}
                writer.write(
                    {"__key__": key, "json": json.dumps(said).encode()}
                    | {f"{role}.png": picture for role, picture in pictures.items()}
                )
                places.append(f"{shard}#{key}.{next(iter(pictures))}.png")
        write_whole_block(self.folder, block, {shard: content.getvalue()} if results else {})
        return places
