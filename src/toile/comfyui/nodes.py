"""All nodes, under the names that ComfyUI's graphs store."""

from toile.comfyui.dolls import ToileDoll
from toile.comfyui.dress import ToileDress
from toile.comfyui.models import ToileModels
from toile.comfyui.node import Node
from toile.comfyui.regions import ToileFindMask
from toile.comfyui.restore import ToileRestore
from toile.comfyui.swap import ToileSwap
from toile.comfyui.take_off import ToileTakeOff
from toile.comfyui.try_on import ToileTryOn
from toile.comfyui.wardrobe import ToileGarment, ToileKeptOutfit

NODES: tuple[type[Node], ...] = (
    ToileModels,
    ToileFindMask,
    ToileRestore,
    ToileTakeOff,
    ToileTryOn,
    ToileSwap,
    ToileGarment,
    ToileKeptOutfit,
    ToileDress,
    ToileDoll,
)
"""In the order in which they are listed."""

NODE_CLASS_MAPPINGS = {node.__name__: node for node in NODES}
"""What ComfyUI reads: nodes by the names that graphs store, which therefore never change."""
NODE_DISPLAY_NAME_MAPPINGS = {node.__name__: node.TITLE for node in NODES}
"""What ComfyUI reads: what users see."""
MOST_CHOICES = 6
"""Values of a choice that the list names."""


def describe_nodes() -> str:
    """What each node is for, what goes into it and what comes out."""
    return "\n\n".join(_described(node) for node in NODES)


def _described(node: type[Node]) -> str:
    sockets = node.INPUT_TYPES()
    needed = [f"{name} {_kind(socket[0])}" for name, socket in sockets["required"].items()]
    further = [f"[{name} {_kind(socket[0])}]" for name, socket in sockets.get("optional", {}).items()]
    given = [f"{name} {kind}" for name, kind in zip(node.RETURN_NAMES, node.RETURN_TYPES, strict=True)]
    inputs, outputs = ", ".join(needed + further), ", ".join(given)
    return f"{node.TITLE} ({node.__name__})\n  {node.DESCRIPTION}\n  in: {inputs}\n  out: {outputs}"


def _kind(kind: str | list[str]) -> str:
    """A type by its name, a choice by its values, as far as they fit."""
    if isinstance(kind, str):
        return kind
    shown = [*kind[:MOST_CHOICES], "..."] if len(kind) > MOST_CHOICES else kind
    return f"{{{','.join(shown)}}}"
