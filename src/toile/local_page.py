"""A web page served on this computer alone: what every such page of the project has in common.

A subclass names everything that can be asked for; no path of a request is ever a path of a file.
"""

import json
import secrets
import webbrowser
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from typing import Any

from toile.errors import ToileError

ADDRESS = "127.0.0.1"
LONGEST_REQUEST = 2000
"""Bytes of what a page sends, at most."""


class LocalServer(ThreadingHTTPServer):
    """Serves one page on this computer; `url` says where.

    Raises:
        ToileError: when the port is not free.
    """

    daemon_threads = True

    def __init__(self, request: "type[LocalRequest]", port: int = 0) -> None:
        """Take the port; 0 takes any that is free."""
        try:
            super().__init__((ADDRESS, port), request)
        except (OSError, OverflowError) as error:
            raise ToileError(f"port {port} cannot be used ({error}); leave it out for a free one") from error
        self.hosts = {f"{name}:{self.server_port}" for name in (ADDRESS, "localhost")}

    @property
    def url(self) -> str:
        """The page's address."""
        return f"http://{ADDRESS}:{self.server_port}/"

    def serve_until_interrupted(self, *, browser: bool) -> None:
        """Print the address, show the page in a browser if wanted, and answer until Ctrl-C."""
        print(self.url, flush=True)
        if browser:
            webbrowser.open(self.url)
        with suppress(KeyboardInterrupt), self:
            self.serve_forever()


class LocalRequest(BaseHTTPRequestHandler):
    """Answers one request. Other sites that the browser shows can neither read nor change anything."""

    server_version, sys_version = "toile", ""

    def answer_get(self) -> None:
        """Answer a request for something to read."""
        raise NotImplementedError

    def answer_post(self, request: dict[str, Any]) -> dict[str, Any]:
        """Do what the page asks for, and say what came of it.

        Raises:
            ToileError: when it asks for nothing that is known.
        """
        raise NotImplementedError

    @property
    def post_path(self) -> str:
        """The one path that the page sends to."""
        raise NotImplementedError

    def do_GET(self) -> None:
        """Something to read, for the page itself alone."""
        if self._from_here():
            self.answer_get()

    def do_POST(self) -> None:
        """A change, from the page itself alone."""
        if not self._from_here():
            return
        if self.path != self.post_path or self.headers.get("Content-Type") != "application/json":
            self.send_nothing()
            return
        try:
            answer = self.answer_post(self._body())
        except (ToileError, ValueError) as error:
            self.send_json(400, {"error": str(error)})
        else:
            self.send_json(200, answer)

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing: the terminal belongs to the command."""

    def _from_here(self) -> bool:
        """Whether the page itself asks: under this computer's own name, and not from another site."""
        assert isinstance(self.server, LocalServer)
        origin = self.headers.get("Origin")
        known = origin is None or origin.removeprefix("http://") in self.server.hosts
        if known and self.headers.get("Host") in self.server.hosts:
            return True
        self.send_json(403, {"error": "only the page itself may ask"})
        return False

    def _body(self) -> dict[str, Any]:
        length = int(self.headers.get("Content-Length", "0"))
        if not 0 < length <= LONGEST_REQUEST:
            raise ToileError(f"a request has 1 to {LONGEST_REQUEST} bytes, not {length}")
        request = json.loads(self.rfile.read(length))
        if not isinstance(request, dict):
            raise ToileError("a request is a JSON object")
        return request

    def send_page(self, package: str, name: str) -> None:
        """Send a page that lies in a package; its scripts and styles alone may run, by the word NONCE."""
        nonce = secrets.token_urlsafe(16)
        page = files(package).joinpath(name).read_text(encoding="utf-8")
        policy = (
            f"default-src 'none'; img-src 'self' data:; connect-src 'self'; style-src 'nonce-{nonce}'; "
            f"script-src 'nonce-{nonce}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
        content = page.replace("NONCE", nonce).encode()
        self._send(200, "text/html; charset=utf-8", content, {"Content-Security-Policy": policy})

    def send_picture(self, kind: str, content: bytes) -> None:
        """Send a picture, as image/png or image/jpeg."""
        self._send(200, kind, content, {"Cache-Control": "private, max-age=600"})

    def send_json(self, status: int, answer: dict[str, Any]) -> None:
        """Send an answer for the page's script."""
        self._send(status, "application/json", json.dumps(answer).encode(), {"Cache-Control": "no-store"})

    def send_nothing(self) -> None:
        """Say that there is nothing under this path."""
        self.send_json(404, {"error": "there is nothing here"})

    def _send(self, status: int, kind: str, content: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        safe = {"X-Content-Type-Options": "nosniff", "Cross-Origin-Resource-Policy": "same-origin"}
        length = {"Content-Type": kind, "Content-Length": str(len(content))}
        for name, value in {**length, **safe, **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)
