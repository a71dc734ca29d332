"""The code blocks of the documentation, and the marks that say what the tests do with each.

A mark is an HTML comment on the line before a block, so that readers never see it:

    <!-- run -->                            its lines are run as they stand
    <!-- run; with --steps 1 -->            ... with these options behind every command that draws or trains
    <!-- run; "range(1)" for "range(4)" --> ... with the first text in the place of the second
    <!-- run; but for pip -->               ... without the lines that begin with this word
    <!-- not run: needs a GPU -->           they are not run, for this reason; they are still parsed

The blocks of one page are run in their order and in one folder, as a reader would.
"""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
COMMANDS, CODE = ("bash", "console", ""), ("python",)
"""What may be run. Every other language is text to look at: a layout of folders, a file's content."""
FENCE = re.compile(
    r"^(?:<!-- (?P<mark>(?:not )?run\b.*?) -->\n\n?)?^```(?P<language>\w*)[^\n]*\n(?P<text>.*?)^```$",
    flags=re.MULTILINE | re.DOTALL,
)
INSTEAD = re.compile(r'"(.*)" for "(.+)"')
VARIABLES = re.compile(r"^(\w+=(\$\([^)]*\)|\"[^\"]*\"|\S*)\s+)+")
"""Variables that are set for one command, before it."""
TAKES_OPTIONS = ("restore", "tryon", "takeoff", "swap", "dress", "train", "demo", "benchmark", "batch")
"""The subcommands of `toile` that get the options of a mark."""
ALL_OF_A_PAGE = {
    "docs/benchmark.md": "each takes hours, and writes the table below it",
    "CONTRIBUTING.md": "they make the environment that the tests run in",
}
"""Pages none of whose blocks is run, and why: they need no marks."""


@dataclass(frozen=True, kw_only=True)
class Block:
    """One fenced block of a page."""

    page: Path
    """The file that it stands in."""
    line: int
    """The line of its fence."""
    language: str
    """What stands behind the fence; may be empty."""
    text: str
    """What stands in it."""
    mark: str
    """The mark before it, or an empty text."""

    @property
    def place(self) -> str:
        """For messages: the page and the line."""
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    @property
    def is_run(self) -> bool:
        """Whether its mark says that it is run."""
        return re.fullmatch(r"run(;.*)?", self.mark) is not None

    @property
    def clauses(self) -> list[str]:
        """What the mark says behind `run`."""
        clauses = [clause.strip() for clause in self.mark.split(";")[1:]] if self.is_run else []
        for clause in clauses:
            known = clause.startswith(("with ", "but for ")) or INSTEAD.fullmatch(clause)
            assert known, f"{self.place}: a mark cannot say {clause!r}"
        return clauses

    def changed(self) -> str:
        """Its text, with what the mark exchanges."""
        text = self.text
        for clause in self.clauses:
            if exchange := INSTEAD.fullmatch(clause):
                new, old = exchange.groups()
                assert old in text, f"{self.place}: there is no {old!r}"
                text = text.replace(old, new)
        return text

    def commands(self) -> list[list[str]]:
        """The words of each command that is run, with the options that the mark adds."""
        options = [word for clause in self._after("with") for word in shlex.split(clause)]
        skipped = self._after("but for")
        rows = [row for row in command_lines(self.changed()) if row[0] not in skipped]
        return [[*row, *options] if row[0] == "toile" and row[1] in TAKES_OPTIONS else row for row in rows]

    def _after(self, word: str) -> list[str]:
        return [clause.removeprefix(word).strip() for clause in self.clauses if clause.startswith(f"{word} ")]


def command_lines(text: str) -> list[list[str]]:
    """The words of each command of a shell block.

    Comments and variables before a command go, a prompt goes, and lines that end with a backslash go on.
    """
    lines = [VARIABLES.sub("", line.removeprefix("$ ")) for line in text.replace("\\\n", " ").splitlines()]
    rows = [shlex.split(line, comments=True) for line in lines]
    return [row for row in rows if row]


def blocks(page: Path) -> list[Block]:
    """The blocks of a page that hold commands or code."""
    text = page.read_text(encoding="utf-8")
    reason = ALL_OF_A_PAGE.get(str(page.relative_to(ROOT)))
    found = [
        Block(
            page=page,
            line=text.count("\n", 0, match.start("text")),
            language=match["language"],
            text=match["text"],
            mark=match["mark"] or (f"not run: {reason}" if reason else ""),
        )
        for match in FENCE.finditer(text)
    ]
    return [block for block in found if block.language in (*COMMANDS, *CODE)]
