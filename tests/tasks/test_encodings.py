from PIL import Image

from toile.tasks.encodings import Encodings, picture_key


def test_what_was_not_asked_for_longest_goes_first():
    kept = Encodings(2)
    made = [kept.get(key, lambda key=key: key.upper()) for key in "abaca"]
    assert made == ["A", "B", "A", "C", "A"] and kept.made == 3
    kept.get("b", lambda: "again")
    assert kept.made == 4


def test_nothing_is_kept_unless_told():
    kept = Encodings()
    assert [kept.get("a", lambda: 1), kept.get("a", lambda: 2)] == [1, 2]


def test_pictures_are_known_by_their_pixels():
    red = Image.new("RGB", (4, 2), "red")
    assert picture_key(red) == picture_key(red.copy())
    others = [Image.new("RGB", (4, 2)), Image.new("RGB", (2, 4), "red"), Image.new("L", (12, 2)), None]
    assert len({picture_key(picture) for picture in (red, *others)}) == 5
