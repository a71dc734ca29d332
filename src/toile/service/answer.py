"""What comes of a request, encoded once, off the model's thread, and what a client may have it as."""

import json
import secrets
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

from pydantic import BaseModel, Field
from starlette.responses import JSONResponse, Response

from toile.images import encode_png
from toile.service.private_paths import PrivatePaths
from toile.service.problems import Problem
from toile.tasks.result import Result

PNG, JSON, MIXED = "image/png", "application/json", "multipart/mixed"
KINDS = (PNG, JSON, MIXED)
"""What an answer can be had as; the first is what somebody gets who does not care."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came of a request, as PNGs that carry their settings."""

    pictures: Mapping[str, bytes]
    """PNGs by what they show; the result itself first."""
    settings: Mapping[str, object]
    """What each PNG says of itself in its text chunk `toile`."""
    notes: tuple[str, ...] = ()
    """Remarks for whoever asked."""
    scores: Mapping[int, float] = field(default_factory=dict)
    """The round trip's distance of each seed that was tried; less is better."""

    @property
    def size(self) -> int:
        """Bytes of all pictures."""
        return sum(len(png) for png in self.pictures.values())

    @property
    def main(self) -> bytes:
        """The result itself."""
        return next(iter(self.pictures.values()))


class PictureModel(BaseModel):
    """A picture within JSON."""

    name: str = Field(description="What it shows; further candidates are called candidate-SEED.")
    media_type: str = Field(default=PNG, description="Always image/png.")
    data: str = Field(description="The PNG, as Base64.", json_schema_extra={"contentEncoding": "base64"})


class AnswerModel(BaseModel):
    """What came of a request."""

    pictures: list[PictureModel] = Field(description="The result itself first.")
    settings: dict[str, Any] = Field(description="Model, seed and settings, as every PNG carries them.")
    notes: list[str] = Field(description="Remarks, as on a mask that was found automatically.")
    scores: dict[str, float] = Field(description="Round-trip distance by seed; less is better.")


PICTURES: dict[str, Any] = {
    "description": "The picture; as JSON or multipart/mixed all of them, with settings, notes and scores.",
    "model": AnswerModel,
    "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in (PNG, MIXED)},
}
"""What the OpenAPI description says of an answer."""


def encode(result: Result, paths: PrivatePaths) -> Answer:
    """Make PNGs of a result; folders of the machine are not named in them."""
    settings = paths.hidden(dict(result.metadata))
    pictures = {name: encode_png(picture, settings) for name, picture in result.pictures.items()}
    for seed, picture in result.candidates.items():
        pictures[f"candidate-{seed}"] = encode_png(picture, settings | {"seed": seed})
    return Answer(
        pictures=pictures,
        settings=settings,
        notes=tuple(paths.hidden_in(note) for note in result.notes),
        scores=dict(result.scores),
    )


def wanted_kind(accept: str | None) -> str:
    """Which of `KINDS` a client would rather have, by its Accept header (RFC 9110, 12.5.1).

    Raises:
        Problem: 406, when it takes none of them.
    """
    weights = {kind: _weight(accept or "*/*", kind) for kind in KINDS}
    best = max(KINDS, key=lambda kind: weights[kind])  # of equals the first
    if not weights[best] > 0:
        raise Problem(406, f"an answer can be had as {', '.join(KINDS)}, and Accept takes none of these")
    return best


def respond(answer: Answer, kind: str) -> Response:
    """An answer as one of `KINDS`."""
    if kind == PNG:
        return Response(answer.main, media_type=PNG)
    if kind == JSON:
        return JSONResponse(_model(answer).model_dump())
    return _mixed(answer)


def _weight(accept: str, kind: str) -> float:
    """The q of the most specific range that covers a media type; 0 when none does."""
    found: tuple[int, float] = (-1, 0.0)
    for entry in accept.split(","):
        name, *parameters = (part.strip().lower() for part in entry.split(";"))
        ranges = ["*/*", f"{kind.split('/')[0]}/*", kind]
        if name in ranges:
            found = max(found, (ranges.index(name), _quality(parameters)))
    return found[1]


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return min(max(float(value), 0.0), 1.0)
            except ValueError:
                return 0.0
    return 1.0


def _model(answer: Answer) -> AnswerModel:
    return AnswerModel(
        pictures=[
            PictureModel(name=name, data=b64encode(content).decode())
            for name, content in answer.pictures.items()
        ],
        settings=dict(answer.settings),
        notes=list(answer.notes),
        scores={str(seed): score for seed, score in answer.scores.items()},
    )


def _mixed(answer: Answer) -> Response:
    """The settings as a part of JSON, then each picture as a part of its own (RFC 2046, 5.1.3)."""
    described = _model(answer).model_dump(exclude={"pictures"})
    parts = [("answer.json", JSON, json.dumps(described).encode())]
    parts += [(f"{name}.png", PNG, content) for name, content in answer.pictures.items()]
    boundary = f"toile-{secrets.token_hex(16)}"
    body = BytesIO()
    for name, media_type, content in parts:
        head = f'Content-Type: {media_type}\r\nContent-Disposition: attachment; filename="{name}"'
        body.write(f"--{boundary}\r\n{head}\r\n\r\n".encode() + content + b"\r\n")
    body.write(f"--{boundary}--\r\n".encode())
    return Response(body.getvalue(), media_type=f'{MIXED}; boundary="{boundary}"')
