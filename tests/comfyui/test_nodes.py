import pytest
from tests.comfyui.graph import all_sockets, check_definition

from toile.comfyui.nodes import NODE_CLASS_MAPPINGS, NODE_DISPLAY_NAME_MAPPINGS, NODES, describe_nodes


@pytest.mark.parametrize("name", NODE_CLASS_MAPPINGS)
def test_every_node_is_one(name):
    check_definition(name)


@pytest.mark.parametrize("name", NODE_CLASS_MAPPINGS)
def test_every_input_and_output_is_explained(name):
    assert all(options["tooltip"] for _, options in all_sockets(name).values())
    assert all(NODE_CLASS_MAPPINGS[name].OUTPUT_TOOLTIPS)
    assert NODE_CLASS_MAPPINGS[name].DESCRIPTION.endswith(".")


def test_names_are_told_apart():
    assert len(NODE_CLASS_MAPPINGS) == len(NODES) == len(set(NODE_DISPLAY_NAME_MAPPINGS.values()))
    assert set(NODE_DISPLAY_NAME_MAPPINGS) == set(NODE_CLASS_MAPPINGS)
    assert all(name.startswith("Toile") for name in NODE_CLASS_MAPPINGS)


def test_names_that_graphs_have_stored_stay():
    """Graphs of users hold these; adding is fine, renaming breaks them."""
    assert set(NODE_CLASS_MAPPINGS) >= {
        "ToileModels",
        "ToileFindMask",
        "ToileRestore",
        "ToileTakeOff",
        "ToileTryOn",
        "ToileSwap",
        "ToileGarment",
        "ToileKeptOutfit",
        "ToileDress",
        "ToileDoll",
    }


def test_the_list_says_everything():
    text = describe_nodes()
    for name in NODE_CLASS_MAPPINGS:
        assert NODE_CLASS_MAPPINGS[name].TITLE in text
        for field in all_sockets(name):
            assert field in text


def test_the_list_names_what_can_be_chosen(monkeypatch):
    assert "category {upper,lower,dress}" in describe_nodes()
    monkeypatch.setattr("toile.comfyui.nodes.MOST_CHOICES", 2)
    assert "category {upper,lower,...}" in describe_nodes()
