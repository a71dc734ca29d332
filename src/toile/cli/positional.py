"""Arguments that are told by their place instead of by a name, where there may be several of them."""

from typing import Any

import tyro


def several(metavar: str) -> Any:
    """How help shows words of a kind, of which one is needed; tyro itself would say that none is the default.

    Args:
        metavar: what to call one of them.
    """
    return tyro.conf.arg(metavar=f"{metavar} [{metavar}...]", help_behavior_hint="(required)")
