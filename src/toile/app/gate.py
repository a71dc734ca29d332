"""What may be asked of the page's server. Everything else is refused before gradio sees it.

gradio serves more than this page needs: files by URL, a proxy, recordings, an interface for programs. None
of that is open here: no address is ever fetched for a visitor, and no file is read but those that were
dropped on the page or drawn by it.
"""

import json
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

API = "/gradio_api"
PAGES = frozenset({"/", "/config", "/theme.css", "/favicon.ico", "/robots.txt", "/manifest.json"})
CALLS = frozenset(
    f"{API}/{name}"
    for name in (
        "queue/join",
        "run/predict",
        "queue/data",
        "upload",
        "upload_progress",
        "cancel",
        "reset",
        "app_id",
        "startup-events",
        "info",
    )
)
FOLDERS = ("/assets/", "/static/", "/svelte/", f"{API}/heartbeat/")
FILE = f"{API}/file="
TOLD = frozenset({f"{API}/queue/join", f"{API}/run/predict"})
"""Where the page says what is to be done."""
LARGEST_CALL = 2_000_000
"""Bytes of what the page sends to have something done; pictures are uploaded apart."""
FORM = 100_000
"""Bytes of an upload around its file."""
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; worker-src 'self' blob:; "
        "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
        "connect-src 'self' data: blob:; frame-ancestors 'none'; form-action 'none'; base-uri 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


class Refused(Exception):
    """A request that is answered with a status and nothing more."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class Gate:
    """ASGI middleware that lets through what the page itself asks for.

    Args:
        app: behind the gate.
        folder: of gradio's uploads and results, the only files that are served or taken as input.
        file_bytes: of one upload, at most.
        hosts: names that the server answers to; None is any, for a server that is not on this computer alone.
    """

    def __init__(self, app: Any, *, folder: Path, file_bytes: int, hosts: frozenset[str] | None) -> None:
        self.app, self.folder, self.file_bytes, self.hosts = app, folder.resolve(), file_bytes, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or refuse it."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        try:
            self._check(scope)
            taken = (
                await self._told(receive)
                if scope["path"].rstrip("/") in TOLD
                else self._counted(scope, receive)
            )
        except Refused as refusal:
            await _answer(send, refusal)
            return
        await self.app(scope, taken, _with_headers(send))

    def _check(self, scope: Scope) -> None:
        if scope["method"] not in ("GET", "HEAD", "POST"):
            raise Refused(405, "only GET and POST")
        if self.hosts is not None and _host(scope) not in self.hosts:
            raise Refused(403, "this server answers to its own name alone")
        path = scope["path"]
        if path.startswith(FILE):
            if not self._is_ours(unquote(path.removeprefix(FILE))):
                raise Refused(403, "this file is not open")
        elif not _is_open(path):
            raise Refused(404, "there is nothing here")

    def _is_ours(self, path: str) -> bool:
        """Whether a path names a file that was dropped on the page, or drawn by it."""
        if "\0" in path or "://" in path:
            return False
        return Path(path).resolve().is_relative_to(self.folder)

    async def _told(self, receive: Receive) -> Receive:
        """Read what is to be done whole, and see that every file in it is one of ours."""
        body = b""
        while True:
            message = await receive()
            body += message.get("body", b"")
            if len(body) > LARGEST_CALL:
                raise Refused(413, "this is too much at once")
            if not message.get("more_body"):
                break
        try:
            said = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise Refused(400, "this is no JSON") from error
        if not all(self._is_ours(path) for path in _paths(said)):
            raise Refused(403, "this file is not open")
        return _again(body, receive)

    def _counted(self, scope: Scope, receive: Receive) -> Receive:
        """Pass on what is sent as long as it is not too much."""
        most, seen = self.file_bytes + FORM, 0
        told = dict(scope["headers"]).get(b"content-length", b"0")
        if not told.isdigit() or int(told) > most:
            raise Refused(413, f"a file may have {self.file_bytes / 1e6:g} MB")

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            return {"type": "http.disconnect"} if seen > most else message

        return counted


def _is_open(path: str) -> bool:
    """Whether the page itself asks for such a path; files apart."""
    if ".." in unquote(path):
        return False
    return path.rstrip("/") in CALLS or path in PAGES or path.startswith(FOLDERS)


def _paths(said: Any) -> list[str]:
    """Every path of a file in what the page says, however deep."""
    found, waiting = list[str](), [said]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            found += [str(value[key]) for key in ("path",) if value.get(key) is not None]
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
    return found


def _host(scope: Scope) -> str:
    """The name that the server was asked under, without the port."""
    told = dict(scope["headers"]).get(b"host", b"").decode("latin-1")
    return str(told.rsplit(":", 1)[0] if not told.endswith("]") else told)


def _again(body: bytes, receive: Receive) -> Receive:
    """A body that was read, to be read once more; then whatever else comes."""
    given = False

    async def once_more() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return once_more


def _with_headers(send: Send) -> Send:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            added = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
            message = {**message, "headers": [*message.get("headers", []), *added]}
        await send(message)

    return sent


async def _answer(send: Send, refusal: Refused) -> None:
    body = json.dumps({"detail": str(refusal)}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
