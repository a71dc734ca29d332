import json
from pathlib import Path

import numpy as np
import pytest
from tests.data.layouts import mask, picture, save, write_plain

from toile.data.folder import is_plain_folder, open_plain_folder
from toile.data.open import open_pairs
from toile.errors import ToileError


def test_pairs_by_name_sorted(tmp_path: Path) -> None:
    write_plain(tmp_path, ("b", "a"))
    save(picture(7), tmp_path / "persons" / "nobody.jpg")
    (tmp_path / "persons" / ".hidden.jpg").touch()
    (tmp_path / "persons" / "notes.txt").touch()
    assert is_plain_folder(tmp_path)
    pairs = open_pairs(str(tmp_path))
    assert [(pair.identifier, pair.has_mask) for pair in pairs] == [("a", False), ("b", True)]
    assert (np.asarray(pairs[1].mask) == np.asarray(mask())).all()


def test_parse_maps_and_poses_are_found(tmp_path: Path) -> None:
    write_plain(tmp_path, ("a",))
    save(mask().point([0] * 255 + [5]), tmp_path / "parses" / "a.png")
    (tmp_path / "poses").mkdir()
    (tmp_path / "poses" / "a_keypoints.json").write_text(
        '{"people": [{"pose_keypoints_2d": ' + str([10, 20, 1] * 25) + "}]}"
    )
    pair = open_plain_folder(tmp_path)[0]
    assert pair.parse is not None and set(np.unique(np.asarray(pair.parse))) == {0, 5}
    assert pair.pose is not None and pair.pose.point("neck").tolist() == [10, 20]


def test_masks_and_captions_as_our_own_commands_write_them(tmp_path: Path) -> None:
    write_plain(tmp_path, ("b", "a"))
    (tmp_path / "masks" / "b.png").rename(tmp_path / "masks" / "b-mask.png")
    line = {"file": "persons/b.jpg", "size": 3, "model": "m", "caption": "a man"}
    (tmp_path / "captions.jsonl").write_text(json.dumps(line) + "\n")
    pairs = open_plain_folder(tmp_path)
    assert [(pair.caption, pair.has_mask) for pair in pairs] == [("", False), ("a man", True)]


def test_two_pictures_of_one_name(tmp_path: Path) -> None:
    write_plain(tmp_path, ("a",))
    save(picture(7), tmp_path / "persons" / "a.png")
    with pytest.raises(ToileError, match=r"both a\.jpg and a\.png"):
        open_plain_folder(tmp_path)


def test_a_name_with_a_line_break(tmp_path: Path) -> None:
    write_plain(tmp_path, ("a",))
    (tmp_path / "garments" / "b\nc.jpg").touch()
    with pytest.raises(ToileError, match="cannot be a file") as caught:
        open_plain_folder(tmp_path)
    assert "\n" not in str(caught.value)


def test_nothing_in_common_or_unpaired(tmp_path: Path) -> None:
    write_plain(tmp_path, ("a",))
    with pytest.raises(ToileError, match="columns person, garment"):
        open_plain_folder(tmp_path, paired=False)
    (tmp_path / "garments" / "a.png").rename(tmp_path / "garments" / "z.png")
    with pytest.raises(ToileError, match="none of the 1 pictures"):
        open_plain_folder(tmp_path)
