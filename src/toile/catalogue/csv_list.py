"""A CSV file as a list: its first row names the columns."""

import csv
from collections.abc import Iterator
from io import BufferedReader, TextIOWrapper

from toile.catalogue.indexed_list import RECORD_LIMIT, IndexedList, Record, skip_mark
from toile.catalogue.rows import filled
from toile.errors import ToileError

DELIMITERS = ",;\t"
"""What parts columns: whichever of these the first row has most of (spreadsheets write them all)."""


class CsvList(IndexedList):
    """A CSV file, with quotes and line ends as `csv` reads them, strictly.

    Its bytes are read as Latin-1 and each value is decoded from UTF-8 afterwards: so one character is one
    byte and places can be counted, and a value that is no UTF-8 spoils its own row alone. Nothing else
    changes, as the bytes of UTF-8's longer characters are never those of a quote, a comma or a line's end.
    """

    def _start(self, file: BufferedReader) -> tuple[int, int]:
        start = skip_mark(file)
        first = file.readline(RECORD_LIMIT).decode("latin-1").partition("\r")[0]
        self.delimiter = max(DELIMITERS, key=first.count)
        self.header: list[str] = []
        lines = _Lines(file, start, 1, str(self.path))
        for _, line, fields, error in _parsed(lines, self.delimiter):
            if error:
                raise ToileError(f"{self.path}, line {line}: {error}")
            self.header = self._header(fields)
            break
        lines.release()
        return lines.offset, lines.line

    def _header(self, fields: list[str]) -> list[str]:
        try:
            header = [_decoded(field).strip() for field in fields]
        except UnicodeDecodeError as error:
            raise ToileError(f"{self.path} is no UTF-8 text; save it as CSV in UTF-8") from error
        self.columns.check([name for name in header if name], f"{self.path}, line 1,")
        needed = next((name for name in self.columns.pictures if name not in header), None)
        if needed is not None:
            raise ToileError(
                f"{self.path} has no column {needed}; {self.columns.task} needs {self.columns.wanted()} "
                "in the first row"
            )
        return header

    def _records(self, file: BufferedReader, offset: int, line: int) -> Iterator[Record]:
        lines = _Lines(file, offset, line, str(self.path))
        try:
            for begin, first, fields, error in _parsed(lines, self.delimiter):
                yield Record(begin, first, None, error) if error else self._record_of(begin, first, fields)
        finally:
            lines.release()

    def _record_of(self, offset: int, line: int, fields: list[str]) -> Record:
        if len(fields) > len(self.header) and any(fields[len(self.header) :]):
            much = f"it has {len(fields)} values for {len(self.header)} columns; quote those with a comma"
            return Record(offset, line, None, much)
        try:
            named = zip(self.header, fields, strict=False)
            row = filled({name: _decoded(field) for name, field in named if name})
        except UnicodeDecodeError:
            return Record(offset, line, None, "it is no UTF-8 text; save the list as CSV in UTF-8")
        return Record(offset, line, row)


def _decoded(field: str) -> str:
    return field if field.isascii() else field.encode("latin-1").decode("utf-8")


def _parsed(lines: "_Lines", delimiter: str) -> Iterator[tuple[int, int, list[str], str]]:
    """The first byte, the first line and the fields of each row that has any, or what is wrong with it.

    Raises:
        ToileError: when a quote is never closed: nobody can say where the next row begins.
    """
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        begin, first = lines.begin_record()
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if lines.ended:
                raise lines.never_closed() from error
            yield begin, first, [], f"it is no CSV ({error}); correct its quotes"
            continue
        if any(fields):
            yield begin, first, fields, ""


class _Lines:
    """Gives a CSV reader its lines, and counts their bytes."""

    def __init__(self, file: BufferedReader, offset: int, line: int, name: str) -> None:
        file.seek(offset)
        self.text = TextIOWrapper(file, encoding="latin-1", newline="")
        self.offset, self.line, self.name = offset, line, name
        self.record = offset, line
        self.ended = False

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        text = self.text.readline(RECORD_LIMIT + 1)
        if not text:
            self.ended = True
            raise StopIteration
        self.offset += len(text)
        self.line += 1
        if self.offset - self.record[0] > RECORD_LIMIT:
            raise self.never_closed()
        return text

    def begin_record(self) -> tuple[int, int]:
        """Where the next row begins: its first byte, and its line."""
        self.record = self.offset, self.line
        return self.record

    def never_closed(self) -> ToileError:
        """What is wrong when a row does not end."""
        return ToileError(
            f"{self.name}, line {self.record[1]}, begins a row that does not end within the file, or "
            f"{RECORD_LIMIT:,} bytes; close its quote"
        )

    def release(self) -> None:
        """Leave the file open."""
        self.text.detach()
