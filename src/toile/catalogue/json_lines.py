"""JSON lines as a list: one object a line."""

import json
from collections.abc import Iterator
from io import BufferedReader

from toile.catalogue.indexed_list import RECORD_LIMIT, IndexedList, Record, skip_mark
from toile.catalogue.rows import filled


class JsonLines(IndexedList):
    """A file of JSON lines. A line that is none spoils itself alone."""

    def _start(self, file: BufferedReader) -> tuple[int, int]:
        return skip_mark(file), 1

    def _records(self, file: BufferedReader, offset: int, line: int) -> Iterator[Record]:
        file.seek(offset)
        while text := file.readline(RECORD_LIMIT + 1):
            begin, length, first = offset, len(text), text
            while len(text) > RECORD_LIMIT and not text.endswith(b"\n"):  # too long: go on to its end
                text = file.readline(RECORD_LIMIT + 1)
                length += len(text)
            offset += length
            if length > RECORD_LIMIT:
                yield Record(begin, line, None, f"it is longer than {RECORD_LIMIT:,} bytes; shorten it")
            elif first.strip():
                yield _record(begin, line, first)
            line += 1


def _record(offset: int, line: int, text: bytes) -> Record:
    try:
        row = json.loads(text.decode("utf-8"))
    except UnicodeDecodeError:
        return Record(offset, line, None, "it is no UTF-8 text; save the list in UTF-8")
    except (ValueError, RecursionError) as error:
        return Record(offset, line, None, f"it is no JSON ({error}); correct it")
    if not isinstance(row, dict):
        return Record(offset, line, None, f"it is no JSON object but {type(row).__name__}; write one a line")
    return Record(offset, line, json_row(row))


def json_row(row: dict[str, object]) -> dict[str, object]:
    """The values of a JSON object by column; those of `garments` count as columns of their own."""
    garments = row.get("garments")
    if isinstance(garments, dict):
        row = {key: value for key, value in row.items() if key != "garments"}
        row |= {f"garments.{kind}": value for kind, value in garments.items()}
    return dict(filled(row))
