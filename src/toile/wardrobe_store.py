"""The wardrobe that users keep: outfits in a folder, encoded once, put on as often as they like.

Each outfit is one file that appears whole or not at all and needs no other, so several processes may share a
folder, and damage stays where it is.
"""

import os
import sys
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import torch
from filelock import FileLock, Timeout
from PIL import Image

from toile.errors import ToileError
from toile.files import check_writable
from toile.wardrobe import GarmentFeatures
from toile.wardrobe_file import Header, Outfit, damaged, features_digest, read_header, write_outfit
from toile.wardrobe_sheet import draw_outfits

FOLDER_VARIABLE = "TOILE_WARDROBE"
"""The environment variable that names another folder than the user's own."""
SUFFIX = ".safetensors"
LONGEST_NAME = 100
"""Bytes of UTF-8: file systems take 255, of which the names of unfinished files need some more."""
PATIENCE = 60.0
"""Seconds to wait for another process that is writing; one takes a second or two."""


def wardrobe_folder() -> Path:
    """The folder of the user's own wardrobe: what TOILE_WARDROBE names, else within the user's data folder.

    Raises:
        ToileError: when the user has no home.
    """
    own = os.environ.get(FOLDER_VARIABLE)
    try:
        return (
            Path(own).expanduser() if own else _data_folder(sys.platform, os.environ) / "toile" / "wardrobe"
        )
    except RuntimeError as error:
        raise ToileError(f"there is no home folder ({error}); name a folder with --wardrobe DIR") from error


def _data_folder(platform: str, environment: Mapping[str, str]) -> Path:
    """Source: the XDG base directory specification; Apple's and Microsoft's folders for application data."""
    if platform == "win32":
        given = environment.get("LOCALAPPDATA")
        return Path(given) if given else Path.home() / "AppData" / "Local"
    if platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    given = environment.get("XDG_DATA_HOME", "")
    return Path(given) if given.startswith("/") else Path.home() / ".local" / "share"


