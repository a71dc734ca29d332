"""A web page on this computer alone, on which a person looks through a curation and decides, pair by pair.

Only what this file names can be asked for: the page, the list of pairs, their pictures by number, and
decisions. No path of a request is ever a path of a file.
"""

import json
import re
import secrets
import threading
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
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

ADDRESS = "127.0.0.1"
LARGEST_SIDE = 1024
"""Larger pictures are sent at this size."""
LONGEST_REQUEST = 1000
"""Bytes of a decision, at most."""
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


class ReviewServer(ThreadingHTTPServer):
    """Serves one review on this computer; `url` says where.

    Raises:
        ToileError: when the port is not free.
    """

    daemon_threads = True

    def __init__(self, review: Review, port: int = 0) -> None:
        """Take the port; 0 takes any that is free."""
        self.review = review
        try:
            super().__init__((ADDRESS, port), ReviewRequest)
        except (OSError, OverflowError) as error:
            raise ToileError(f"port {port} cannot be used ({error}); leave it out for a free one") from error
        self.hosts = {f"{name}:{self.server_port}" for name in (ADDRESS, "localhost")}

    @property
    def url(self) -> str:
        """The page's address."""
        return f"http://{ADDRESS}:{self.server_port}/"


class ReviewRequest(BaseHTTPRequestHandler):
    """Answers one request. Other sites that the browser shows can neither read nor decide anything."""

    server: ReviewServer
    server_version, sys_version = "toile", ""

    def do_GET(self) -> None:
        """The page, the list of pairs, or a picture."""
        if not self._from_here():
            return
        if self.path == "/":
            self._page()
        elif self.path == "/pairs":
            self._json(200, self.server.review.listing())
        elif found := PICTURE_PATH.fullmatch(self.path):
            self._picture(int(found[1]), found[2])
        else:
            self._json(404, {"error": "there is nothing here"})

    def do_POST(self) -> None:
        """A decision."""
        if not self._from_here():
            return
        if self.path != "/decisions" or self.headers.get("Content-Type") != "application/json":
            self._json(404, {"error": "there is nothing here"})
            return
        try:
            answer = self.server.review.decide(self._body())
        except (ToileError, ValueError) as error:
            self._json(400, {"error": str(error)})
        else:
            self._json(200, answer)

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing: the terminal belongs to the command."""

    def _from_here(self) -> bool:
        """Whether the page itself asks: under this computer's own name, and not from another site."""
        origin = self.headers.get("Origin")
        known = origin is None or origin.removeprefix("http://") in self.server.hosts
        if known and self.headers.get("Host") in self.server.hosts:
            return True
        self._json(403, {"error": "only the page itself may ask"})
        return False

    def _body(self) -> dict[str, Any]:
        length = int(self.headers.get("Content-Length", "0"))
        if not 0 < length <= LONGEST_REQUEST:
            raise ToileError(f"a decision has 1 to {LONGEST_REQUEST} bytes, not {length}")
        request = json.loads(self.rfile.read(length))
        if not isinstance(request, dict):
            raise ToileError("a decision is a JSON object")
        return request

    def _page(self) -> None:
        nonce = secrets.token_urlsafe(16)
        page = files("toile.data").joinpath("review_page.html").read_text(encoding="utf-8")
        policy = (
            f"default-src 'none'; img-src 'self' data:; connect-src 'self'; style-src 'nonce-{nonce}'; "
            f"script-src 'nonce-{nonce}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
        content = page.replace("NONCE", nonce).encode()
        self._send(200, "text/html; charset=utf-8", content, {"Content-Security-Policy": policy})

    def _picture(self, index: int, kind: str) -> None:
        if index >= len(self.server.review.rows):
            self._json(404, {"error": "there is no such pair"})
            return
        try:
            packed = self.server.review.picture(index, kind)
        except ToileError as error:
            self._json(500, {"error": str(error)})
        else:
            self._send(200, "image/jpeg", packed, {"Cache-Control": "private, max-age=600"})

    def _json(self, status: int, answer: dict[str, Any]) -> None:
        self._send(status, "application/json", json.dumps(answer).encode(), {"Cache-Control": "no-store"})

    def _send(self, status: int, kind: str, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        safe = {"X-Content-Type-Options": "nosniff", "Cross-Origin-Resource-Policy": "same-origin"}
        length = {"Content-Type": kind, "Content-Length": str(len(content))}
        for name, value in {**length, **safe, **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)
