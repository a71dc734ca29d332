from pathlib import Path

import pytest

from toile.errors import ToileError
from toile.evaluation.study.files import Study, StudyItem, StudyKey, read_key, read_study, write_study
from toile.evaluation.study.questions import QUESTIONS

STUDY = Study(
    questions=QUESTIONS,
    items=(StudyItem(identifier="a", group=0, prompt="p", inputs=("b",), results=("c", "d")),),
    sets=3,
    seed=1,
)
KEY = StudyKey(methods=("x", "y"), pictures={"c": "x", "d": "y"}, items={"a": "name"})


def test_what_is_written_is_read(tmp_path: Path) -> None:
    write_study(STUDY, KEY, tmp_path)
    assert read_study(tmp_path) == STUDY and read_key(tmp_path) == KEY


@pytest.mark.parametrize("text", [None, "{", "[]", "{}", '{"format": 1}', '{"format": 1, "questions": 3}'])
def test_anything_else_is_refused_in_one_line(text: str | None, tmp_path: Path) -> None:
    for name in ("study.json", "key.json") if text is not None else ():
        (tmp_path / name).write_text(text or "")
    for read in (read_study, read_key):
        with pytest.raises(ToileError, match="toile study make") as refused:
            read(tmp_path)
        assert "\n" not in str(refused.value)
