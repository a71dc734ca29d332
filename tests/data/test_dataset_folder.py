from pathlib import Path

import pytest

from toile.data.dataset_folder import DatasetFolder, checked_name
from toile.errors import ToileError


@pytest.mark.parametrize(
    "name",
    ["/etc/passwd", "../secret.jpg", "a/../../b.jpg", "..\\b.jpg", "C:/b.jpg", "a\nb.jpg", "a\0b", "", "."],
)
def test_names_that_lead_out_are_refused(name: str) -> None:
    with pytest.raises(ToileError, match=r"list\.txt names the file") as caught:
        checked_name(name, "list.txt")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["a.jpg", "one/two/b c.png", "..a.jpg", "日本.jpg"])
def test_other_names_are_kept(name: str) -> None:
    assert str(checked_name(name, "list.txt")) == name


def test_links_may_lead_elsewhere_within_but_not_out(tmp_path: Path) -> None:
    root = tmp_path / "set"
    (root / "image").mkdir(parents=True)
    (root / "image" / "a.jpg").touch()
    (tmp_path / "secret.jpg").touch()
    (root / "image" / "inside.jpg").symlink_to("a.jpg")
    (root / "image" / "outside.jpg").symlink_to(tmp_path / "secret.jpg")
    (root / "image" / "circle.jpg").symlink_to("circle.jpg")
    (root / "elsewhere").symlink_to(tmp_path)
    folder = DatasetFolder(root)
    assert folder.first("image", "b.jpg", "inside.jpg") == root / "image" / "inside.jpg"
    assert folder.first("image", "b.jpg") is None
    for name in ("image/outside.jpg", "image/circle.jpg", "elsewhere/secret.jpg"):
        with pytest.raises(ToileError, match="leads out of"):
            folder.file(name)
    with pytest.raises(ToileError, match="leads out of"):
        folder.first("elsewhere", "secret.jpg")


def test_the_root_itself_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    assert DatasetFolder(tmp_path / "link").file("a.jpg") == tmp_path / "link" / "a.jpg"
