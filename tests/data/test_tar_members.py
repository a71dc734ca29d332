"""Headers of a shard, walked over without keeping them; damage is never taken for the end."""

import io
import tarfile
import tracemalloc

import pytest

from toile.data.tar_members import tar_members
from toile.errors import ToileError


def write(path, names, content=b"x" * 700, form=tarfile.USTAR_FORMAT):
    with tarfile.open(path, "w", format=form) as shard:
        for name in names:
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            shard.addfile(entry, io.BytesIO(content))
    return path


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_a_walk_may_begin_at_any_member(tmp_path, form):
    names = ["a.jpg", "d" * 60 + "/" + "ü" * 40 + ".jpg", "d/c.json"]
    path = write(tmp_path / "a.tar", names, form=form)
    members = list(tar_members(path))
    assert [member.name for member in members] == names
    for place, member in enumerate(members):
        assert [later.name for later in tar_members(path, member.offset)] == names[place:]
        assert path.read_bytes()[member.offset_data :][:700] == b"x" * 700


def test_a_shard_that_is_cut_short_is_refused_wherever_it_is_cut(tmp_path):
    path = write(tmp_path / "a.tar", ["a.jpg", "b.jpg", "c.jpg"])
    last = list(tar_members(path))[-1]
    whole = path.read_bytes()
    for length in range(0, last.offset_data + 1024, 256):
        path.write_bytes(whole[:length])
        with pytest.raises(ToileError, match=r"cut short|damaged"):
            list(tar_members(path))


def test_a_damaged_header_is_not_taken_for_the_end(tmp_path):
    path = write(tmp_path / "a.tar", ["a.jpg", "b.jpg", "c.jpg"])
    second = list(tar_members(path))[1].offset
    content = bytearray(path.read_bytes())
    content[second + 5] ^= 1
    path.write_bytes(content)
    with pytest.raises(ToileError, match="damaged in its midst"):
        list(tar_members(path))


def test_links_compression_and_what_is_no_tar_are_refused(tmp_path):
    link = tarfile.TarInfo("a.jpg")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    with tarfile.open(tmp_path / "link.tar", "w") as shard:
        shard.addfile(link)
    with tarfile.open(tmp_path / "gz.tar", "w:gz") as shard:
        shard.addfile(tarfile.TarInfo("a.jpg"))
    (tmp_path / "text.tar").write_text("no tar" * 1000)
    for name, said in (
        ("link", "is a link"),
        ("gz", "unpack it"),
        ("text", "no plain tar"),
        ("none", "none.tar"),
    ):
        with pytest.raises(ToileError, match=said):
            list(tar_members(tmp_path / f"{name}.tar"))


def test_headers_are_not_kept(tmp_path):
    path = write(tmp_path / "a.tar", (f"{number:06d}.jpg" for number in range(5000)), b"")
    tracemalloc.start()
    assert sum(1 for _ in tar_members(path)) == 5000
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 500_000
