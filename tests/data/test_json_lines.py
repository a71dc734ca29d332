import json

import pytest

from toile.data.json_lines import GrowingLines, read_lines
from toile.errors import ToileError


def test_what_was_appended_is_read_back_and_on_the_disk_at_once(tmp_path):
    path = tmp_path / "deep" / "log.jsonl"
    with GrowingLines(path) as log:
        log.append({"a": 1})
        log.append({"b": "ü\n"}, sync=False)
        assert read_lines(path) == [{"a": 1}, {"b": "ü\n"}]
    assert path.read_bytes().count(b"\n") == 2


def test_a_line_cut_short_is_left_out_and_then_cut_off(tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_bytes(b'{"a": 1}\n{"a": 2, "b')
    assert read_lines(path) == [{"a": 1}]
    with GrowingLines(path) as log:
        log.append({"a": 3})
    assert [json.loads(line) for line in path.read_text().splitlines()] == [{"a": 1}, {"a": 3}]


@pytest.mark.parametrize("line", [b"nonsense\n", b"[1]\n", b"\xff\xfe\n"])
def test_a_finished_line_that_is_none_is_named(tmp_path, line):
    path = tmp_path / "log.jsonl"
    path.write_bytes(b"{}\n" + line)
    with pytest.raises(ToileError, match="line 2"):
        read_lines(path)


def test_what_cannot_be_read_or_written_is_one_error(tmp_path):
    with pytest.raises(ToileError, match="cannot be read"):
        read_lines(tmp_path / "none")
    (tmp_path / "file").touch()
    with pytest.raises(ToileError, match="cannot be written"):
        GrowingLines(tmp_path / "file" / "log.jsonl")
