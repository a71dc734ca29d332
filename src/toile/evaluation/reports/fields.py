"""The fields of a protocol, flat, as a reader or a comparison wants them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any


def flattened(content: object, prefix: str = "") -> dict[str, object]:
    """Every single value in nested JSON by its dotted name: `pictures.size`, `metrics.ssim.scale`.

    Lists of objects that have names are told apart by them, so that one more metric is one more field; other
    lists are one value.
    """
    return dict(_walk(content, prefix))


def _walk(content: object, prefix: str) -> Iterator[tuple[str, object]]:
    if isinstance(content, Mapping):
        for name, value in content.items():
            yield from _walk(value, f"{prefix}.{name}" if prefix else str(name))
    elif isinstance(content, Sequence) and not isinstance(content, str) and _named(content):
        for entry in content:
            rest = {name: value for name, value in entry.items() if name != "name"}
            yield from _walk(rest, f"{prefix}.{entry['name']}")
    else:
        yield prefix, list(content) if isinstance(content, tuple) else content


def _named(content: Sequence[Any]) -> bool:
    return bool(content) and all(isinstance(entry, Mapping) and "name" in entry for entry in content)


def spoken(value: object) -> str:
    """A value for a reader: sizes as 256×192, yes and no, "–" for nothing."""
    if value is None or value == "" or value == []:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)):
        sizes = len(value) == 2 and all(isinstance(part, int) for part in value)
        return "×".join(map(str, value)) if sizes else ", ".join(map(spoken, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
