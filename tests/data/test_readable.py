"""A broken pair gives its place to the next, everywhere the same one."""

from pathlib import Path

import pytest
from PIL import Image

from toile.data.faults import FaultLog
from toile.data.picture_files import FilePictures
from toile.data.readable import ReadablePairs, loaded
from toile.data.record import GarmentPair
from toile.errors import ToileError


def make_pairs(folder: Path, count: int, broken: set[int]) -> list[GarmentPair]:
    """Pairs of small pictures, each in its own grey; the photos of the broken ones are cut short."""
    pairs = []
    for number in range(count):
        names = folder / f"{number}-person.png", folder / f"{number}-garment.png"
        for path in names:
            Image.new("RGB", (8, 12), (number * 20,) * 3).save(path)
        if number in broken:
            names[0].write_bytes(b"damaged")
        pictures = FilePictures(person_file=names[0], garment_file=names[1])
        pairs.append(
            GarmentPair(
                identifier=f"pair {number}",
                category="upper",
                caption="",
                garment_caption="",
                source="set",
                pictures=pictures,
            )
        )
    return pairs


def test_broken_pairs_give_way_to_the_next(tmp_path: Path, capsys) -> None:
    pairs = make_pairs(tmp_path, 5, {1, 2, 4})
    readable = ReadablePairs(pairs, FaultLog(tmp_path / "faults"))
    assert [readable[index].identifier for index in range(5)] == [
        "pair 0",
        "pair 3",
        "pair 3",
        "pair 3",
        "pair 0",
    ]
    assert readable[-1].identifier == "pair 0" and len(readable) == 5
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 3 and all("is not a picture" in line for line in said)
    again = ReadablePairs(pairs, FaultLog(tmp_path / "faults"))
    assert again[2].identifier == "pair 3"
    assert capsys.readouterr().err == ""  # it was told already


def test_a_loaded_pair_is_read_once(tmp_path: Path) -> None:
    (pair,) = make_pairs(tmp_path, 1, set())
    kept = loaded(pair)
    for path in tmp_path.iterdir():
        path.unlink()
    assert kept.person.getpixel((0, 0)) == (0, 0, 0)
    assert kept.mask.getextrema() == (255, 255) and kept.silhouette.size == (8, 12)
    assert kept.parse is None and kept.pose is None
    assert loaded(kept) is kept


def test_a_broken_pair_stops_a_run_that_asked_for_it(tmp_path: Path) -> None:
    readable = ReadablePairs(make_pairs(tmp_path, 2, {1}), FaultLog(tmp_path / "faults"), broken="stop")
    assert readable[0].identifier == "pair 0"
    with pytest.raises(ToileError, match="1-person"):
        readable[1]


def test_nothing_but_broken_pairs(tmp_path: Path) -> None:
    readable = ReadablePairs(make_pairs(tmp_path, 3, {0, 1, 2}), FaultLog(tmp_path / "faults"))
    with pytest.raises(ToileError, match=r"none of 3 pairs in a row can be read.*2-person"):
        readable[2]
    with pytest.raises(IndexError):
        readable[3]