@dataclass(frozen=True)
class WardrobeStore:
    """A folder of outfits, each under its name. It keeps nothing in memory, so it is never out of date."""

    folder: Path = field(default_factory=wardrobe_folder)
    """Where they lie; made when the first one is added."""

    def names(self) -> list[str]:
        """The names of all outfits, in order, whether or not their files are whole.

        Raises:
            ToileError: when the folder cannot be read.
        """
        try:
            files = list(self.folder.iterdir())
        except FileNotFoundError:
            return []
        except OSError as error:
            raise ToileError(
                f"the wardrobe {self.folder} cannot be read ({error.strerror}); name another folder"
            ) from error
        return sorted(path.stem for path in files if path.suffix == SUFFIX and not path.name.startswith("."))

    def path(self, name: str) -> Path:
        """The file of an outfit, there or not; `GarmentFeatures.load` reads it as well.

        Raises:
            ToileError: when that is no name for an outfit.
        """
        return self.folder / f"{checked_name(name)}{SUFFIX}"

    def check_new(self, name: str, *, replace: bool = False) -> None:
        """See that an outfit can be added, before garments are encoded for it.

        Args:
            name: of the outfit.
            replace: whether one of that name may give way to it.

        Raises:
            ToileError: when the name is none or taken, or the folder cannot be written.
        """
        if self.path(name).exists() and not replace:
            raise ToileError(
                f"there is an outfit {name!r} in {self.folder} already; choose another name, or --replace it"
            )
        check_writable(self.folder)

    def add(
        self,
        name: str,
        features: GarmentFeatures,
        *,
        pictures: Sequence[Image.Image],
        weights: str,
        system: str = "anydressing",
        model: str = "",
        replace: bool = False,
    ) -> Outfit:
        """Keep encoded garments as an outfit; numbers are kept as they come, float32 to the bit.

        Args:
            name: letters, digits, spaces and `-_.`; capitals count where the file system tells them apart.
            features: one item a garment, `categories` their kinds (`stack_features` puts garments together);
                as float16 they take half the room.
            pictures: of the garments, in order; small copies are kept.
            weights: hash of the weights that made the features.
            system: `anydressing`, `igr` or `twgtm`.
            model: what its user calls the model.
            replace: take the place of an outfit of that name.

        Raises:
            ToileError: when the name is none or taken, there is not one picture and one kind a garment, or
                the file cannot be written; nothing is changed then.
        """
        path, garments, kinds = self.path(name), features.items, len(features.categories)
        if not garments == kinds == len(pictures) > 0:
            raise ToileError(
                f"{garments} garments, {kinds} kinds, {len(pictures)} pictures: give as many of each, some"
            )
        about = {
            "system": system,
            "model": model,
            "added": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        with self._locked():
            self.check_new(name, replace=replace)
            write_outfit(path, features, pictures=pictures, weights=weights, about=about)
        return self.describe(name)

    def read(self, name: str, weights: str) -> GarmentFeatures:
        """The features of an outfit, on the CPU, ready to be projected.

        Args:
            name: of the outfit.
            weights: hash of the weights that are to work with them.

        Raises:
            ToileError: when there is no such outfit, it is damaged, or was made by other weights.
        """
        outfit = self.describe(name)
        if outfit.weights != weights:
            raise ToileError(
                f"outfit {name!r} was made by other weights ({outfit.weights[:12]}, {outfit.made_by}) than "
                f"these ({weights[:12]}); take that model and dtype, or add its garments again with these"
            )
        features = GarmentFeatures.load(self.path(name), weights)
        if features_digest(features) == outfit.digest:
            return features
        if self.describe(name) != outfit:  # somebody has put another one in its place
            return self.read(name, weights)
        raise damaged(self.path(name), name, "its values have changed")

    def describe(self, name: str) -> Outfit:
        """What an outfit is; its features are not read.

        Raises:
            ToileError: when there is no such outfit, or its file is damaged.
        """
        return self._header(name).outfit

    def pictures(self, name: str) -> tuple[Image.Image, ...]:
        """Small pictures of an outfit's garments, RGB, in order.

        Raises:
            ToileError: as `describe`.
        """
        return self._header(name).pictures

    def sheet(self, names: Sequence[str]) -> Image.Image:
        """A contact sheet of outfits.

        Raises:
            ToileError: when no names are given, or as `describe`.
        """
        if not names:
            raise ToileError(f"no outfit of the wardrobe {self.folder} can be shown; add one, or name one")
        headers = [self._header(name) for name in names]
        titles = [f"{header.outfit.name} · {header.outfit.added[:10]}" for header in headers]
        garments = [list(zip(header.outfit.categories, header.pictures, strict=True)) for header in headers]
        return draw_outfits(titles, garments)

    def remove(self, name: str) -> None:
        """Remove an outfit; a damaged one as well.

        Raises:
            ToileError: when there is no such outfit, or it cannot be removed.
        """
        path = self.path(name)
        if not path.is_file():
            raise self._missing(name)
        with self._locked():
            try:
                path.unlink()
            except FileNotFoundError as error:
                raise self._missing(name) from error
            except OSError as error:
                raise ToileError(f"{path} cannot be removed ({error.strerror}); see who owns it") from error

    def _header(self, name: str) -> Header:
        try:
            return read_header(self.path(name), name)
        except FileNotFoundError as error:
            raise self._missing(name) from error

    def _missing(self, name: str) -> ToileError:
        names = self.names()
        there = f"it has {', '.join(names[:8])}" + (", ..." if len(names) > 8 else "")
        instead = there if names else "it is empty; add one with `toile wardrobe add`"
        return ToileError(f"there is no outfit {name!r} in the wardrobe {self.folder}; {instead}")

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Let one process write at a time; the lock of one that dies goes with it, as does what it left."""
        check_writable(self.folder)
        lock = FileLock(self.folder / ".lock", timeout=PATIENCE)
        try:
            lock.acquire()
        except Timeout as error:
            raise ToileError(
                f"another process has been writing to {self.folder} for a minute; see what it does, or wait"
            ) from error
        try:
            for leftover in self.folder.glob(f".*{SUFFIX}.*.part"):
                leftover.unlink(missing_ok=True)
            yield
        finally:
            lock.release()


def checked_name(name: str) -> str:
    """The name of an outfit, its accents composed, when it is one that a file can have everywhere.

    Raises:
        ToileError: when it is empty, too long, or has signs that file systems do not take.
    """
    composed = unicodedata.normalize("NFC", name)
    ends = composed[:1] + composed[-1:]
    if not all(sign.isalnum() or sign in "-_. " for sign in composed) or not ends.isalnum():
        raise ToileError(
            f"{name!r} is no name for an outfit; write letters and digits, with spaces or -_. between them"
        )
    if len(composed.encode()) > LONGEST_NAME:
        raise ToileError(f"the name {composed[:20]!r}... is too long; write at most {LONGEST_NAME} letters")
    return composed


def stack_features(garments: Sequence[GarmentFeatures]) -> GarmentFeatures:
    """Put features into one, their items one after another.

    Raises:
        ToileError: when there are none, or they were made by different models or at different sizes.
    """
    forms = {_form(features) for features in garments}
    if len(forms) != 1:
        raise ToileError(
            f"{len(garments)} garments in {len(forms)} forms make no outfit; encode them with one model, "
            "at one size"
        )
    tokens = [features.image_tokens for features in garments if features.image_tokens is not None]
    return GarmentFeatures(
        hidden_states={
            name: torch.cat([features.hidden_states[name] for features in garments])
            for name in garments[0].hidden_states
        },
        image_tokens=torch.cat(tokens) if tokens else None,
        categories=sum((features.categories for features in garments), ()),
    )


def _form(features: GarmentFeatures) -> tuple[object, ...]:
    states = frozenset((name, tokens.shape[1:]) for name, tokens in features.hidden_states.items())
    return states, None if features.image_tokens is None else features.image_tokens.shape[1:]
