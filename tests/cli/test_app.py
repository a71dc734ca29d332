import os
import signal
import subprocess
import sys
import urllib.request

import pytest

from toile.cli.app import App
from toile.errors import ToileError

RUN = """
import signal
import sys
from toile.cli.app import App
signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it
sys.exit(App(browser=False, port=0, device="cpu").run())
"""
WITHOUT = """
import sys
sys.modules["gradio"] = None
from toile.cli.app import App
from toile.errors import ToileError
try:
    App(browser=False).run()
except ToileError as error:
    print(error)
"""


def test_the_page_is_served_until_it_is_interrupted():
    pytest.importorskip("gradio", reason="gradio is not installed")
    process = subprocess.Popen(
        [sys.executable, "-c", RUN], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        url = process.stdout.readline().strip()
        assert url.startswith("http://127.0.0.1:")
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=30) as answer:
            assert b"toile: clothes in pictures" in answer.read()
        os.kill(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=30)
    finally:
        process.kill()
    assert (process.returncode, out, err) == (0, "", "")


def test_without_the_extra_it_says_what_to_install():
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True)
    said = 'the web page needs gradio 6 or newer; install it with: pip install "toile[app]"'
    assert (done.stdout.strip(), done.stderr) == (said, "")


@pytest.mark.parametrize("port", [-1, 70000])
def test_a_port_that_is_none_is_refused(port):
    with pytest.raises(ToileError, match=str(port)):
        App(port=port, browser=False).run()


@pytest.mark.parametrize(
    "setting", [{"model": "/nowhere"}, {"two_way": "/nowhere"}, {"dressing": "/nowhere"}]
)
def test_a_model_that_is_not_there_is_refused_before_anything_is_served(setting):
    pytest.importorskip("gradio", reason="gradio is not installed")
    with pytest.raises(ToileError, match="/nowhere"):
        App(browser=False, device="cpu", **setting).run()


def test_limits_that_let_nothing_through_are_refused():
    with pytest.raises(ToileError, match="megapixels is 0"):
        App(megapixels=0, browser=False).run()
