"""How ComfyUI finds the nodes: a folder among its custom nodes that imports them from this package.

Source: docs.comfy.org, "Custom nodes, lifecycle" and "Workflow templates"; a folder's `__init__.py` names the
nodes, and `example_workflows/*.json` beside it are shown among the templates.
"""

import shutil
from importlib.resources import as_file, files
from pathlib import Path

from toile import __version__
from toile.errors import ToileError
from toile.whole import remove_folder, whole_folder

FOLDER = "toile-nodes"
"""Not `toile`: early versions of ComfyUI import a folder under its name, which is this package's."""
MARK = "written by `toile comfyui install`"
"""By which a folder is known to be ours."""
EXAMPLES = "example_workflows"

INIT = f'''"""The nodes of toile; {MARK}."""

import sys

try:
    from toile.comfyui.nodes import NODE_CLASS_MAPPINGS, NODE_DISPLAY_NAME_MAPPINGS
except ModuleNotFoundError as error:
    raise ImportError(
        f"{{error}}: ComfyUI runs another Python than toile; run: {{sys.executable}} -m pip install toile"
    ) from error

__all__ = ["NODE_CLASS_MAPPINGS", "NODE_DISPLAY_NAME_MAPPINGS"]
'''
PROJECT = f'''[project]
name = "{FOLDER}"
version = "{__version__}"
description = "Clothes in pictures: restore, take off, try on, swap and dress."
license = "Apache-2.0"
dependencies = ["toile>={__version__}"]

[tool.comfy]
DisplayName = "toile"
'''
"""What ComfyUI's manager reads. Source: docs.comfy.org, "Registry, pyproject.toml specifications"."""


def installed_folder(comfyui: Path) -> Path:
    """The folder of the nodes within a ComfyUI, there or not.

    Args:
        comfyui: the folder that holds ComfyUI's `main.py` and `custom_nodes`, or its folder for user data.

    Raises:
        ToileError: when that is no ComfyUI.
    """
    custom_nodes = comfyui / "custom_nodes"
    if not custom_nodes.is_dir():
        raise ToileError(f"{comfyui} is no ComfyUI: it has no folder custom_nodes; name the one that has")
    return custom_nodes / FOLDER


def install(comfyui: Path) -> Path:
    """Let a ComfyUI find the nodes, whole or not at all; what an earlier version wrote is replaced.

    Returns:
        The folder that was written.

    Raises:
        ToileError: when that is no ComfyUI, a folder of that name is somebody else's, or cannot be written.
    """
    folder = installed_folder(comfyui)
    _check_ours(folder)
    try:
        with whole_folder(folder) as beside:
            (beside / "__init__.py").write_text(INIT, encoding="utf-8")
            (beside / "pyproject.toml").write_text(PROJECT, encoding="utf-8")
            with as_file(files("toile.comfyui") / EXAMPLES) as examples:
                shutil.copytree(examples, beside / EXAMPLES)
    except OSError as error:
        raise ToileError(
            f"{folder} cannot be written ({error.strerror or error}); see who owns it"
        ) from error
    return folder


def remove(comfyui: Path) -> Path:
    """Take the nodes out of a ComfyUI again.

    Returns:
        The folder that was removed.

    Raises:
        ToileError: when they are not there, the folder is somebody else's, or it cannot be removed.
    """
    folder = installed_folder(comfyui)
    if not folder.exists():
        raise ToileError(f"there are no nodes of toile in {comfyui}; `toile comfyui install` puts them there")
    _check_ours(folder)
    try:
        remove_folder(folder)
    except OSError as error:
        raise ToileError(
            f"{folder} cannot be removed ({error.strerror or error}); see who owns it"
        ) from error
    return folder


def _check_ours(folder: Path) -> None:
    init = folder / "__init__.py"
    if folder.exists() and not (
        init.is_file() and MARK in init.read_text(encoding="utf-8", errors="replace")
    ):
        raise ToileError(f"{folder} was not written by toile; move it away first")
