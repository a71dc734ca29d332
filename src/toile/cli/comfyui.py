"""`toile comfyui`: nodes for a ComfyUI that is there: install, list and remove them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

ComfyUIOption = Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="COMFYUI")]


@dataclass(frozen=True, kw_only=True)
class ComfyUIInstall:
    """Let a ComfyUI find the nodes: writes custom_nodes/toile-nodes, which imports them from this package.

    toile has to be installed in the Python that ComfyUI runs with. Start ComfyUI anew afterwards; the nodes
    are under `toile`, and workflows to begin with among its templates.
    """

    comfyui: ComfyUIOption
    """The folder that holds ComfyUI's main.py and custom_nodes."""

    def run(self) -> int:
        """Write the folder, and print its path."""
        from toile.comfyui.installation import install

        print(install(self.comfyui))
        return 0


@dataclass(frozen=True, kw_only=True)
class ComfyUIRemove:
    """Take the nodes out of a ComfyUI again: removes custom_nodes/toile-nodes."""

    comfyui: ComfyUIOption
    """The folder that holds ComfyUI's main.py and custom_nodes."""

    def run(self) -> int:
        """Remove the folder, and print its path."""
        from toile.comfyui.installation import remove

        print(remove(self.comfyui))
        return 0


@dataclass(frozen=True, kw_only=True)
class ComfyUIList:
    """List the nodes, with what goes into each and what comes out."""

    def run(self) -> int:
        """Print the list."""
        from toile.comfyui.nodes import describe_nodes

        print(describe_nodes())
        return 0


@dataclass(frozen=True)
class ComfyUI:
    """Nodes for ComfyUI: install them into a ComfyUI that is there, list them, and remove them."""

    command: (
        Annotated[ComfyUIInstall, tyro.conf.subcommand("install")]
        | Annotated[ComfyUIList, tyro.conf.subcommand("list")]
        | Annotated[ComfyUIRemove, tyro.conf.subcommand("remove")]
    )
    """What to do."""

    def run(self) -> int:
        """Run the chosen command."""
        return self.command.run()
