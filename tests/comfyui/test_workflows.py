import json

import pytest
from tests.comfyui.graph import InvalidInput, run, validate
from tests.comfyui.workflows import CORE, FOLDER, examples, graph_of, inputs_of, is_widget, page_form

from toile.comfyui.nodes import NODE_CLASS_MAPPINGS

PAGES = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.json"))}


def ours(graph):
    """A graph without ComfyUI's own nodes, which only show what ours give."""
    return {key: item for key, item in graph.items() if item["class_type"] not in CORE}


def test_the_files_are_what_the_command_writes():
    wanted = {name: page_form(graph) for name, graph in examples().items()}
    assert wanted == PAGES, "run `python -m tests.comfyui.workflows`"


@pytest.mark.parametrize("name", PAGES)
def test_every_socket_of_an_example_exists(name):
    page = PAGES[name]
    nodes = {item["id"]: item for item in page["nodes"]}
    for item in nodes.values():
        assert item["type"] in NODE_CLASS_MAPPINGS or item["type"] in CORE
        sockets = {field: kind for field, (kind, _) in inputs_of(item["type"]).items() if not is_widget(kind)}
        assert {socket["name"]: socket["type"] for socket in item["inputs"]} == sockets
        if item["type"] in NODE_CLASS_MAPPINGS:
            kind = NODE_CLASS_MAPPINGS[item["type"]]
            assert tuple(output["name"] for output in item["outputs"]) == kind.RETURN_NAMES
            assert tuple(output["type"] for output in item["outputs"]) == kind.RETURN_TYPES
    for number, source, output, target, place, kind in page["links"]:
        assert nodes[source]["outputs"][output]["type"] == nodes[target]["inputs"][place]["type"] == kind
        assert number in nodes[source]["outputs"][output]["links"]
        assert nodes[target]["inputs"][place]["link"] == number


@pytest.mark.parametrize("name", PAGES)
def test_every_example_would_be_run(name):
    validate(ours(graph_of(PAGES[name])))


@pytest.mark.parametrize("name", PAGES)
def test_every_example_runs(name, host, model_folders):
    (host.folder / "toile").mkdir(parents=True)
    graph = ours(graph_of(PAGES[name]))
    graph["1"]["inputs"]["device"] = "cpu"
    for system, folder in model_folders.items():
        (host.folder / "toile" / system).symlink_to(folder)
        graph["1"]["inputs"][system] = system
    for item in graph.values():
        if "steps" in item["inputs"]:
            item["inputs"]["steps"] = 1
    outputs = run(graph)
    assert set(outputs) == set(graph)
    assert len(host.bars) == sum("steps" in item["inputs"] for item in graph.values())
    assert all(bar.seen[-1][0] == bar.total for bar in host.bars)


def test_all_nodes_but_two_are_in_the_examples():
    """An outfit that is kept and a mask that is found are of the user's own."""
    used = {item["class_type"] for graph in examples().values() for item in graph.values()}
    assert set(NODE_CLASS_MAPPINGS) - used == {"ToileKeptOutfit", "ToileFindMask"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"photo": ["1", 0]}, "is no IMAGE"),
        ({"steps": -1}, "-1 beyond 0"),
        ({"category": "hat"}, "'hat' not in"),
        ({"colour": "red"}, "has no input colour"),
        ({"seed": "five"}, "'five' is no INT"),
    ],
)
def test_the_check_would_find_a_mistake(change, said):
    graph = ours(examples()["restore-and-take-off"])
    graph["3"]["inputs"] |= change
    with pytest.raises(InvalidInput, match=said):
        validate(graph)


def test_the_check_misses_no_missing_input():
    graph = ours(examples()["restore-and-take-off"])
    del graph["3"]["inputs"]["photo"]
    with pytest.raises(InvalidInput, match=r"required inputs are missing: \['photo'\]"):
        validate(graph)
