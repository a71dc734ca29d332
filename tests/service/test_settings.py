import pytest

from toile.errors import ToileError
from toile.service.limits import Limits
from toile.service.settings import TASKS, Settings
from toile.tasks.every import REQUESTS


def test_every_task_can_be_offered_with_the_systems_that_it_needs():
    assert set(TASKS) == set(REQUESTS)
    for task, systems in TASKS.items():
        assert set(REQUESTS[task].systems) <= set(systems)
    assert Settings(tasks=("tryon", "takeoff")).systems == ("twgtm",)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"tasks": ("resture",)}, "'resture'"),
        ({"tasks": ()}, "no task"),
        ({"queue": 0}, "queue is 0"),
        ({"batch": -1}, "batch is -1"),
        ({"wait_ms": -1.0}, "wait ms is -1"),
        ({"grace": float("nan")}, "grace is nan"),
        ({"token": "short"}, "5 signs"),
        ({"token": "with spaces in it"}, "without spaces"),
    ],
)
def test_a_setting_that_cannot_be_is_named(settings, message):
    with pytest.raises(ToileError, match=message):
        Settings(**settings)


@pytest.mark.parametrize("name", ["max_megabytes", "max_steps", "keep_seconds"])
def test_a_limit_that_nothing_passes_is_refused(name):
    with pytest.raises(ToileError, match="must be above 0"):
        Limits(**{name: 0})


def test_a_token_is_not_shown():
    assert "hush-hush-hush" not in repr(Settings(token="hush-hush-hush"))
