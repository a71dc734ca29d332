"""Every task by its name."""

from collections.abc import Mapping

from toile.tasks.dress import DressRequest
from toile.tasks.request import Request
from toile.tasks.restore import RestoreRequest
from toile.tasks.swap import SwapRequest
from toile.tasks.takeoff import TakeOffRequest
from toile.tasks.tryon import TryOnRequest

REQUESTS: Mapping[str, type[Request]] = {
    kind.task: kind for kind in (RestoreRequest, TakeOffRequest, TryOnRequest, SwapRequest, DressRequest)
}
"""The request of each task."""
