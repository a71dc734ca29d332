import os
import signal
import subprocess
import sys

import httpx
import pytest
from PIL import Image
from tests.service.serving import answers, pixels, png_of, wait_for

pytest.importorskip("fastapi", reason="the extra serve is not installed")

from toile.cli.main import main
from toile.cli.serve import own_names
from toile.service.server import listen

TOILE = [sys.executable, "-m", "toile"]


def refused(capsys, *arguments: str) -> str:
    """The one line of a command that could not be done."""
    assert main(["serve", *arguments]) == 2
    out, error = capsys.readouterr()
    assert out == "" and error.startswith("toile: ") and error.count("\n") == 1
    return error


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--tasks", "resture"), "task 'resture' is unknown"),
        (("--queue", "0"), "queue is 0"),
        (("--token", "x"), "write at least 8"),
        (("--max-steps", "0"), "max steps is 0"),
        (("--dtype", "float7"), "dtype 'float7' is unknown"),
        (("--wardrobe", "nowhere"), "wardrobe nowhere is no folder"),
        (("--igr", "nowhere"), "model 'nowhere': no such folder"),
        (("--host", "256.1.1.1"), "256.1.1.1:8000 cannot be listened on"),
        (("--port", "99999"), "port is 99999; it must lie between 0 and 65535"),
    ],
)
def test_what_cannot_be_is_one_line(capsys, arguments, said):
    assert said in refused(capsys, *arguments)


def test_a_token_of_the_environment_is_checked_and_not_repeated(capsys, monkeypatch):
    monkeypatch.setenv("TOILE_TOKEN", "my cat")
    assert "my cat" not in refused(capsys)


def test_a_port_that_is_taken_is_one_line(capsys):
    with listen("127.0.0.1", 0) as taken:
        taken.listen()
        port = taken.getsockname()[1]
        assert f"127.0.0.1:{port} cannot be listened on" in refused(capsys, "--port", str(port))


def test_without_the_extra_it_says_how_to_install_it(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert 'pip install "toile[serve]"' in refused(capsys)


@pytest.mark.parametrize(
    ("host", "alone"),
    [("127.0.0.1", True), ("localhost", True), ("::1", True), ("0.0.0.0", False), ("shop.example", False)],
)
def test_a_service_for_this_machine_alone_knows_its_names(host, alone):
    assert (own_names(host) is not None) == alone


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals")
def test_it_serves_and_ends_well(igr_folder, tmp_path):
    environment = os.environ | {"TOILE_TOKEN": "correct-horse-battery"}
    command = [
        *TOILE,
        "serve",
        "--port",
        "0",
        "--tasks",
        "restore",
        "--igr",
        str(igr_folder),
        "--device",
        "cpu",
    ]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, cwd=tmp_path
    ) as run:
        try:
            url = run.stdout.readline().strip()
            assert url.startswith("http://127.0.0.1:")
            headers = {"Authorization": "Bearer correct-horse-battery"}
            with httpx.Client(base_url=url, timeout=60, trust_env=False) as client:
                wait_for(lambda: answers(client) and client.get("/ready").status_code == 200, 120)
                photo = {"photo": png_of(Image.new("RGB", (32, 64), "red"))}
                sent = {"files": photo, "data": {"steps": "1", "find_mask": "false"}}
                assert client.post("/v1/restore", **sent).status_code == 401
                answer = client.post("/v1/restore", **sent, headers=headers)
                assert answer.status_code == 200 and pixels(answer.content).shape == (64, 32, 3)
                assert str(igr_folder.parent).encode() not in answer.content
            run.send_signal(signal.SIGTERM)
            assert run.wait(30) == 0
            assert (run.stdout.read(), run.stderr.read()) == ("", "")
        finally:
            run.kill()
    assert list(tmp_path.iterdir()) == []
