"""What `toile demo` shows of the model that goes both ways: garments tried on, taken off, and swapped."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from toile import __version__
from toile.cli.demo_page import Part, Row
from toile.cli.options import ModelOptions
from toile.dolls import CATEGORIES, Doll
from toile.images import save_png
from toile.tasks.step import OnStep
from toile.tasks.takeoff import take_off_pictures
from toile.tasks.tryon import try_on_pictures


@dataclass(frozen=True, kw_only=True)
class Meeting:
    """Two dolls of one category."""

    wearer: Doll
    """Has the garment on."""
    target: Doll
    """Is to have it on."""

    def file_name(self, kind: str) -> str:
        """The PNG of one picture."""
        return f"{self.target.seed}-in-{self.wearer.seed}-{self.wearer.category}-{kind}.png"


def meetings(dolls: Sequence[Doll]) -> list[Meeting]:
    """The first two dolls of each category that has two."""
    found = []
    for category in CATEGORIES:
        of_one = [doll for doll in dolls if doll.category == category]
        if len(of_one) > 1:
            found.append(Meeting(wearer=of_one[0], target=of_one[1]))
    return found


def two_way_steps(dolls: Sequence[Doll]) -> int:
    """How many pictures are drawn: of each meeting one tried on, one taken off, one swapped."""
    return 3 * len(meetings(dolls))


def two_way_parts(
    pipeline: Any, options: ModelOptions, dolls: Sequence[Doll], output: Path, on_step: OnStep
) -> list[Part]:
    """Try on, take off and swap by a `TWGTMPipeline`, and write the pictures.

    Raises:
        ToileError: when a picture cannot be written.
    """
    rows: dict[str, list[Row]] = {kind: [] for kind in TEXTS}
    for meeting in meetings(dolls):
        for kind, shown in draw_meeting(pipeline, meeting, options, on_step).items():
            rows[kind].append(_row(meeting, shown, kind, output, options))
    return [
        Part(heading=kind.capitalize(), text=TEXTS[kind], command=COMMANDS[kind], rows=rows[kind])
        for kind in rows
        if rows[kind]
    ]


def draw_meeting(
    pipeline: Any, meeting: Meeting, options: ModelOptions, on_step: OnStep
) -> dict[str, dict[str, Image.Image]]:
    """What the model makes of two dolls: for each of `TEXTS` a row of pictures by what they show."""
    category = meeting.wearer.category
    how: dict[str, Any] = {"seeds": [options.seed], "drawing": options.drawing, "on_step": on_step}
    worn, flat = Image.fromarray(meeting.wearer.person), Image.fromarray(meeting.wearer.garment)
    person, mask = Image.fromarray(meeting.target.person), Image.fromarray(meeting.target.agnostic_mask)

    def dressed(garment: Image.Image) -> Image.Image:
        return try_on_pictures(pipeline, [person], [garment], [mask], [category], **how)[0]

    ((taken_off, _),) = take_off_pictures(pipeline, [worn], [category], **how)
    return {
        "tried on": {"person": person, "mask": mask, "garment": flat, "tried on": dressed(flat)},
        "taken off": {"photo": worn, "taken off": taken_off, "truth": flat},
        "swapped": {"wearer": worn, "restored": taken_off, "target": person, "swapped": dressed(taken_off)},
    }


def _row(
    meeting: Meeting, shown: dict[str, Image.Image], kind: str, output: Path, options: ModelOptions
) -> Row:
    """Write the pictures of a row."""
    settings = {"toile": __version__, "model": options.model, "steps": options.steps, "seed": options.seed}
    files = {caption: meeting.file_name(f"{kind}-{caption}".replace(" ", "-")) for caption in shown}
    for caption, picture in shown.items():
        save_png(picture, output / files[caption], settings | {"kind": caption})
    return Row(
        title=meeting.wearer.garment_caption,
        note=f"{meeting.wearer.category} · dolls {meeting.wearer.seed} and {meeting.target.seed}",
        pictures=[(file, caption) for caption, file in files.items()],
    )


TEXTS = {
    "tried on": "TWGTM was given a person, a mask, and the flat garment of somebody else.",
    "taken off": "The same weights were given the photo and the category, and no mask.",
    "swapped": "Both in a row: what one doll wears is restored, then put on the other.",
}
COMMANDS = {
    "tried on": "toile tryon person.jpg garment.png -o worn.png",
    "taken off": "toile takeoff person.jpg --category upper -o garment.png",
    "swapped": "toile swap wearer.jpg target.jpg --category upper -o swapped.png",
}
