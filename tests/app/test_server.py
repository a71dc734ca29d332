import subprocess
import sys

import pytest

from toile.app.server import CLOSED, serving
from toile.errors import ToileError


def test_a_taken_port_is_refused_in_a_sentence(site):
    port = int(site.url.rstrip("/").rsplit(":", 1)[1])
    with (
        pytest.raises(ToileError, match=f"127.0.0.1:{port} cannot be used .*choose another --port"),
        serving(site.atelier, port=port),
    ):
        raise AssertionError("it was served")


def test_nothing_is_told_to_anybody():
    assert CLOSED["GRADIO_ANALYTICS_ENABLED"] == "False"
    assert CLOSED["GRADIO_ALLOWED_PATHS"] == ""


def test_the_library_does_not_import_gradio():
    code = "import toile, toile.cli.app, sys; sys.exit('gradio' in sys.modules or 'torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_it_writes_nothing_beside_its_modules():
    """gradio writes .pyi files for every subclass of its components."""
    from importlib.resources import files

    assert [path.name for path in files("toile.app").iterdir() if path.name.endswith(".pyi")] == []
