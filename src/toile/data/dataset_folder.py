"""A dataset's folder, out of which neither a name in a list nor a link on the disk may lead."""

from pathlib import Path, PurePosixPath

from toile.errors import ToileError

SHOWN = 80
"""A refused name is shown up to so many characters."""


def checked_name(name: str, where: Path | str) -> PurePosixPath:
    """A file's name from a list, relative to the dataset's folder.

    Args:
        name: as it stands in the list; forward slashes part folders.
        where: what to call the list in messages.

    Raises:
        ToileError: when the name is empty, absolute, leads upwards, or holds a line break or another
            control character.
    """
    path = PurePosixPath(name)
    shown = repr(name if len(name) <= SHOWN else f"{name[:SHOWN]}...")
    if not path.parts or not name.isprintable():
        raise ToileError(f"{where} names the file {shown}, which cannot be a file's name; correct the list")
    if path.is_absolute() or ".." in path.parts or "\\" in name or name[1:2] == ":":
        raise ToileError(
            f"{where} names the file {shown}, which leads out of the dataset; "
            "write names relative to its folder"
        )
    return path


class DatasetFolder:
    """Finds files below one folder. A link may lead elsewhere within it, but not out of it."""

    def __init__(self, root: Path) -> None:
        """Use `root`, which may itself be a link."""
        self.root, self._resolved = root, root.resolve()
        self._known: set[Path] = set()

    def file(self, name: str | PurePosixPath, where: Path | str = "the dataset") -> Path:
        """The path of a file, which need not exist.

        Args:
            name: relative to the root.
            where: the list that names it, for messages.

        Raises:
            ToileError: when the name or a link on its way leads out of the root.
        """
        path = self.root / checked_name(str(name), where)
        self._check_links(path)
        return path

    def first(self, folder: str, *names: str) -> Path | None:
        """The first of `names` that exists in `folder`.

        Raises:
            ToileError: as `file`.
        """
        for name in names:
            if (self.root / folder / name).is_file():
                return self.file(f"{folder}/{name}")
        return None

    def _check_links(self, path: Path) -> None:
        """Each folder is resolved once only, a file only where it is a link: a dataset has many files."""
        if path.parent not in self._known:
            self._check_inside(path.parent)
            self._known.add(path.parent)
        if path.is_symlink():
            self._check_inside(path)

    def _check_inside(self, path: Path) -> None:
        try:
            inside = path.resolve().is_relative_to(self._resolved)
        except (OSError, RuntimeError):  # links in a circle
            inside = False
        if not inside:
            raise ToileError(
                f"{path} is a link that leads out of {self.root}; put the file itself there, "
                "or give the folder that holds it"
            )
