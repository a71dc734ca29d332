from pathlib import Path

import pytest

from toile.errors import ToileError
from toile.training.settings import RunSettings


@pytest.mark.parametrize(
    ("name", "value"),
    [("save_every", 0), ("keep", 0), ("log_every", -1), ("workers", -1), ("device", "gpu"), ("threads", 0)],
)
def test_values_that_cannot_run_are_refused_by_name(name: str, value: object) -> None:
    with pytest.raises(ToileError, match=f"{name} is {value!r}"):
        RunSettings(folder=Path("run"), **{name: value})
