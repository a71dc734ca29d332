"""Triplets by one text, read past what is broken."""

from pathlib import Path

import numpy as np
import pytest

from toile.data.doll_triplets import DollTriplets
from toile.data.faults import FaultLog
from toile.data.open import open_pairs
from toile.data.open_triplets import ReadableTriplets, fingerprint_triplets, open_triplet_source
from toile.data.triplet_folder import write_triplets
from toile.data.triplets import PairTriplets
from toile.dolls.writers import DatasetSettings, write_dataset
from toile.errors import ToileError

SIZE = (64, 48)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six triplets of dolls in a folder of their own."""
    folder = tmp_path_factory.mktemp("triplets")
    write_triplets(DollTriplets(20, 3, size=SIZE), folder, source="dolls", progress=False)
    return folder


def readable(spec: str, folder: Path, **options) -> ReadableTriplets:
    """The triplets of a source as a training reads them."""
    return ReadableTriplets(open_triplet_source(spec, size=SIZE), FaultLog(folder / "faults"), **options)


def test_dolls_folders_and_pairs_open_by_one_text(written: Path):
    dolls = open_triplet_source("dolls:20:3:mixed", size=SIZE)
    assert len(dolls) == 6 and dolls[0].person.size == SIZE[::-1]
    assert [dolls[index].source for index in (1, 2)] == ["dolls:studio", "dolls:street"]
    folder = open_triplet_source(str(written))
    assert [triplet.identifier for triplet in folder][:2] == ["00000020-upper", "00000020-lower"]
    pairs = open_triplet_source("dolls:20:4*1+dolls:40:4*1")
    assert isinstance(pairs, PairTriplets) and len(pairs) == 8
    with pytest.raises(ToileError, match="no dataset at"):
        open_triplet_source(str(written / "nothing"))


def test_captions_vary_on_request():
    plain, varied = (
        open_triplet_source("dolls:0:6", size=SIZE, vary_captions=vary) for vary in (False, True)
    )
    same = [one.caption == other.caption for one, other in zip(plain, varied, strict=True)]
    assert same == [True] * 4 + [False] * 8  # seeds 0 and 1 describe the clothes, 2 to 5 say less
    assert fingerprint_triplets(plain) != fingerprint_triplets(varied)


def test_a_broken_triplet_gives_way_and_is_named(written: Path, tmp_path: Path, capsys):
    photo = written / "pictures" / "000002-person.jpg"
    kept = photo.read_bytes()
    photo.write_bytes(kept[:300])
    try:
        triplets = readable(str(written), tmp_path)
        assert len(triplets) == 6
        assert triplets[2].identifier == triplets[3].identifier == "00000021-lower"
        assert "00000021-upper is skipped" in capsys.readouterr().err
        with pytest.raises(ToileError, match="000002-person"):
            readable(str(written), tmp_path, broken="stop")[2]
    finally:
        photo.write_bytes(kept)


def test_what_is_read_once_cannot_fail_later(written: Path, tmp_path: Path):
    triplet = readable(str(written), tmp_path)[0]
    true = open_triplet_source(str(written))[0]
    assert triplet.pictures.photo is triplet.person
    for kind in true.kinds:
        assert (np.asarray(triplet.garment(kind)) == np.asarray(true.garment(kind))).all()
        assert triplet.worn(kind) is triplet.worn(kind)


def test_pairs_without_a_triplet_are_passed_over_silently(tmp_path: Path, capsys):
    found = PairTriplets(open_pairs("dolls:0:8", size=SIZE))
    reasons = [index for index in range(8) if isinstance(found[index], str)]
    assert reasons and len(reasons) < 8
    triplets = ReadableTriplets(found, FaultLog(tmp_path / "faults"))
    assert all(triplets[index].garments for index in range(8))
    assert capsys.readouterr().err == ""


def test_pairs_without_parse_maps_make_none(tmp_path: Path):
    write_dataset(DatasetSettings(out=tmp_path / "set", count=2, size=SIZE), progress=False)
    for parse in (tmp_path / "set" / "train" / "image-parse-v3").iterdir():
        parse.unlink()
    with pytest.raises(ToileError, match="none of 2 pairs in a row can be read or used"):
        readable(str(tmp_path / "set"), tmp_path)[0]


def test_triplets_of_other_kinds_are_passed_over(tmp_path: Path):
    triplets = readable("dolls:20:4", tmp_path, kinds=("hat",))
    assert all("hat" in triplets[index].kinds for index in range(8))
    with pytest.raises(ToileError, match="none of 8 pairs"):
        readable("dolls:20:4", tmp_path, kinds=("shoe",))[0]
    with pytest.raises(IndexError):
        triplets[8]


def test_fingerprints_know_what_they_depend_on(written: Path):
    specs = ["dolls:0:3", "dolls:0:4", "dolls:0:3:mixed", str(written), "dolls:0:3*1"]
    prints = {spec: fingerprint_triplets(open_triplet_source(spec, size=SIZE)) for spec in specs}
    assert len(set(prints.values())) == len(specs)
    again = {spec: fingerprint_triplets(open_triplet_source(spec, size=SIZE)) for spec in specs}
    assert again == prints
    assert fingerprint_triplets(open_triplet_source("dolls:0:3", size=(64, 64))) != prints["dolls:0:3"]
    photo = written / "pictures" / "000000-person.jpg"
    kept = photo.read_bytes()
    photo.write_bytes(kept + b"more")
    assert fingerprint_triplets(open_triplet_source(str(written))) != prints[str(written)]
    photo.write_bytes(kept)
