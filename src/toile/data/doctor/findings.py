"""What the doctor may find, and the record of one finding."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from toile.errors import ToileError

Severity = Literal["fault", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("fault", "warning", "note")
"""From worst to mildest: a fault stops a reader or spoils results, a warning may, a note informs."""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of finding."""

    code: str
    """Its name in reports and scripts."""
    severity: Severity
    """How bad it is."""
    title: str
    """What is wrong, in a few words."""
    advice: str
    """What to do about it."""


def _kinds(severity: Severity, *rows: tuple[str, str, str]) -> Iterable[tuple[str, Kind]]:
    for code, title, advice in rows:
        yield code, Kind(code=code, severity=severity, title=title, advice=advice)


KINDS: dict[str, Kind] = dict(
    [
        *_kinds(
            "fault",
            (
                "layout-unknown",
                "the layout is none that is known",
                "rename the folders as said, or write a list: person,garment,mask in a .csv file",
            ),
            ("folder-empty", "a folder that the layout needs holds no file", "fetch the folder again"),
            (
                "link-outside",
                "a link leads out of the dataset",
                "copy what it points to into the dataset; readers refuse to follow it",
            ),
            ("link-broken", "a link leads nowhere", "restore the file that it points to, or remove the link"),
            (
                "name-newline",
                "a name holds a line break or another control character",
                "rename the file; no list can name it",
            ),
            ("name-undecodable", "a name is not UTF-8", "rename the file; no list can name it"),
            (
                "name-collision",
                "names differ in upper and lower case alone",
                "rename one; on Windows and macOS one of them overwrites the other",
            ),
            ("file-empty", "a file has no bytes", "fetch the file again, or take its pair off the lists"),
            (
                "file-unreadable",
                "a file is no picture, or cannot be read",
                "fetch the file again, or take its pair off the lists",
            ),
            ("file-truncated", "a picture is cut short or damaged inside", "fetch the file again"),
            (
                "picture-too-large",
                "a picture unpacks to more pixels than are read",
                "scale it down; it was not decoded",
            ),
            ("picture-blank", "a picture shows one colour only", "fetch it again, or take its pair off"),
            (
                "mixed-up",
                "a file is not what its folder says",
                "put it where it belongs: photos, garments and masks apart",
            ),
            ("mask-size", "a mask has another size than its picture", "make the mask again from its picture"),
            ("mask-empty", "a mask marks nothing", "make it again: `toile mask PHOTO`"),
            ("mask-full", "a mask marks everything", "make it again: `toile mask PHOTO`"),
            ("mask-inverted", "a mask marks everything but the garment", "invert it: white is the garment"),
            (
                "mask-zero-one",
                "a mask holds 0 and 1 where 0 and 255 are meant",
                "multiply it by 255; read as a picture it is black",
            ),
            ("parse-size", "a parse map has another size than its photo", "parse the photo again"),
            (
                "parse-labels",
                "a parse map holds labels that its label set lacks",
                "say which label set it was made with, or parse the photo again",
            ),
            (
                "parse-coloured",
                "a parse map holds colours instead of labels",
                "save it with a palette, the label as index",
            ),
            ("parse-empty", "a parse map holds nothing but background", "parse the photo again"),
            ("condition-size", "a picture has another size than the photo it was made from", "make it again"),
            ("pose-damaged", "a pose file cannot be read", "estimate the pose again"),
            ("pose-without-people", "a pose file holds no person", "estimate it again, or drop the pair"),
            ("list-missing", "a list of pairs is missing", "restore it, or write one: PERSON GARMENT a line"),
            ("list-empty", "a list of pairs names nothing", "restore the list"),
            ("list-malformed", "a line of a list cannot be understood", "write the line anew"),
            (
                "list-escapes",
                "a list names a file outside of the dataset",
                "name files inside the dataset only; readers refuse the line",
            ),
            (
                "list-names-missing",
                "a list names a file that is not there",
                "restore the file, or take the line off the list",
            ),
            (
                "split-overlap",
                "a picture is listed for training and for testing",
                "take it off one list; figures on it mean nothing",
            ),
            (
                "leak",
                "a test picture is in the training set too, bit for bit",
                "leave the training pair out: --write-exclusions FILE",
            ),
            ("shard-damaged", "a shard cannot be read to its end", "fetch or write the shard again"),
            (
                "shard-unsafe",
                "a shard holds a link, or a path that leads out of it",
                "write the shard again from the files; readers refuse it",
            ),
            (
                "shard-key-repeated",
                "a sample's key comes up again",
                "give each sample its own key, its files one after another",
            ),
            ("sample-damaged", "a sample's texts cannot be understood", "write the shard again"),
            (
                "pairs-none",
                "no photo has a garment of its name",
                "name the files of a pair alike, or write a list: person,garment in a .csv file",
            ),
            (
                "sample-incomplete",
                "a sample lacks its photo, garment or texts",
                "restore the file, or take the pair out",
            ),
        ),
        *_kinds(
            "warning",
            (
                "near-leak",
                "a test picture looks the same as one in the training set",
                "look at the two; leave the training pair out: --write-exclusions FILE",
            ),
            (
                "mask-gives-away-shape",
                "a mask follows the garment's outline",
                "make it from the pose instead: `toile mask PHOTO --variant shape-hiding`",
            ),
            (
                "mask-misses-garment",
                "a mask leaves much of the garment uncovered",
                "see whether it is this photo's mask; dilate it, or make it again",
            ),
            ("mask-not-binary", "a mask holds many greys", "threshold it at 128 and save it as PNG"),
            (
                "silhouette-mismatch",
                "a silhouette leaves out part of its garment picture",
                "see whether it belongs to this garment; make it again",
            ),
            ("duplicate", "two pictures are the same, bit for bit", "keep one, or weigh the pair less"),
            ("near-duplicate", "two pictures look the same", "look at the two, keep one"),
            (
                "background-not-white",
                "a garment picture's background is not white",
                "cut the garment out onto white, or curate it away",
            ),
            ("looks-flat", "a photo looks like a flat garment", "look whether it belongs among the garments"),
            ("size-differs", "a picture is not of the set's usual size", "scale it, or give a size"),
            ("picture-landscape", "a picture lies on its side, or is wider than high", "turn it upright"),
            (
                "picture-rotated",
                "a picture is turned by its EXIF tag only",
                "turn the pixels and drop the tag; many programs ignore it, masks are made without it",
            ),
            ("picture-cmyk", "a picture holds printing colours (CMYK)", "convert it to RGB with its profile"),
            ("picture-16-bit", "a picture has more than 8 bits a channel", "convert it to 8 bits"),
            ("picture-alpha", "a picture is transparent in places", "lay it on white"),
            ("picture-frames", "a picture holds several frames", "keep one; readers take the first"),
            ("extension-wrong", "a file's ending is not its format", "rename it; some go by the name"),
            ("parse-lossy", "a parse map is a JPEG, which blurs labels", "parse the photo again, into a PNG"),
            (
                "parse-without-garment",
                "a parse map shows no garment of the category",
                "look at the photo; curate the pair away",
            ),
            ("pose-outside", "most joints lie outside of the photo", "see whether it is of this photo"),
            ("name-with-space", "a name holds a space", "rename the file; lists are split at spaces"),
            ("list-repeats", "a list names the same pair again", "take one of the two lines off"),
            ("list-leaves-out", "a picture is on no list", "add a line for it, or remove the file"),
            (
                "list-unpaired-only",
                "there is no list of true pairs",
                "train on true pairs needs one; unpaired tests do not",
            ),
            (
                "garment-without-person",
                "a garment has no photo of its name",
                "restore the photo, or write a list of who puts on what",
            ),
            (
                "person-without-garment",
                "a person's own garment picture is missing",
                "the pair serves unpaired use only; restore the garment for paired use",
            ),
            ("condition-missing", "a photo lacks a file that others have", "make it, or drop the pair"),
            ("condition-orphan", "a file was made from a picture that is gone", "restore that, or remove it"),
        ),
        *_kinds(
            "note",
            ("folder-unknown", "a folder is no part of the layout", "nothing; it was not looked into"),
            ("file-unknown", "a file is no part of the layout", "nothing; it was not looked at"),
            ("pose-several-people", "a pose file holds several people", "the first one is taken"),
        ),
    ]
)  # fmt: skip
"""Everything that the doctor may find, by code, the worst first."""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something found in one file.

    Raises:
        ToileError: when the code is none of `KINDS`.
    """

    code: str
    """What kind of finding, of `KINDS`."""
    file: str
    """The file, relative to the dataset's root; with its line behind a colon for lists."""
    detail: str = ""
    """What exactly was seen, with the value."""
    beside: tuple[str, ...] = ()
    """Other files that it takes to see it: the photo of a mask, the twin of a duplicate."""
    identifier: str = ""
    """The pair it belongs to; empty where it belongs to none."""

    def __post_init__(self) -> None:
        """Refuse a code that no report could explain."""
        if self.code not in KINDS:
            raise ToileError(f"{self.code!r} is no kind of finding; one of {', '.join(KINDS)}")

    @property
    def kind(self) -> Kind:
        """What kind of finding it is."""
        return KINDS[self.code]
