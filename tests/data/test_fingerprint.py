"""A dataset that has changed has another fingerprint; one that was moved has not."""

import shutil
from pathlib import Path

from toile.data.curation import CuratedPairs
from toile.data.fingerprint import fingerprint
from toile.data.open import open_pairs
from toile.dolls.writers import DatasetSettings, write_dataset


def test_files(tmp_path: Path) -> None:
    write_dataset(DatasetSettings(out=tmp_path / "a", count=3, size=(64, 48)), progress=False)
    first = fingerprint(open_pairs(str(tmp_path / "a")))
    assert first == fingerprint(open_pairs(str(tmp_path / "a")))
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    assert fingerprint(open_pairs(str(tmp_path / "b"))) == first
    assert fingerprint(open_pairs(str(tmp_path / "b"), size=(32, 24))) != first
    photo = next((tmp_path / "b" / "train" / "image").iterdir())
    photo.write_bytes(photo.read_bytes() + b"\0")
    assert fingerprint(open_pairs(str(tmp_path / "b"))) != first
    listed = tmp_path / "a" / "train_pairs.txt"
    listed.write_text("\n".join(listed.read_text().splitlines()[:2]) + "\n")
    assert fingerprint(open_pairs(str(tmp_path / "a"))) != first


def test_dolls_are_told_apart_without_being_drawn() -> None:
    specs = ["dolls:0:900000", "dolls:1:900000", "dolls:0:900001", "dolls:0:900000:street"]
    prints = {fingerprint(open_pairs(spec)) for spec in specs}
    assert len(prints) == 4
    assert fingerprint(open_pairs(specs[0], size=(64, 48))) not in prints


def test_what_is_left_out_counts() -> None:
    pairs = open_pairs("dolls:0:8:mixed", size=(64, 48))
    curated = CuratedPairs(pairs, (64, 48), pad_extremes=False)
    assert fingerprint(curated) != fingerprint(pairs)
