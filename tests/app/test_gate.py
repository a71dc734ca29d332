"""No file of the machine, no address elsewhere, and nothing more than the page needs can be asked for."""

import asyncio
import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from toile.app.gate import HEADERS, LARGEST_CALL, Gate

OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def ask(url: str, body: bytes | None = None, **headers: str) -> tuple[int, str]:
    request = urllib.request.Request(url, data=body, headers=headers)
    try:
        with OPENER.open(request, timeout=20) as answer:
            return answer.status, answer.read().decode("utf-8", "replace")
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode("utf-8", "replace")


@pytest.fixture
def secret(tmp_path) -> Path:
    path = tmp_path / "secret.png"
    path.write_bytes(b"the secret")
    return path


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "../../../../etc/passwd",
        "%2fetc%2fpasswd",
        "%2e%2e/%2e%2e/etc/passwd",
        "file:///etc/passwd",
        "http://127.0.0.1:1/",
        "https://example.org/picture.png",
        "pyproject.toml",
        "",
    ],
)
def test_no_file_of_the_machine_is_served(site, path):
    status, said = ask(f"{site.url}gradio_api/file={path}")
    assert status in (400, 403, 404)
    assert "root:" not in said and "requires-python" not in said


def test_a_file_in_the_folder_for_temporary_files_is_not_served(site, secret):
    status, said = ask(f"{site.url}gradio_api/file={secret}")
    assert (status, "the secret" in said) == (403, False)


def test_a_link_out_of_the_folder_is_not_served(tmp_path, secret):
    gate, folder = gated(tmp_path / "files")
    (folder / "link.png").symlink_to(secret)
    (folder / "own.png").write_bytes(b"ours")
    assert asked(gate, f"/gradio_api/file={folder}/link.png") == 403
    assert asked(gate, f"/gradio_api/file={folder}/own.png") == 200


@pytest.mark.parametrize("path", ["/etc/passwd", "http://127.0.0.1:1/a.png", "relative.png"])
def test_no_file_is_taken_from_a_path_that_the_client_names(site, path):
    data = [{"path": path, "meta": {"_type": "gradio.FileData"}}, "upper"]
    body = json.dumps({"data": data, "fn_index": 0, "session_hash": "x"}).encode()
    for call in ("queue/join", "run/predict"):
        status, said = ask(f"{site.url}gradio_api/{call}", body, **{"Content-Type": "application/json"})
        assert (status, "not open" in said) == (403, True)


@pytest.mark.parametrize(
    "path",
    [
        "gradio_api/proxy=https://example.org",
        "gradio_api/call/predict",
        "gradio_api/api/predict",
        "gradio_api/component_server",
        "gradio_api/process_recording",
        "gradio_api/deep_link",
        "gradio_api/vibe-code",
        "gradio_api/openapi.json",
        "gradio_api/file/etc/passwd",
        "gradio_api/stream/x",
        "custom_component/1/client/component/x",
        "monitoring",
        "monitoring/summary",
        "docs",
        "openapi.json",
        "runs",
        "assets/../../../../etc/passwd",
        "static/%2e%2e/%2e%2e/%2e%2e/routes.py",
    ],
)
def test_what_the_page_does_not_need_is_closed(site, path):
    assert ask(f"{site.url}{path}")[0] == 404


def test_other_names_of_the_computer_are_refused(site):
    """A page elsewhere whose name comes to mean 127.0.0.1 reaches nothing."""
    assert ask(site.url)[0] == 200
    assert ask(site.url, Host="evil.example:7860")[0] == 403


def test_answers_forbid_what_comes_from_elsewhere(site):
    with OPENER.open(site.url, timeout=20) as answer:
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS


def test_a_file_that_is_too_large_is_refused(site):
    form = (
        b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n'
        b"Content-Type: image/png\r\n\r\n" + b"0" * 2_500_000 + b"\r\n--x--\r\n"
    )
    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    try:
        status, said = ask(f"{site.url}gradio_api/upload", form, **kind)
    except (urllib.error.URLError, ConnectionError):  # it hangs up while the rest is still being sent
        return
    assert status == 413 and "2 MB" in said


def gated(folder: Path, hosts: frozenset[str] | None = None) -> tuple[Gate, Path]:
    async def behind(scope: Any, receive: Any, send: Any) -> None:
        if scope["method"] == "POST":
            while (message := await receive())["type"] == "http.request" and message.get("more_body"):
                pass
            if message["type"] == "http.disconnect":
                return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"behind"})

    folder.mkdir()
    return Gate(behind, folder=folder, file_bytes=1000, hosts=hosts), folder


def asked(gate: Gate, path: str, method: str = "GET", chunks: tuple[bytes, ...] = (b"",), **headers) -> int:
    """The status that comes back; 0 where nothing does."""
    sent: list[Any] = []
    waiting = [
        {"type": "http.request", "body": chunk, "more_body": number < len(chunks) - 1}
        for number, chunk in enumerate(chunks)
    ]

    async def receive() -> Any:
        return waiting.pop(0) if waiting else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    told = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": method, "path": path, "headers": told}
    asyncio.run(gate(scope, receive, send))
    return sent[0]["status"] if sent else 0


def test_a_body_without_a_length_is_counted(tmp_path):
    gate, _ = gated(tmp_path / "files")
    upload = "/gradio_api/upload"
    assert asked(gate, upload, "POST", (b"0" * 900,)) == 200
    assert asked(gate, upload, "POST", tuple(b"0" * 30_000 for _ in range(5))) == 0
    assert asked(gate, upload, "POST", **{"content-length": "999999999"}) == 413
    assert asked(gate, upload, "POST", **{"content-length": "-5"}) == 413


def test_a_call_that_is_none_or_too_much_is_refused(tmp_path):
    gate, _ = gated(tmp_path / "files")
    join = "/gradio_api/queue/join"
    assert asked(gate, join, "POST", (b"{", b"}")) == 200
    assert asked(gate, join, "POST", (b"no JSON",)) == 400
    assert asked(gate, join, "POST", (b"[" * 100_000,)) == 400
    assert asked(gate, join, "POST", (b" " * (LARGEST_CALL + 1),)) == 413
    assert asked(gate, join, "PUT") == 405


def test_any_name_is_answered_to_where_others_are_let_in(tmp_path):
    open_gate, _ = gated(tmp_path / "open")
    own_gate, _ = gated(tmp_path / "own", frozenset({"127.0.0.1", "[::1]"}))
    assert asked(open_gate, "/", host="studio.example:7860") == 200
    assert asked(own_gate, "/", host="studio.example:7860") == 403
    assert [asked(own_gate, "/", host=name) for name in ("127.0.0.1:7860", "[::1]:7860", "[::1]")] == [
        200
    ] * 3
