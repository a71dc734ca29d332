from dataclasses import replace

import pytest

from toile.errors import ToileError
from toile.evaluation.reports.truths import truths_of


def test_a_protocol_that_is_not_there_has_no_truths_unless_data_was_given(three) -> None:
    assert truths_of(three[0], None) == {}
    with pytest.raises(ToileError, match="no protocol"):
        truths_of(three[0], "dolls:0:4")


def test_the_dolls_of_a_protocol_are_found_again(three) -> None:
    result = replace(three[0], protocol={"name": "dolls-restore"})
    assert truths_of(result, "dolls:0:3").keys() == {f"studio-{seed:08d}" for seed in range(3)}
