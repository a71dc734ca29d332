"""The example workflows, as graphs and in the form in which ComfyUI's page saves them.

`python -m tests.comfyui.workflows` writes them to `src/toile/comfyui/example_workflows`. The form is the
page's own (version 0.4): nodes with places, sockets and their widgets' values in order, and a list of links.
"""

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

from tests.comfyui.graph import PLAIN, Graph, all_sockets, node

from toile.comfyui.nodes import NODE_CLASS_MAPPINGS, NODE_DISPLAY_NAME_MAPPINGS

FOLDER = Path(str(files("toile.comfyui") / "example_workflows"))
CORE: dict[str, dict[str, tuple[Any, dict[str, Any]]]] = {
    "PreviewImage": {"images": ("IMAGE", {})},
    "SaveImage": {"images": ("IMAGE", {}), "filename_prefix": ("STRING", {"default": "toile"})},
}
"""ComfyUI's own nodes that the examples use, with their inputs; both give nothing."""
COLUMN, ROW = 380, 420
"""Distances of nodes on the page."""


def examples() -> dict[str, Graph]:
    """Every example as a graph, by the name that ComfyUI's templates show."""
    return {
        "restore-and-take-off": _restore_and_take_off(),
        "try-on-and-swap": _try_on_and_swap(),
        "dress-by-prompt": _dress(),
    }


def _restore_and_take_off() -> Graph:
    photo = ["2", 0]
    return {
        "1": node("ToileModels"),
        "2": node("ToileDoll", category="upper"),
        "3": node("ToileRestore", models=["1", 0], photo=photo, mask=["2", 2]),
        "4": node("ToileTakeOff", models=["1", 0], photo=photo),
        "5": {"class_type": "PreviewImage", "inputs": {"images": photo}},
        "6": {"class_type": "PreviewImage", "inputs": {"images": ["3", 0]}},
        "7": {"class_type": "PreviewImage", "inputs": {"images": ["4", 0]}},
    }


def _try_on_and_swap() -> Graph:
    return {
        "1": node("ToileModels"),
        "2": node("ToileDoll", category="upper"),
        "3": node("ToileDoll", category="upper", seed=10_000_003),
        "4": node("ToileTryOn", models=["1", 0], person=["2", 0], garment=["3", 1], mask=["2", 2]),
        "5": node("ToileSwap", models=["1", 0], wearer=["2", 0], target=["3", 0], target_mask=["3", 2]),
        "6": {"class_type": "PreviewImage", "inputs": {"images": ["2", 0]}},
        "7": {"class_type": "PreviewImage", "inputs": {"images": ["3", 0]}},
        "8": {"class_type": "PreviewImage", "inputs": {"images": ["4", 0]}},
        "9": {"class_type": "PreviewImage", "inputs": {"images": ["5", 0]}},
    }


def _dress() -> Graph:
    prompt = "a woman with long black hair, in the street"
    return {
        "1": node("ToileModels"),
        "2": node("ToileDoll", category="upper"),
        "3": node("ToileDoll", category="lower", seed=10_000_001),
        "4": node("ToileGarment", models=["1", 0], garment=["2", 1], kind="upper"),
        "5": node("ToileGarment", models=["1", 0], garment=["3", 1], kind="lower", wardrobe=["4", 0]),
        "6": node("ToileDress", models=["1", 0], wardrobe=["5", 0], prompt=prompt, pictures=4),
        "7": {"class_type": "SaveImage", "inputs": {"images": ["6", 0], "filename_prefix": "toile"}},
    }


def inputs_of(name: str) -> dict[str, tuple[Any, dict[str, Any]]]:
    """The inputs of a node, ours or ComfyUI's."""
    return CORE[name] if name in CORE else all_sockets(name)


def is_widget(kind: Any) -> bool:
    """Whether an input of a type is written in the node itself."""
    return isinstance(kind, list) or kind in PLAIN


