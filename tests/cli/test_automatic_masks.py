from pathlib import Path

import pytest
from tests.data.small_parser import figure

from toile.cli.automatic_masks import NotedMasks, box_instead, given_mask, say
from toile.errors import ToileError

INSTEAD = "the whole photo counts"
SIZE = (96, 64)


def test_the_words_auto_and_none_are_no_files():
    assert given_mask("auto") is None and given_mask("none") is None
    assert given_mask("m.png") == Path("m.png") and given_mask(Path("auto")) == Path("auto")


def test_what_was_found_is_said_in_one_line(parser_folder, capsys):
    finder = NotedMasks("upper", parser=str(parser_folder))
    finder.note("--mask", INSTEAD)
    assert capsys.readouterr().err == ""
    mask = finder.find(figure()[0], "ann.png", SIZE)
    assert mask is not None and mask.size == (64, 96)
    finder.note("--mask", INSTEAD)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("note: no mask was given: ") and "(upper)" in line
    assert "--mask none" in line and INSTEAD not in line


def test_photos_without_the_garment_are_named(parser_folder, capsys):
    finder = NotedMasks("upper", parser=str(parser_folder))
    assert finder.find(figure()[0], "ann.png", SIZE) is not None
    assert finder.find(figure((1, 3))[0], "bob.png", SIZE) is None
    finder.note("--mask", INSTEAD)
    (line,) = capsys.readouterr().err.splitlines()
    assert "bob.png" in line and "ann.png" not in line and INSTEAD in line
    for _ in range(9):
        finder.find(figure((1, 3))[0], "cy.png", SIZE)
    finder.note("--mask", INSTEAD)
    assert "in 10 of the photos" in capsys.readouterr().err


def test_the_bundled_parser_may_be_missing_but_no_other(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr("toile.data.parsing.weights_folder", lambda: tmp_path)
    finder = NotedMasks("upper")
    assert finder.find(figure()[0], "ann.png", SIZE) is None
    finder.note("--mask", INSTEAD)
    (line,) = capsys.readouterr().err.splitlines()
    assert "missing" in line and INSTEAD in line
    with pytest.raises(ToileError, match="nothing/there"):
        NotedMasks("upper", parser="nothing/there")


def test_notes_are_one_line(capsys):
    say("two\nlines")
    assert capsys.readouterr().err == "note: two lines\n"
    assert "(dress)" in box_instead("--mask", "dress", "PERSON")
