import pytest

from toile.errors import ToileError
from toile.files import check_writable, whole_file, write_text


def names(folder):
    return {path.name for path in folder.iterdir()}


def test_a_file_is_written_and_nothing_else(tmp_path):
    write_text("Schürze", tmp_path / "new" / "a.txt")
    assert names(tmp_path / "new") == {"a.txt"}
    assert (tmp_path / "new" / "a.txt").read_bytes() == "Schürze".encode()


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, ValueError, ToileError])
def test_an_interrupted_write_leaves_what_was_there(tmp_path, interruption):
    (tmp_path / "a.txt").write_text("older")
    with pytest.raises(interruption), whole_file(tmp_path / "a.txt") as beside:
        beside.write_text("half of the ne")
        raise interruption("stopped")
    assert names(tmp_path) == {"a.txt"}
    assert (tmp_path / "a.txt").read_text() == "older"


def test_nothing_can_be_written_under_a_file(tmp_path):
    (tmp_path / "file").touch()
    for write in (
        lambda: write_text("", tmp_path / "file" / "a.txt"),
        lambda: check_writable(tmp_path / "file"),
    ):
        with pytest.raises(ToileError, match="cannot be written") as error:
            write()
        assert "\n" not in str(error.value)


def test_checking_leaves_nothing(tmp_path):
    check_writable(tmp_path / "a" / "b")
    assert names(tmp_path / "a" / "b") == set()
