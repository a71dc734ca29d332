"""`toile data review`: look through a curation on a local web page, and decide by hand."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from toile.errors import ToileError

if TYPE_CHECKING:
    from toile.data.review import ReviewServer


@dataclass(frozen=True, kw_only=True)
class Review:
    """Look through a curation on a web page on this computer, and keep or drop pairs by hand.

    Keys: K keep, D drop, S skip, U undo, arrows move, M shows what was measured. Each decision is on the disk
    at once, beside the curation; the fine stage of IGR takes it from there. Stop with Ctrl-C, go on any time.
    """

    curation: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="CURATION")]
    """What `toile data curate` wrote."""
    decisions: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None
    """Where decisions are kept. Left out: beside the curation, where training looks for them."""
    source: Annotated[str | None, tyro.conf.arg(metavar="SOURCE")] = None
    """The dataset, if it has been moved since."""
    port: int = 0
    """Port of the page; 0 takes a free one."""
    browser: bool = True
    """Whether to open the page in a browser."""

    def run(self) -> int:
        """Serve the page until Ctrl-C, and say how many decisions there are."""
        server = open_review(self.curation, decisions=self.decisions, source=self.source, port=self.port)
        server.serve_until_interrupted(browser=self.browser)
        made = server.review.decisions
        print(f"{len(made.made)} pairs decided, in {made.path}", file=sys.stderr)
        return 0


def open_review(
    curation: Path, *, decisions: Path | None = None, source: str | None = None, port: int = 0
) -> "ReviewServer":
    """Open the page of a curation; the arguments are those of `Review`.

    Returns:
        A server that listens already; its `serve_forever()` answers, its `url` is the page's.

    Raises:
        ToileError: when the curation, its dataset, the decisions or the port cannot be used.
    """
    from toile.data.review import Review as Reviewed
    from toile.data.review import ReviewServer

    if not 0 <= port <= 65535:
        raise ToileError(f"port is {port}; it must lie between 0 and 65535")
    return ReviewServer(Reviewed(curation, decisions=decisions, source=source), port)
