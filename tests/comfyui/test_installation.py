import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from toile import __version__
from toile.comfyui.installation import FOLDER, install, installed_folder, remove
from toile.comfyui.nodes import NODE_CLASS_MAPPINGS, NODE_DISPLAY_NAME_MAPPINGS
from toile.errors import ToileError


@pytest.fixture
def comfyui(tmp_path: Path) -> Path:
    """A ComfyUI, as far as its folders go."""
    (tmp_path / "ComfyUI" / "custom_nodes").mkdir(parents=True)
    return tmp_path / "ComfyUI"


def load_as_comfyui_does(folder: Path):
    """Source: ComfyUI's `nodes.load_custom_node`."""
    name = str(folder).replace(".", "_x_")
    spec = importlib.util.spec_from_file_location(name, folder / "__init__.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    finally:
        del sys.modules[name]
    return module


def test_comfyui_finds_the_nodes(comfyui):
    folder = install(comfyui)
    assert folder == comfyui / "custom_nodes" / FOLDER
    module = load_as_comfyui_does(folder)
    assert module.NODE_CLASS_MAPPINGS is NODE_CLASS_MAPPINGS
    assert module.NODE_DISPLAY_NAME_MAPPINGS is NODE_DISPLAY_NAME_MAPPINGS


def test_the_examples_lie_where_templates_are_looked_for(comfyui):
    folder = install(comfyui)
    templates = sorted(path.stem for path in comfyui.glob("custom_nodes/*/example_workflows/*.json"))
    assert templates == ["dress-by-prompt", "restore-and-take-off", "try-on-and-swap"]
    assert [path.name for path in folder.parent.iterdir()] == [FOLDER]


def test_the_manager_reads_who_they_are(comfyui):
    import tomllib

    project = tomllib.loads((install(comfyui) / "pyproject.toml").read_text())
    assert project["project"]["name"] == FOLDER
    assert project["project"]["version"] == __version__
    assert project["tool"]["comfy"]["DisplayName"] == "toile"


def test_an_earlier_installation_is_replaced(comfyui):
    folder = install(comfyui)
    (folder / "left_behind.py").write_text("")
    install(comfyui)
    assert not (folder / "left_behind.py").exists()


def test_without_toile_comfyui_says_what_to_do(comfyui, tmp_path):
    folder = install(comfyui)
    code = f"import runpy; runpy.run_path({str(folder / '__init__.py')!r})"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True)
    assert done.returncode == 1
    assert f"{sys.executable} -m pip install toile" in done.stderr.splitlines()[-1]


def test_another_s_folder_is_left_alone(comfyui):
    folder = installed_folder(comfyui)
    folder.mkdir()
    (folder / "__init__.py").write_text("NODE_CLASS_MAPPINGS = {}\n")
    for act in (install, remove):
        with pytest.raises(ToileError, match="was not written by toile; move it away first"):
            act(comfyui)
    assert (folder / "__init__.py").read_text() == "NODE_CLASS_MAPPINGS = {}\n"


def test_what_is_no_comfyui_is_said(tmp_path):
    with pytest.raises(ToileError, match="is no ComfyUI: it has no folder custom_nodes"):
        install(tmp_path)


def test_a_disk_that_is_full_leaves_the_old_nodes(comfyui, monkeypatch):
    folder = install(comfyui)
    before = sorted(path.name for path in folder.iterdir())

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("toile.comfyui.installation.shutil.copytree", full)
    with pytest.raises(ToileError, match="No space left on device"):
        install(comfyui)
    assert sorted(path.name for path in folder.iterdir()) == before
    assert [path.name for path in folder.parent.iterdir()] == [FOLDER]


def test_the_nodes_are_taken_out_again(comfyui):
    folder = install(comfyui)
    assert remove(comfyui) == folder
    assert not list((comfyui / "custom_nodes").iterdir())
    with pytest.raises(ToileError, match="there are no nodes of toile in"):
        remove(comfyui)
