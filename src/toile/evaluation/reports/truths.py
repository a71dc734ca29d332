"""Finds again what predictions were compared with, so that a page can show it."""

from toile.errors import ToileError
from toile.evaluation.protocols.catalogue import find_protocol
from toile.evaluation.protocols.pairs import open_truths
from toile.evaluation.protocols.result import EvaluationResult
from toile.evaluation.protocols.truths import Truth


def truths_of(result: EvaluationResult, data: str | None) -> dict[str, Truth]:
    """What the predictions of a result were compared with, by identifier.

    Args:
        result: names the protocol.
        data: the dataset, as it was given to `toile evaluate`; None opens the protocol's own dolls, and where
            a protocol has none, nothing.

    Raises:
        ToileError: when the data that was given cannot be read.
    """
    try:
        protocol = find_protocol(str(result.protocol.get("name")))
        opened = open_truths(protocol, data)
    except ToileError:
        if data is None:
            return {}
        raise
    return {truth.identifier: truth for truth in opened.truths}
