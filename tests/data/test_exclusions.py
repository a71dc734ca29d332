from pathlib import Path

import pytest
from tests.data.layouts import write_viton_hd

from toile.data.exclusions import ExcludedPairs, read_exclusions
from toile.data.open import open_pairs
from toile.errors import ToileError


def test_a_list_of_identifiers_or_files(tmp_path: Path) -> None:
    path = tmp_path / "leaks.txt"
    path.write_text("# duplicates\n00001_00.jpg\n\nupper_body/000002  # twice\n")
    assert read_exclusions(path) == {"00001_00", "upper_body/000002"}
    path.write_text("a b\n")
    with pytest.raises(ToileError, match="line 1, holds 2 words"):
        read_exclusions(path)


def test_listed_pairs_are_left_out_in_order(tmp_path: Path) -> None:
    write_viton_hd(tmp_path, ("a", "b", "c", "d"))
    (tmp_path / "leaks.txt").write_text("b.jpg\nother\n")
    pairs = open_pairs(str(tmp_path), split="test", exclude=tmp_path / "leaks.txt")
    assert isinstance(pairs, ExcludedPairs)
    assert [pair.identifier for pair in pairs] == ["a", "c", "d"]
    assert pairs.fingerprint() != ExcludedPairs(pairs.pairs, frozenset()).fingerprint()


def test_a_garment_to_be_put_on_counts_too(tmp_path: Path) -> None:
    write_viton_hd(tmp_path, ("a", "b", "c"))
    (tmp_path / "test_pairs_unpaired.txt").write_text("a.jpg b.jpg\nb.jpg c.jpg\nc.jpg a.jpg\n")
    pairs = open_pairs(str(tmp_path), split="test", paired=False)
    assert [pair.identifier for pair in ExcludedPairs(pairs, frozenset({"b"}))] == ["c"]
    with pytest.raises(ToileError, match="none is left"):
        ExcludedPairs(pairs, frozenset({"a", "b", "c"}))
