from pathlib import Path

import numpy as np
import pytest
from tests.data.layouts import write_dresscode, write_plain, write_viton_hd

from toile.data import open_pairs
from toile.data.doll_pairs import DollPairs
from toile.data.mixture import MixedPairs
from toile.errors import ToileError


def test_dolls_by_their_seeds() -> None:
    pairs = open_pairs("dolls:30:5:street", size=(64, 48))
    assert isinstance(pairs, DollPairs)
    assert (len(pairs), pairs.seeds[0], pairs.mode, pairs[0].person.size) == (5, 30, "street", (48, 64))
    assert isinstance(open_pairs("dolls:0:2"), DollPairs)


@pytest.mark.parametrize(
    "spec", ["dolls:", "dolls:1", "dolls:1:0", "dolls:-1:3", "dolls:1:2:night", "dolls:1:2:3"]
)
def test_a_bad_spec_of_dolls_is_refused(spec: str) -> None:
    with pytest.raises(ToileError, match="dolls:FIRST:COUNT"):
        open_pairs(spec)


def test_a_folder_is_recognised(tmp_path: Path) -> None:
    write_viton_hd(tmp_path / "v", ("a",))
    write_dresscode(tmp_path / "d")
    assert [pair.category for pair in open_pairs(str(tmp_path / "v"), split="test")] == ["upper"]
    assert len(open_pairs(str(tmp_path / "d"), split="test")) == 3


def test_the_split_may_stand_behind_the_folder(tmp_path: Path) -> None:
    write_viton_hd(tmp_path, ("a",), split="test")
    write_viton_hd(tmp_path, ("b", "c"), split="train")
    assert [len(open_pairs(str(tmp_path) + end)) for end in ("", ":train", ":test")] == [2, 2, 1]


def test_other_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ToileError, match="no known layout"):
        open_pairs(str(tmp_path))
    with pytest.raises(ToileError, match="no dataset at"):
        open_pairs(str(tmp_path / "nothing"))


def test_pictures_are_fitted_with_masks_padded_by_nothing(tmp_path: Path) -> None:
    write_viton_hd(tmp_path, ("a",))
    pair = open_pairs(str(tmp_path), split="test", size=(64, 96))[0]
    person, mask = np.asarray(pair.person), np.asarray(pair.mask)
    assert person.shape == (64, 96, 3)
    assert (person[:, :20] == 255).all()
    assert (mask[:, :20] == 0).all()
    assert set(np.unique(mask)) == {0, 255}
    assert pair.garment.size == pair.silhouette.size == (96, 64)


def test_mixed_dolls_take_turns():
    pairs = open_pairs("dolls:30:2:mixed", size=(48, 64))
    assert [pair.source for pair in pairs] == ["dolls:studio", "dolls:street"]


@pytest.mark.parametrize("spec", ["dolls:0:4:outside", "dolls:0:4:street:mixed", "dolls:0:mixed"])
def test_unknown_modes(spec):
    with pytest.raises(ToileError, match="names no dolls"):
        open_pairs(spec)


def test_a_mixture_by_weights(tmp_path: Path) -> None:
    write_viton_hd(tmp_path, ("a", "b"))
    spec = f"dolls:0:4:street*0.75+{tmp_path}:test*0.25"
    pairs = open_pairs(spec, size=(64, 48))
    assert isinstance(pairs, MixedPairs)
    assert (pairs.counts, len(pairs)) == ((3, 1), 8)
    assert {pair.person.size for pair in pairs} == {(48, 64)}
    again = open_pairs(spec, size=(64, 48))
    assert [pair.identifier for pair in again] == [pair.identifier for pair in pairs]
    other = open_pairs(spec, size=(64, 48), seed=1)
    assert [pair.identifier for pair in other] != [pair.identifier for pair in pairs]


def test_paths_with_the_signs_of_a_mixture(tmp_path: Path) -> None:
    for name in ("odd*2", "a+b", "a*2+b"):
        write_plain(tmp_path / name, ("x",))
    assert len(open_pairs(f"{tmp_path}/odd*2/")) == 1
    assert len(open_pairs(f"{tmp_path}/a+b")) == 1
    assert isinstance(open_pairs(f"{tmp_path}/a+b*1+dolls:0:1*1"), MixedPairs)
    assert len(open_pairs(f"{tmp_path}/a*2+b")) == 1


@pytest.mark.parametrize("spec", ["dolls:0:1*0+dolls:1:1*1", "dolls:0:1*1+gone*1", "*1", "a*1++b*1", ""])
def test_bad_mixtures(spec: str) -> None:
    with pytest.raises(ToileError):
        open_pairs(spec)


def test_unpaired_dolls(tmp_path: Path) -> None:
    assert open_pairs("dolls:0:2", paired=False)[1].garment_identifier == "00000000"
