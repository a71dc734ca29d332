"""A page on this computer answers itself, and nobody else."""

import json
import threading
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any

import pytest

from toile.errors import ToileError
from toile.local_page import LONGEST_REQUEST, LocalRequest, LocalServer


class Echo(LocalRequest):
    """Answers what it is asked."""

    post_path = "/echo"

    def answer_get(self) -> None:
        if self.path == "/picture":
            self.send_picture("image/png", b"picture")
        elif self.path == "/page":
            self.send_page("toile.data", "review_page.html")
        else:
            self.send_nothing()

    def answer_post(self, request: dict[str, Any]) -> dict[str, Any]:
        if "bad" in request:
            raise ToileError("that is bad")
        return request


@pytest.fixture(scope="module")
def server() -> Iterator[LocalServer]:
    serving = LocalServer(Echo)
    threading.Thread(target=serving.serve_forever, daemon=True).start()
    yield serving
    serving.shutdown()
    serving.server_close()


def ask(server: LocalServer, path: str, body: str | None = None, **headers: str) -> tuple[int, bytes, str]:
    """Status, content and policy of an answer."""
    connection = HTTPConnection("127.0.0.1", server.server_port, timeout=20)
    method = "GET" if body is None else "POST"
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(
        method, path, body, given if body is None else {"Content-Type": "application/json"} | given
    )
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, content, answer.getheader("Content-Security-Policy") or ""


def test_what_is_named_is_answered(server: LocalServer) -> None:
    assert ask(server, "/picture")[:2] == (200, b"picture")
    assert ask(server, "/../etc/passwd")[0] == 404
    status, content, policy = ask(server, "/echo", json.dumps({"a": 1}))
    assert (status, json.loads(content), policy) == (200, {"a": 1}, "")


def test_only_the_pages_own_scripts_may_run(server: LocalServer) -> None:
    _, content, policy = ask(server, "/page")
    nonce = policy.split("script-src 'nonce-")[1].split("'")[0]
    assert nonce.encode() in content and b"NONCE" not in content
    assert ask(server, "/page")[2] != policy


@pytest.mark.parametrize("headers", [{"Host": "example.org"}, {"Origin": "https://example.org"}])
def test_other_sites_are_turned_away(server: LocalServer, headers: dict[str, str]) -> None:
    assert ask(server, "/picture", **headers)[0] == 403
    assert ask(server, "/echo", "{}", **headers)[0] == 403


@pytest.mark.parametrize("body", ["", "[]", "{", '{"bad": 1}', json.dumps({"a": "b" * LONGEST_REQUEST})])
def test_a_request_that_is_none(server: LocalServer, body: str) -> None:
    status, content, _ = ask(server, "/echo", body)
    assert status == 400 and "error" in json.loads(content)


def test_a_form_of_another_site_cannot_post(server: LocalServer) -> None:
    assert ask(server, "/echo", "{}", Content_Type="text/plain")[0] == 404


def test_a_port_that_is_taken(server: LocalServer) -> None:
    with pytest.raises(ToileError, match=f"port {server.server_port} cannot be used"):
        LocalServer(Echo, server.server_port)
