"""Who may ask: a token, if one is set; no other site's page; and headers that tell browsers to be careful."""

import hashlib
import hmac
from collections.abc import Mapping

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from toile.service.problems import Problem, problem_response

OPEN_PATHS = ("/health", "/ready")
"""What orchestrators ask without a token; neither tells anything about requests."""
SECURITY_HEADERS: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
"""On every answer. There is no header of CORS: other sites' pages may read nothing."""


class SecureAnswers:
    """Puts `SECURITY_HEADERS` on every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers[name] = value
            await send(message)

        await self.app(scope, receive, send_secured)


class Guard:
    """Lets in who has the token, and nobody whom a page of another site has sent.

    Args:
        app: what is guarded.
        token: None lets everybody in.
        hosts: names that the service may be addressed by, so that no foreign name can be bent to it (DNS
            rebinding); None is any.
    """

    def __init__(
        self, app: ASGIApp, *, token: str | None = None, hosts: tuple[str, ...] | None = None
    ) -> None:
        self.app, self.hosts = app, hosts
        self._token = None if token is None else _digest(token)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or refuse it before it is read."""
        if scope["type"] == "http":
            try:
                self._check(scope["path"], Headers(scope=scope))
            except Problem as problem:
                headers = {"WWW-Authenticate": "Bearer"} if problem.status_code == 401 else None
                answer = problem_response(problem.status_code, problem.detail, headers)
                await answer(scope, receive, send)
                return
        await self.app(scope, receive, send)

    def _check(self, path: str, headers: Headers) -> None:
        host, origin = headers.get("host", ""), headers.get("origin")
        if self.hosts is not None and _name(host) not in self.hosts:
            raise Problem(
                403, f"this service is not called {host[:100]!r}; use the address it was started with"
            )
        if origin is not None and origin.partition("://")[2] != host:
            raise Problem(403, "pages of other sites may not use this service")
        if self._token is None or path in OPEN_PATHS:
            return
        scheme, _, shown = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(_digest(shown.strip()), self._token):
            raise Problem(401, "the token is missing or wrong; send Authorization: Bearer TOKEN")


def _name(host: str) -> str:
    """A Host header without its port."""
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdecimal() else host).lower()


def _digest(token: str) -> bytes:
    """Of one length for all tokens, so that comparing takes the same time for all."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
