"""Finds a protocol by its name."""

from collections.abc import Mapping
from difflib import get_close_matches

from toile.errors import ToileError
from toile.evaluation.protocols.built_in import BUILT_IN
from toile.evaluation.protocols.protocol import Protocol
from toile.evaluation.protocols.published import PUBLISHED

PROTOCOLS: Mapping[str, Protocol] = {protocol.name: protocol for protocol in (*BUILT_IN, *PUBLISHED)}
"""Every protocol that there is, by its name."""


def find_protocol(name: str, task: str | None = None) -> Protocol:
    """The protocol of that name; `dolls` with a task means `dolls-TASK`.

    Raises:
        ToileError: when there is none, with the names that come near.
    """
    if name in PROTOCOLS:
        return PROTOCOLS[name]
    with_task = f"{name}-{task}"
    if with_task in PROTOCOLS:
        return PROTOCOLS[with_task]
    family = [known for known in PROTOCOLS if known.startswith(f"{name}-")]
    near = family or get_close_matches(name, PROTOCOLS, n=3, cutoff=0.3) or list(PROTOCOLS)
    raise ToileError(f"there is no protocol {name!r}; there is {', '.join(near)}")
