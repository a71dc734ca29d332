"""Runs graphs as ComfyUI does: checks inputs against INPUT_TYPES, calls nodes by name, keeps their outputs.

What is checked follows ComfyUI's `execution.py` (`validate_inputs`, `get_input_data`) and its documentation
of V1 nodes; graphs are in the form of its API: {id: {"class_type": ..., "inputs": {...}}}, an input being a
value or [id, number of the output].
"""

import math
from typing import Any

import torch

from toile.comfyui.nodes import NODE_CLASS_MAPPINGS

Graph = dict[str, dict[str, Any]]
PLAIN = {"INT": int, "FLOAT": (int, float), "STRING": str, "BOOLEAN": bool}
"""Types whose values are widgets."""


class InvalidInput(Exception):
    """ComfyUI would refuse to run the graph."""


def check_definition(name: str) -> None:
    """See that a node is one: what ComfyUI reads of its class is there and fits together."""
    node = NODE_CLASS_MAPPINGS[name]
    assert callable(getattr(node, node.FUNCTION))
    assert isinstance(node.CATEGORY, str) and isinstance(node.RETURN_TYPES, tuple)
    assert len(node.RETURN_TYPES) == len(node.RETURN_NAMES) == len(node.OUTPUT_TOOLTIPS)
    sockets = node.INPUT_TYPES()
    assert set(sockets) <= {"required", "optional", "hidden"}
    for kind, options in all_sockets(name).values():
        if isinstance(kind, list):
            assert kind and all(isinstance(choice, str) for choice in kind)
            assert options["default"] in kind
        else:
            assert kind in PLAIN or kind == kind.upper()
        if kind in ("INT", "FLOAT"):
            assert options["min"] <= options["default"] <= options["max"]


def all_sockets(name: str) -> dict[str, tuple[Any, dict[str, Any]]]:
    """Every input of a node, required ones first."""
    sockets = NODE_CLASS_MAPPINGS[name].INPUT_TYPES()
    return sockets.get("required", {}) | sockets.get("optional", {})


def validate(graph: Graph) -> None:
    """Refuse what ComfyUI refuses before it runs anything."""
    for key, item in graph.items():
        if item["class_type"] not in NODE_CLASS_MAPPINGS:
            raise InvalidInput(f"{key}: no node {item['class_type']}")
        _validate_node(graph, key)


def _validate_node(graph: Graph, key: str) -> None:
    name, inputs = graph[key]["class_type"], graph[key]["inputs"]
    missing = set(NODE_CLASS_MAPPINGS[name].INPUT_TYPES()["required"]) - set(inputs)
    if missing:
        raise InvalidInput(f"{key}: required inputs are missing: {sorted(missing)}")
    for field, value in inputs.items():
        if field not in all_sockets(name):
            raise InvalidInput(f"{key}: {name} has no input {field}")
        kind, options = all_sockets(name)[field]
        if isinstance(value, list):
            _validate_link(graph, f"{key}.{field}", value, kind)
        elif isinstance(kind, list):
            if value not in kind:
                raise InvalidInput(f"{key}.{field}: {value!r} not in {kind}")
        elif kind not in PLAIN or not isinstance(value, PLAIN[kind]):
            raise InvalidInput(f"{key}.{field}: {value!r} is no {kind}")
        elif kind in ("INT", "FLOAT") and not options["min"] <= value <= options["max"]:
            raise InvalidInput(f"{key}.{field}: {value} beyond {options['min']}..{options['max']}")


def _validate_link(graph: Graph, where: str, link: list, kind: Any) -> None:
    source, number = link
    given = NODE_CLASS_MAPPINGS[graph[source]["class_type"]].RETURN_TYPES
    if number >= len(given) or given[number] != kind:
        raise InvalidInput(f"{where}: {link} is no {kind}")


def run(graph: Graph) -> dict[str, tuple]:
    """Run every node once, in an order that their links allow; returns each one's outputs."""
    validate(graph)
    outputs: dict[str, tuple] = {}
    with torch.inference_mode():  # as ComfyUI's executor does
        while len(outputs) < len(graph):
            for key, item in graph.items():
                links = [value[0] for value in item["inputs"].values() if isinstance(value, list)]
                if key not in outputs and all(source in outputs for source in links):
                    outputs[key] = _execute(item, outputs)
    return outputs


def _execute(item: dict[str, Any], outputs: dict[str, tuple]) -> tuple:
    kind = NODE_CLASS_MAPPINGS[item["class_type"]]
    inputs = {
        name: outputs[value[0]][value[1]] if isinstance(value, list) else value
        for name, value in item["inputs"].items()
    }
    given = getattr(kind(), kind.FUNCTION)(**inputs)
    check_outputs(item["class_type"], given)
    return given


def check_outputs(name: str, given: tuple) -> None:
    """See that outputs are what RETURN_TYPES says, in ComfyUI's shapes and ranges."""
    kinds = NODE_CLASS_MAPPINGS[name].RETURN_TYPES
    assert isinstance(given, tuple) and len(given) == len(kinds)
    for kind, value in zip(kinds, given, strict=True):
        if kind in ("IMAGE", "MASK"):
            assert value.dtype == torch.float32 and value.device.type == "cpu"
            assert value.ndim == (4 if kind == "IMAGE" else 3)
            assert kind == "MASK" or value.shape[-1] == 3
            assert float(value.min()) >= 0 and float(value.max()) <= 1
        elif kind in PLAIN:
            assert isinstance(value, PLAIN[kind])
            assert kind != "FLOAT" or math.isfinite(value)
        else:
            assert value is not None


def node(name: str, /, **inputs: Any) -> dict[str, Any]:
    """A node of a graph, with the values that its widgets have when nobody changes them."""
    defaults = {
        field: options["default"] for field, (_, options) in all_sockets(name).items() if "default" in options
    }
    return {"class_type": name, "inputs": defaults | inputs}
