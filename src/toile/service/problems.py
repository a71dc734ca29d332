"""What goes wrong, as HTTP says it: JSON problem details (RFC 9457) with one clear sentence."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.routing import Match

from toile.errors import ToileError
from toile.service.private_paths import PrivatePaths

MEDIA_TYPE = "application/problem+json"
METHODS = ("GET", "POST", "DELETE")
MOST_NAMED = 3
"""Faults of a form that one message names."""
PLAIN = {
    400: "the form cannot be read; send multipart/form-data with a boundary",
    404: "there is nothing at this address; /openapi.json lists what there is",
    405: "this address does not take such a request; /openapi.json lists what it takes",
}
"""In place of what the framework says."""


class Problem(HTTPException):
    """A request that cannot be done: the status, and one sentence that says what is wrong and what to do.

    Args:
        status: of HTTP.
        detail: the sentence.
        retry_after: seconds after which it is worth trying again.
    """

    def __init__(self, status: int, detail: str, *, retry_after: int | None = None) -> None:
        headers = None if retry_after is None else {"Retry-After": str(retry_after)}
        super().__init__(status, detail, headers)

    def again(self) -> "Problem":
        """The same once more, without the traceback of where it was raised before."""
        after = (self.headers or {}).get("Retry-After")
        return Problem(self.status_code, self.detail, retry_after=None if after is None else int(after))


class ProblemModel(BaseModel):
    """Why a request was not done (RFC 9457)."""

    title: str = Field(description="The status in words.", examples=["Too Many Requests"])
    status: int = Field(description="The HTTP status.", examples=[429])
    detail: str = Field(description="One sentence: what is wrong, and what to do.")

    @classmethod
    def of(cls, problem: Problem) -> "ProblemModel":
        """A problem as JSON says it."""
        return cls(
            title=HTTPStatus(problem.status_code).phrase,
            status=problem.status_code,
            detail=one_line(problem.detail),
        )


def problem_response(status: int, detail: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """A problem as a response."""
    content = ProblemModel.of(Problem(status, detail)).model_dump()
    return JSONResponse(content, status, headers=dict(headers or {}), media_type=MEDIA_TYPE)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What the OpenAPI description says of answers that are problems."""
    content = {MEDIA_TYPE: {"schema": ProblemModel.model_json_schema()}}
    return {status: _described(status, content) for status in statuses}


def handle_problems(app: FastAPI, paths: PrivatePaths) -> None:
    """Have an application answer whatever goes wrong with problem details."""

    def refused(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        detail = error.detail if isinstance(error, Problem) else PLAIN.get(error.status_code, error.detail)
        headers = dict(error.headers or {})
        if error.status_code == 405:
            headers["Allow"] = ", ".join(allowed_methods(app, request))
        return problem_response(error.status_code, paths.hidden_in(detail), headers)

    def mistaken(request: Request, error: Exception) -> JSONResponse:
        return problem_response(422, paths.hidden_in(str(error)))

    def invalid(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        return problem_response(422, in_words(error.errors()))

    def broken(request: Request, error: Exception) -> JSONResponse:
        return problem_response(500, "the service made a mistake; its log says more")

    app.add_exception_handler(HTTPException, refused)
    app.add_exception_handler(ToileError, mistaken)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(Exception, broken)


def allowed_methods(app: FastAPI, request: Request) -> list[str]:
    """What an address takes, by all of its routes; the framework names the methods of the first one alone."""

    def taken(method: str) -> bool:
        scope = {**request.scope, "method": method}
        return any(route.matches(scope)[0] is Match.FULL for route in app.routes)

    return [method for method in METHODS if taken(method)]


def in_words(faults: Sequence[Mapping[str, Any]]) -> str:
    """The faults of a form in one line."""
    told = list(dict.fromkeys(_fault(fault) for fault in faults))
    return "; ".join(told[:MOST_NAMED]) + ("; ..." if len(told) > MOST_NAMED else "")


def one_line(text: str) -> str:
    """A text without line breaks."""
    return " ".join(text.split())


def _fault(fault: Mapping[str, Any]) -> str:
    where = [str(part) for part in fault["loc"] if part not in ("body", "query", "path", "header")]
    name = repr(where[0][:60]) if where else "the form"
    if fault["type"] == "missing":
        return f"field {name} is missing"
    if fault["type"] == "extra_forbidden":
        return f"field {name} is unknown"
    if "UploadFile" in fault["msg"]:
        return f"field {name} is no file; send a picture in it"
    message = str(fault["msg"])
    return f"field {name}: {message[:1].lower()}{message[1:]}"


def _described(status: int, content: Mapping[str, Any]) -> dict[str, Any]:
    described: dict[str, Any] = {"description": HTTPStatus(status).phrase, "content": dict(content)}
    if status in (409, 429, 503):
        described["headers"] = {
            "Retry-After": {
                "description": "Seconds to wait before trying again.",
                "schema": {"type": "integer"},
            }
        }
    return described
