"""The wheel holds what it has to, and works in an environment that holds nothing else of the project.

It borrows this environment's dependencies, so that no network is needed; `make wheel` installs them.
"""

import json
import zipfile
from pathlib import Path

import pytest
from PIL import Image
from tests.packaging.wheel import ROOT, borrowing_environment, build_wheel, restore_doll, run

from toile import __version__
from toile.bundled import is_bundled


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def names(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as file:
        return file.namelist()


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return borrowing_environment(tmp_path_factory.mktemp("environment") / "venv", wheel)


def test_the_wheel_is_called_after_the_one_version(wheel):
    assert wheel.name == f"toile-{__version__}-py3-none-any.whl"


def test_the_changelog_begins_with_the_version():
    headings = [line for line in (ROOT / "CHANGELOG.md").read_text().splitlines() if line.startswith("## ")]
    assert headings[0].startswith(f"## {__version__} ")


def test_everything_of_the_package_is_in_the_wheel(names):
    kinds = (".py", ".html", ".js", ".css", ".json", ".safetensors", ".txt", ".typed")
    there = {str(path.relative_to(ROOT / "src")) for path in (ROOT / "src" / "toile").rglob("*")}
    wanted = {name for name in there if name.endswith(kinds)}
    assert len(wanted) > 100
    assert wanted <= set(names)


def test_nothing_else_is_in_the_wheel(names):
    tops = {name.split("/")[0] for name in names}
    assert tops == {"toile", f"toile-{__version__}.dist-info"}
    assert not [name for name in names if "__pycache__" in name or name.endswith((".pyc", ".part"))]
    assert not [name for name in names if "test" in Path(name).parts[1]]


def test_the_package_is_the_installed_one(python, tmp_path):
    place = run([python, "-c", "import toile; print(toile.__file__)"], tmp_path)
    assert Path(place.strip()).is_relative_to(python.parents[1])


def test_the_command_tells_its_version(python, tmp_path):
    assert run([python.with_name("toile"), "--version"], tmp_path) == f"toile {__version__}\n"


def test_the_package_is_the_command(python, tmp_path):
    assert run([python, "-m", "toile", "--help"], tmp_path) == run([python.with_name("toile")], tmp_path)


@pytest.mark.skipif(not is_bundled("igr"), reason="the bundled weights have not been trained yet")
def test_the_bundled_weights_restore_a_doll(python, tmp_path):
    with Image.open(restore_doll(python, tmp_path)) as picture:
        assert picture.size == (192, 256)
        assert json.loads(picture.text["toile"])["model"] == "tiny"
