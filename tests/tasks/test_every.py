from toile.tasks.every import REQUESTS


def test_the_tasks_are_the_command_line_s():
    assert list(REQUESTS) == ["restore", "takeoff", "tryon", "swap", "dress"]
    assert all(kind.task == name and kind.systems for name, kind in REQUESTS.items())
