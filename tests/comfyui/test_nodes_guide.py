"""What the guide says of the nodes is checked against them."""

import json
import re
from pathlib import Path

from tests.comfyui.graph import validate
from tests.comfyui.workflows import CORE

from toile.comfyui.nodes import NODES

GUIDE = (Path(__file__).parents[2] / "docs/guide/comfyui.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| ([A-Z][\w ]+) \| (.+) \| (.+) \|$", GUIDE, flags=re.MULTILINE)


def test_every_node_has_a_row():
    assert [title for title, _, _ in ROWS] == [node.TITLE.removesuffix(" (toile)") for node in NODES]


def test_a_row_names_as_many_outputs_as_there_are():
    for (title, _, given), node in zip(ROWS, NODES, strict=True):
        beyond_commas = {"Load Models": 1}  # "models, for every other node"
        assert beyond_commas.get(title, len(given.split(", "))) == len(node.RETURN_TYPES), title


def test_what_is_behind_a_semicolon_is_optional():
    for (title, given, _), node in zip(ROWS, NODES, strict=True):
        optional = node.INPUT_TYPES().get("optional", {})
        sockets = [name for name, (kind, _) in optional.items() if kind in ("MASK", "TOILE_WARDROBE")]
        assert bool(sockets) == (";" in given), title


def test_the_graph_would_be_run():
    graph = json.loads(re.search(r"```json\n(.*?)```", GUIDE, flags=re.DOTALL)[1])
    assert graph["2"]["class_type"] == "LoadImage"  # ComfyUI's own: an IMAGE, then a MASK
    graph["2"] = {"class_type": "ToileDoll", "inputs": _doll()}
    validate({key: item for key, item in graph.items() if item["class_type"] not in CORE})


def _doll() -> dict[str, object]:
    return {"seed": 0, "category": "any", "mode": "studio", "height": 256, "width": 192}
