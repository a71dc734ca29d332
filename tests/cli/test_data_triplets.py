import pytest

from toile.cli.data_triplets import MakeTriplets, make_triplets
from toile.data.triplet_folder import open_triplets
from toile.errors import ToileError


def test_triplets_of_dolls(tmp_path, capsys):
    command = MakeTriplets(data="dolls:20:6", output=tmp_path, size="128x96")
    assert command.run() == 0
    out = capsys.readouterr().out
    found = open_triplets(tmp_path)
    assert f"{len(found)} triplets" in out and 0 < len(found) <= 6
    assert all(len(triplet.garments) >= 2 and triplet.garments[0].cut_out is False for triplet in found)
    assert command.run() == 0 and capsys.readouterr().out == out


def test_hats_only(tmp_path):
    count = make_triplets("dolls:20:6", tmp_path, size=(128, 96), hats="only")
    assert count.skipped["no hat"] + count.triplets + count.skipped.get("no counterpart", 0) == 6
    assert all("hat" in triplet.kinds for triplet in open_triplets(tmp_path))


def test_mistakes(tmp_path):
    with pytest.raises(ToileError, match="no dataset"):
        make_triplets(str(tmp_path / "gone"), tmp_path / "out")
    with pytest.raises(ToileError, match="nothing/there"):
        make_triplets("dolls:0:1", tmp_path / "out", parser="nothing/there")
    make_triplets("dolls:20:2", tmp_path / "out", size=(128, 96))
    with pytest.raises(ToileError, match="another folder"):
        make_triplets("dolls:21:2", tmp_path / "out", size=(128, 96))
