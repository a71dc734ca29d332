"""Failures are gathered by their reason, and what is kept of them is bounded."""

import pytest

from toile.catalogue.error_kinds import LISTED, MOST_KINDS, OF_EACH, OTHERS, ErrorKinds, kind_of


@pytest.mark.parametrize(
    ("errors", "kind"),
    [
        (
            (
                "a b: the photo is damaged or cut short (truncated (3 bytes)); get it again [/x/a b [1].jpg]",
                "a b: the photo is damaged or cut short (broken stream); get it again [/y/c.jpg]",
            ),
            "the photo is damaged or cut short; get it again",
        ),
        (
            (
                "/x/my list.csv, line 12: category is 'shoe'; write one of upper, lower",
                "/x/my list.csv, line 1300: category is 'hat'; write one of upper, lower",
                "/x/a b.tar, sample 'd/e': category is 'hat'; write one of upper, lower",
            ),
            "category is …; write one of upper, lower",
        ),
        (
            (
                "a b: the mask has 12×3 pixels and its photo 4×5; a mask has the size of its photo",
                "a b: the mask has 120×30 pixels and its photo 40×50; a mask has the size of its photo",
            ),
            "the mask has … pixels and its photo …; a mask has the size of its photo",
        ),
        (("a b: ", "[/x]"), OTHERS),
    ],
)
def test_names_files_and_numbers_do_not_matter(errors, kind):
    assert {kind_of(error, "a b") for error in errors} == {kind}


def failure(number, error):
    return {"number": number, "name": f"n{number}", "state": "failed", "error": error}


def test_what_is_kept_does_not_grow_with_the_failures():
    kinds = ErrorKinds()
    for number in range(5 * LISTED):
        kinds.add(failure(number, f"n{number}: the photo does not exist"))
    for number in range(4):
        kinds.add(failure(number, "the photo is an empty file"))
    first, second = kinds
    assert (first.count, len(first.rows)) == (5 * LISTED, LISTED)
    assert (second.count, len(second.rows)) == (4, OF_EACH)
    assert len(kinds) == 5 * LISTED + 4


def test_kinds_beyond_the_limit_count_as_one():
    kinds = ErrorKinds()
    for number in range(MOST_KINDS + 50):
        kinds.add(failure(number, "reason " + "x" * number))
    found = list(kinds)
    assert len(found) == MOST_KINDS + 1
    assert (found[0].text, found[0].count) == (OTHERS, 50)
    assert ErrorKinds().kinds == {}
