"""Names become files' names: none leads elsewhere, and none is there twice."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toile.catalogue.names import NameCheck, check_name, numbered_name, safe_name, same_file
from toile.errors import ToileError


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        ".",
        "..",
        "../a",
        "a/b",
        "/etc/passwd",
        "a\\b",
        "C:a",
        ".hidden",
        "a\nb",
        "a\0",
        "a.",
        "b ",
        "x" * 201,
    ],
)
def test_names_that_lead_elsewhere_or_are_no_files_are_refused(name):
    with pytest.raises(ToileError, match="name"):
        check_name(name)


@pytest.mark.parametrize("name", ["a", "sku-12.front", "Kleid, rot", "漢字", "a..b", "x" * 200])
def test_usual_names_are_left_as_they_are(name):
    check_name(name)
    assert safe_name(name) == name


@given(st.text())
def test_any_text_gives_a_name_that_can_be_used(text):
    check_name(safe_name(text))


def suspects(*names):
    check = NameCheck()
    for name in names:
        check.add(name)
    return check.suspects().tolist()


def test_equal_names_are_found_wherever_they_stand():
    assert suspects("a", "b", "c", "b", "a") == [[1, 3], [0, 4]]
    assert suspects("a", "b", "c") == []
    assert suspects() == []


def test_names_that_are_one_file_somewhere_count_as_equal():
    assert suspects("Kleid", "kleid") == [[0, 1]]
    assert suspects("e\u0301", "\u00e9") == [[0, 1]]
    assert same_file("straße") == same_file("STRASSE")


def test_numbered_names_are_names():
    check_name(numbered_name(12))
    assert numbered_name(12) == "item-0000012"
