"""Deliberately wrong folders, each refused for its own reason."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms
from tests.evaluation.protocols.small_folder import PROTOCOL, SIZE, STEMS

from toile.errors import ToileError
from toile.evaluation.protocols.checks import inspect_predictions
from toile.evaluation.protocols.pairs import open_truths
from toile.evaluation.protocols.reasons import refuse
from toile.images import save_png


def reasons(folder: Path, data: Path) -> dict[str, str]:
    truths = open_truths(PROTOCOL, str(data)).truths
    found = inspect_predictions(folder, truths, PROTOCOL.pictures).findings
    return {finding.reason: finding.message for finding in found}


def first(folder: Path, number: int = 0) -> Path:
    return folder / f"{STEMS[number]}.png"


def opened(path: Path) -> Image.Image:
    with Image.open(path) as picture:
        return picture.convert("RGB")


def again(path: Path, **how: object) -> None:
    """Save a picture again in another way."""
    opened(path).save(path, **how)


def all_pictures(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.png"))


def remove_one(folder: Path) -> None:
    first(folder).unlink()


def add_one(folder: Path) -> None:
    shutil.copy(first(folder), folder / "99999_00.png")


def rename_all(folder: Path) -> None:
    for number, path in enumerate(all_pictures(folder)):
        path.rename(folder / f"result-{number}.png")


def empty_folder(folder: Path) -> None:
    for path in all_pictures(folder):
        path.unlink()


def cut_short(folder: Path) -> None:
    first(folder).write_bytes(first(folder).read_bytes()[:200])


def empty_file(folder: Path) -> None:
    first(folder).write_bytes(b"")


def text_inside(folder: Path) -> None:
    first(folder).write_text("not a picture")


def save_as_jpeg(folder: Path) -> None:
    for path in all_pictures(folder):
        opened(path).save(path.with_suffix(".jpg"), quality=75)
        path.unlink()


def save_as_lossy_webp(folder: Path) -> None:
    for path in all_pictures(folder):
        opened(path).save(path.with_suffix(".webp"), quality=80)
        path.unlink()


def jpeg_named_png(folder: Path) -> None:
    opened(first(folder)).save(first(folder), format="JPEG")


def two_suffixes(folder: Path) -> None:
    opened(first(folder)).save(first(folder).with_suffix(".bmp"))


def two_cases(folder: Path) -> None:
    first(folder).rename(folder / "abc.png")
    shutil.copy(first(folder, 1), folder / "ABC.png")


def another_size(folder: Path) -> None:
    for path in all_pictures(folder):
        opened(path).resize((24, 32)).save(path)


def mixed_sizes(folder: Path) -> None:
    opened(first(folder)).resize((24, 32)).save(first(folder))
    opened(first(folder, 1)).resize((30, 20)).save(first(folder, 1))


def side_by_side(folder: Path) -> None:
    for path in all_pictures(folder):
        sheet = Image.new("RGB", (SIZE[1] * 3, SIZE[0]))
        sheet.paste(opened(path), (SIZE[1] * 2, 0))
        sheet.save(path)


def grey(folder: Path) -> None:
    opened(first(folder)).convert("L").save(first(folder))


def palette(folder: Path) -> None:
    opened(first(folder)).quantize(16).save(first(folder))


def transparent(folder: Path) -> None:
    picture = opened(first(folder))
    picture.putalpha(128)
    picture.save(first(folder))


def turned(folder: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 3
    again(first(folder), exif=exif)


def animated(folder: Path) -> None:
    frames = [opened(first(folder, number)) for number in (0, 1)]
    frames[0].save(first(folder), save_all=True, append_images=frames[1:])


def other_profile(folder: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    again(first(folder), icc_profile=profile)


def blank(folder: Path) -> None:
    Image.new("RGB", (SIZE[1], SIZE[0]), (7, 7, 7)).save(first(folder))


def all_the_same(folder: Path) -> None:
    for path in all_pictures(folder)[1:]:
        shutil.copy(first(folder), path)


def two_the_same(folder: Path) -> None:
    shutil.copy(first(folder), first(folder, 1))


def in_subfolder(folder: Path) -> None:
    (folder / "old").mkdir()
    shutil.copy(first(folder), folder / "old" / first(folder).name)


def unfinished(folder: Path) -> None:
    (folder / f".{STEMS[0]}.png.123.part").write_bytes(b"half")


def linked_elsewhere(folder: Path) -> None:
    outside = folder.parent / "outside.png"
    shutil.move(first(folder), outside)
    first(folder).symlink_to(outside)


def older_than_settings(folder: Path) -> None:
    (folder / "settings.json").write_text(json.dumps({"steps": 25}))
    for path in all_pictures(folder):
        os.utime(path, (1e9, 1e9))


def other_steps(folder: Path) -> None:
    for number, path in enumerate(all_pictures(folder)):
        save_png(opened(path), path, {"steps": 10 if number == 3 else 25, "seed": number})


def settings_differ(folder: Path) -> None:
    (folder / "settings.json").write_text(json.dumps({"steps": 25}))
    for path in all_pictures(folder):
        save_png(opened(path), path, {"steps": 10})


def some_silent(folder: Path) -> None:
    save_png(opened(first(folder)), first(folder), {"steps": 10})


WRONG: dict[str, tuple[Callable[[Path], None], str, str]] = {
    "one missing": (remove_one, "missing", "1 (00000_00) of 40 pairs have no prediction"),
    "one too many": (add_one, "extra", "99999_00.png"),
    "other names": (rename_all, "unmatched", "result-0.png against 00000_00.png"),
    "no pictures": (empty_folder, "no-predictions", "no picture"),
    "cut short": (cut_short, "unreadable", "damaged or cut short"),
    "empty file": (empty_file, "unreadable", "empty file"),
    "text": (text_inside, "unreadable", "not a picture"),
    "JPEG": (save_as_jpeg, "lossy", "write PNG"),
    "lossy WebP": (save_as_lossy_webp, "lossy", ".webp"),
    "JPEG named PNG": (jpeg_named_png, "mislabelled", "is JPEG"),
    "two suffixes": (two_suffixes, "collision", "00000_00.bmp and 00000_00.png"),
    "two cases": (two_cases, "collision", "ABC.png and abc.png"),
    "another size": (another_size, "size", "32×24 instead of 64×48"),
    "mixed sizes": (mixed_sizes, "size", "of 2 different sizes"),
    "side by side": (side_by_side, "sheet", "3 pictures side by side"),
    "grey": (grey, "colour-mode", "is L"),
    "palette": (palette, "colour-mode", "is P"),
    "transparent": (transparent, "transparent", "transparent"),
    "turned": (turned, "turned", "EXIF"),
    "animated": (animated, "animated", "2 frames"),
    "other profile": (other_profile, "colour-profile", "profile"),
    "blank": (blank, "blank", "one colour"),
    "all the same": (all_the_same, "duplicates", "one and the same picture"),
    "two the same": (two_the_same, "duplicates", "repeat each other"),
    "in a subfolder": (in_subfolder, "nested", "old/00000_00.png"),
    "unfinished": (unfinished, "unfinished", "has not ended"),
    "linked": (linked_elsewhere, "linked", "links to other folders"),
    "stale": (older_than_settings, "stale", "older than the settings file"),
    "other steps": (other_steps, "other-settings", "steps 10 instead of 25"),
    "settings differ": (settings_differ, "other-settings", "steps 10 instead of 25"),
    "some silent": (some_silent, "no-settings", "do not say how they were made"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_folders_are_refused_for_their_own_reason(
    name: str, predictions: Path, small_data: Path
) -> None:
    spoil, reason, said = WRONG[name]
    spoil(predictions)
    found = reasons(predictions, small_data)
    assert said in found[reason]
    also = {"two cases": {"missing", "extra"}, "JPEG named PNG": {"lossy"}}.get(name, set())
    assert set(found) - also == {reason}, found


def test_good_predictions_are_not_refused(good_predictions: Path, small_data: Path) -> None:
    assert reasons(good_predictions, small_data) == {}


def test_lossless_webp_is_not_refused(predictions: Path, small_data: Path) -> None:
    for path in all_pictures(predictions):
        opened(path).save(path.with_suffix(".webp"), lossless=True)
        path.unlink()
    assert reasons(predictions, small_data) == {}


def test_seeds_may_differ_and_settings_may_be_older(predictions: Path, small_data: Path) -> None:
    settings = predictions / "settings.json"
    settings.write_text(json.dumps({"steps": 25}))
    os.utime(settings, (1e9, 1e9))
    for number, path in enumerate(all_pictures(predictions)):
        save_png(opened(path), path, {"steps": 25, "seed": number})
    assert reasons(predictions, small_data) == {}


def test_a_folder_that_is_not_there(tmp_path: Path, small_data: Path) -> None:
    with pytest.raises(ToileError, match="does not exist"):
        reasons(tmp_path / "none", small_data)


def test_several_reasons_come_at_once_and_can_be_allowed(predictions: Path, small_data: Path) -> None:
    add_one(predictions)
    save_as_jpeg(predictions)
    truths = open_truths(PROTOCOL, str(small_data)).truths
    findings = inspect_predictions(predictions, truths, PROTOCOL.pictures).findings
    with pytest.raises(ToileError, match=r"\[extra\].*\[lossy\].*--allow extra lossy"):
        refuse(predictions, findings, ())
    with pytest.raises(ToileError, match=r"\[lossy\]") as refused:
        refuse(predictions, findings, ("extra",))
    assert "[extra]" not in str(refused.value)
    notes = refuse(predictions, findings, ("extra", "lossy"))
    assert len(notes) == 2 and "compressed with loss" in notes[1]


def test_what_nothing_can_be_measured_with_has_no_way_out(predictions: Path, small_data: Path) -> None:
    cut_short(predictions)
    truths = open_truths(PROTOCOL, str(small_data)).truths
    findings = inspect_predictions(predictions, truths, PROTOCOL.pictures).findings
    with pytest.raises(ToileError) as refused:
        refuse(predictions, findings, ())
    assert "--allow" not in str(refused.value)


def test_noise_is_no_blank_picture(predictions: Path, small_data: Path) -> None:
    pixels = np.full((*SIZE, 3), 200, np.uint8)
    pixels[0, 0] = 190
    Image.fromarray(pixels).save(first(predictions))
    assert reasons(predictions, small_data) == {}