def page_form(graph: Graph) -> dict[str, Any]:
    """A graph as ComfyUI's page saves it."""
    links = _links(graph)
    nodes = [_page_node(graph, key, links) for key in graph]
    return {
        "last_node_id": max(map(int, graph)),
        "last_link_id": len(links),
        "nodes": nodes,
        "links": links,
        "groups": [],
        "config": {},
        "extra": {},
        "version": 0.4,
    }


def _links(graph: Graph) -> list[list]:
    """[number, from, output, to, input, type] of every link."""
    links: list[list] = []
    for key, item in graph.items():
        sockets = [name for name, (kind, _) in inputs_of(item["class_type"]).items() if not is_widget(kind)]
        for place, name in enumerate(sockets):
            if name in item["inputs"]:
                source, output = item["inputs"][name]
                kind = inputs_of(item["class_type"])[name][0]
                links.append([len(links) + 1, int(source), output, int(key), place, kind])
    return links


def _page_node(graph: Graph, key: str, links: list[list]) -> dict[str, Any]:
    name = graph[key]["class_type"]
    sockets = {field: kind for field, (kind, _) in inputs_of(name).items() if not is_widget(kind)}
    coming = {link[4]: link[0] for link in links if link[3] == int(key)}
    node_type = NODE_CLASS_MAPPINGS.get(name)
    given = zip(node_type.RETURN_NAMES, node_type.RETURN_TYPES, strict=True) if node_type else ()
    depth = _depth(graph, key)
    above = sum(_depth(graph, other) == depth for other in list(graph)[: list(graph).index(key)])
    return {
        "id": int(key),
        "type": name,
        "title": NODE_DISPLAY_NAME_MAPPINGS.get(name, name),
        "pos": [depth * COLUMN, above * ROW],
        "size": [320, 340],
        "flags": {},
        "order": list(graph).index(key),
        "mode": 0,
        "inputs": [
            {"name": field, "type": kind, "link": coming.get(place)}
            for place, (field, kind) in enumerate(sockets.items())
        ],
        "outputs": [
            {"name": field, "type": kind, "links": _going(links, int(key), place), "slot_index": place}
            for place, (field, kind) in enumerate(given)
        ],
        "properties": {"Node name for S&R": name},
        "widgets_values": _widgets(name, graph[key]["inputs"]),
    }


def _depth(graph: Graph, key: str) -> int:
    sources = [value[0] for value in graph[key]["inputs"].values() if isinstance(value, list)]
    return 1 + max((_depth(graph, source) for source in sources), default=-1)


def _going(links: list[list], key: int, output: int) -> list[int]:
    return [link[0] for link in links if link[1] == key and link[2] == output]


def _widgets(name: str, inputs: dict[str, Any]) -> list:
    """The values of widgets in order; what a seed does after a run stands behind it."""
    values: list = []
    for field, (kind, options) in inputs_of(name).items():
        if is_widget(kind):
            values.append(inputs[field])
            values += ["fixed"] if options.get("control_after_generate") else []
    return values


def graph_of(page: dict[str, Any]) -> Graph:
    """Read what the page saved as a graph again, as the page itself does before it runs one."""
    links = {link[0]: [str(link[1]), link[2]] for link in page["links"]}
    graph: Graph = {}
    for item in page["nodes"]:
        inputs: dict[str, Any] = {}
        for socket in item["inputs"]:
            if socket["link"] is not None:
                inputs[socket["name"]] = links[socket["link"]]
        values = iter(item["widgets_values"])
        for field, (kind, options) in inputs_of(item["type"]).items():
            if is_widget(kind):
                inputs[field] = next(values)
                if options.get("control_after_generate"):
                    next(values)
        graph[str(item["id"])] = {"class_type": item["type"], "inputs": inputs}
    return graph


def main() -> None:
    """Write the examples."""
    FOLDER.mkdir(exist_ok=True)
    for name, graph in examples().items():
        text = json.dumps(page_form(graph), indent=1, ensure_ascii=False)
        (FOLDER / f"{name}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
