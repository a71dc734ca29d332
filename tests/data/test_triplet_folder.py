import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from toile.data.doll_triplets import DollTriplets
from toile.data.triplet_folder import FILE, LOG, open_triplets, write_triplets
from toile.data.triplets import Triplet
from toile.errors import ToileError

SIZE = (128, 96)


@pytest.fixture(scope="module")
def triplets():
    """Two triplets and a pair that makes none."""
    made = DollTriplets(20, 1, size=SIZE)
    return [made[0], "no counterpart", made[1]]


@pytest.fixture(scope="module")
def written(triplets, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("triplets")
    write_triplets(triplets, folder, source="dolls", progress=False)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_what_was_written_is_read_back(triplets, written):
    found = open_triplets(written)
    assert len(found) == 2
    for own, wanted in zip(found, [triplets[0], triplets[2]], strict=True):
        assert (own.identifier, own.source, own.caption) == (wanted.identifier, wanted.source, wanted.caption)
        assert own.garments == wanted.garments
        assert abs(np.asarray(own.person).astype(int) - np.asarray(wanted.person)).mean() < 3
        for kind in wanted.kinds:
            assert (np.asarray(own.worn(kind)) == np.asarray(wanted.worn(kind))).all()
            far = abs(np.asarray(own.garment(kind)).astype(int) - np.asarray(wanted.garment(kind))).mean()
            assert far < 3
    assert not (written / LOG).exists()


class Unreadable:
    """Pictures that cannot be read."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def person(self) -> Image.Image:
        raise self.error

    def garment(self, kind: str) -> Image.Image:
        raise self.error

    def worn(self, kind: str) -> Image.Image:
        raise self.error


def unreadable(triplet: Triplet, error: BaseException) -> Triplet:
    return replace(triplet, pictures=Unreadable(error))


def test_a_run_that_was_stopped_goes_on(triplets, written, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        stopped = [*triplets[:2], unreadable(triplets[2], KeyboardInterrupt())]
        write_triplets(stopped, tmp_path, source="dolls", progress=False)
    with pytest.raises(ToileError, match="was not finished"):
        open_triplets(tmp_path)
    with (tmp_path / LOG).open("a") as log:
        log.write('{"identifier": "cut sh')
    done = write_triplets(triplets, tmp_path, source="dolls", progress=False)
    assert (done.triplets, done.made, done.skipped) == (2, 1, {"no counterpart": 1})
    assert contents(tmp_path) == contents(written)
    again = write_triplets(triplets, tmp_path, source="dolls", progress=False)
    assert (again.triplets, again.made) == (2, 0)
    assert contents(tmp_path) == contents(written)


def test_another_source_is_refused(triplets, written):
    before = contents(written)
    for others, source in ((triplets, "other dolls"), (triplets[:1], "dolls")):
        with pytest.raises(ToileError, match="write into another folder"):
            write_triplets(others, written, source=source, progress=False)
    assert contents(written) == before


def test_none_at_all_is_an_error_and_leaves_nothing(tmp_path):
    with pytest.raises(ToileError, match=r"none of the 2 pairs makes a triplet \(no parse map 2\)"):
        write_triplets(["no parse map"] * 2, tmp_path, source="pairs", progress=False)
    assert contents(tmp_path) == {}


def test_a_picture_that_cannot_be_read_is_counted(triplets, tmp_path):
    broken = [unreadable(triplets[0], ToileError("a.jpg is damaged")), *triplets[1:]]
    done = write_triplets(broken, tmp_path, source="dolls", progress=False)
    assert done.skipped == {"unreadable": 1, "no counterpart": 1} and done.triplets == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"person": "/etc/passwd"}, "leads out of the dataset"),
        ({"person": "../a.jpg"}, "leads out of the dataset"),
        ({"person": None}, "is damaged"),
        ({"garments": [{"kind": "upper"}]}, "line 2, is damaged"),
        ({"garments": 3}, "line 2, is damaged"),
    ],
)
def test_damaged_lists_are_named(written, tmp_path, change, message):
    lines = (written / FILE).read_text().splitlines()
    lines[1] = json.dumps(json.loads(lines[1]) | change)
    (tmp_path / FILE).write_text("\n".join(lines))
    with pytest.raises(ToileError, match=message):
        open_triplets(tmp_path)
    (tmp_path / FILE).write_text("\n".join([lines[0], "{"]))
    with pytest.raises(ToileError, match="line 2, is damaged"):
        open_triplets(tmp_path)


def test_no_triplets_there(tmp_path):
    with pytest.raises(ToileError, match="toile data triplets"):
        open_triplets(tmp_path)
