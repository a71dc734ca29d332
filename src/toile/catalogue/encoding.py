"""Results as files in memory: PNGs that carry their settings."""

from toile.images import encode_png
from toile.tasks.result import Result

LEFT_OUT = frozenset({"mask"})
"""Pictures of a result that are not kept: a mask is found anew in a moment."""


def encoded(result: Result) -> dict[str, bytes]:
    """The pictures of a result that are kept, as PNGs: the result itself first."""
    main = next(iter(result.pictures))
    return {
        role: encode_png(picture, {**result.metadata, "kind": role})
        for role, picture in result.pictures.items()
        if role == main or role not in LEFT_OUT
    }
