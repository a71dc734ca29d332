"""A web page on this computer alone, on which a person looks through a curation and decides, pair by pair.

Only what this file names can be asked for: the page, the list of pairs, their pictures by number, and
decisions. No path of a request is ever a path of a file.
"""

import re
import threading
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from toile.data.curation_file import Curation, decisions_path, read_curation
from toile.data.hardness_measures import REASONS, PairView, Unmeasured
from toile.data.open import open_pairs
from toile.data.record import GarmentPair
from toile.data.review_decisions import DECISIONS, Decisions, check_names
from toile.errors import ToileError
from toile.local_page import LocalRequest, LocalServer

LARGEST_SIDE = 1024
"""Larger pictures are sent at this size."""
SEEN, HIDDEN = (46, 160, 67), (214, 40, 57)
"""Colours that show where the garment was seen, and where something hides it; RGB."""


class Review:
    """A curation under review: its pairs, their pictures, and what was decided.

    Raises:
        ToileError: when the curation, its dataset or the file of decisions cannot be used, or they do not
            belong together.
    """

    def __init__(self, curation: Path, *, decisions: Path | None = None, source: str | None = None) -> None:
        """Open everything; by default `decisions` lies beside the curation, `source` is its own."""
        self.curation: Curation = read_curation(curation)
        self.rows = self.curation.rows
        check_names(self.rows)
        settings = self.curation.settings
        self.pairs = open_pairs(source or settings.source, split=settings.split)
        _check_same(self.curation, self.pairs[0], len(self.pairs))
        self.decisions = Decisions(decisions or decisions_path(curation))
        self.places = {row.key: place for place, row in enumerate(self.rows)}
        self.lock = threading.Lock()

    def listing(self) -> dict[str, Any]:
        """All that the page shows but the pictures."""
        settings = self.curation.settings
        return {
            "source": settings.source,
            "reasons": REASONS,
            "thresholds": {name: getattr(settings.thresholds, name) for name in REASONS},
            "pairs": [
                {
                    "identifier": row.identifier,
                    "category": row.category,
                    "scores": [row.scores[name] for name in REASONS],
                    "reasons": sorted(row.reasons),
                    "unknown": dict(row.unknown),
                    "hard_case": row.hard_case,
                    "quality": row.quality,
                    "keep": row.keep,
                    "decision": self.decisions.made.get(row.key),
                }
                for row in self.rows
            ],
        }

    def decide(self, request: dict[str, Any]) -> dict[str, Any]:
        """Do what the page asks for: decide about a pair, or take the last decision back.

        Returns:
            The pair's number and what is decided about it now.

        Raises:
            ToileError: when the request is neither.
        """
        with self.lock:
            if request.get("undo") is True:
                key = self.decisions.undo()
                if key is None or key not in self.places:
                    return {"index": None, "decision": None}
                return {"index": self.places[key], "decision": self.decisions.made.get(key)}
            index, decision = request.get("index"), request.get("decision")
            if type(index) is not int or not 0 <= index < len(self.rows) or decision not in DECISIONS:
                raise ToileError(f"{request!r} is no decision about a pair")
            self.decisions.decide(self.rows[index].key, decision)
            return {"index": index, "decision": decision}

    def picture(self, index: int, kind: str) -> bytes:
        """A pair's picture as JPEG: `person`, `garment`, or `measured` (the photo, and what was seen in it).

        Raises:
            ToileError: when it cannot be read.
        """
        pair = self.pairs[self.rows[index].index]
        picture = PICTURES[kind](pair)
        picture.thumbnail((LARGEST_SIDE, LARGEST_SIDE))
        packed = BytesIO()
        picture.save(packed, "JPEG", quality=92)
        return packed.getvalue()


def _check_same(curation: Curation, first: GarmentPair, count: int) -> None:
    rows = curation.rows
    if not rows or len(rows) != count or rows[0].identifier != first.identifier:
        raise ToileError(
            f"the curation is of {len(rows)} pairs, the dataset {curation.settings.source!r} has {count} and "
            f"begins with {first.identifier!r}; curate it anew, or name the dataset that belongs to it"
        )


def measured_picture(pair: GarmentPair) -> Image.Image:
    """The photo, tinted where the garment was seen and where something hides it, as far as that is known."""
    view = PairView(pair)
    try:
        photo = view.photo // 2
    except Unmeasured:
        return pair.person
    light = view.photo - photo
    for name, colour in (("worn", SEEN), ("hidden", HIDDEN)):
        with suppress(Unmeasured):
            light[getattr(view, name)] = np.array(colour, np.uint8) // 2
    return Image.fromarray(photo + light)


PICTURES: dict[str, Callable[[GarmentPair], Image.Image]] = {
    "person": lambda pair: pair.person,
    "garment": lambda pair: pair.garment,
    "measured": measured_picture,
}
"""The pictures of a pair that the page may ask for."""
PICTURE_PATH = re.compile(rf"/picture/(0|[1-9][0-9]{{0,8}})/({'|'.join(PICTURES)})")


class ReviewServer(LocalServer):
    """Serves one review on this computer; `url` says where.

    Raises:
        ToileError: when the port is not free.
    """

    def __init__(self, review: Review, port: int = 0) -> None:
        """Take the port; 0 takes any that is free."""
        self.review = review
        super().__init__(ReviewRequest, port)


class ReviewRequest(LocalRequest):
    """Answers with the page, the list of pairs, a picture, or what was decided."""

    server: ReviewServer
    post_path = "/decisions"

    def answer_get(self) -> None:
        """The page, the list of pairs, or a picture."""
        if self.path == "/":
            self.send_page("toile.data", "review_page.html")
        elif self.path == "/pairs":
            self.send_json(200, self.server.review.listing())
        elif found := PICTURE_PATH.fullmatch(self.path):
            self._picture(int(found[1]), found[2])
        else:
            self.send_nothing()

    def answer_post(self, request: dict[str, Any]) -> dict[str, Any]:
        """A decision."""
        return self.server.review.decide(request)

    def _picture(self, index: int, kind: str) -> None:
        if index >= len(self.server.review.rows):
            self.send_json(404, {"error": "there is no such pair"})
            return
        try:
            packed = self.server.review.picture(index, kind)
        except ToileError as error:
            self.send_json(500, {"error": str(error)})
        else:
            self.send_picture("image/jpeg", packed)
