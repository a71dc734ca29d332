from pathlib import Path

import pytest
import tyro

from toile.cli.garment_files import GarmentFiles
from toile.errors import ToileError


def given(*words: str) -> dict[str, list[Path]]:
    return tyro.cli(GarmentFiles, args=list(words)).by_kind()


def test_garments_by_kind():
    assert given() == {}
    words = ["--garment", "scarf=s=1.png", "--hat", "h.png", "--garment", "hat=i.png", "--upper", "u.png"]
    found = given(*words)
    assert found == {
        "upper": [Path("u.png")],
        "hat": [Path("h.png"), Path("i.png")],
        "scarf": [Path("s=1.png")],
    }
    assert list(found) == ["upper", "hat", "scarf"]


@pytest.mark.parametrize("text", ["u.png", "=u.png", "hat=", " = "])
def test_what_is_no_garment(text):
    with pytest.raises(ToileError, match="write KIND=PICTURE"):
        given("--garment", text)
