"""The routes that tell how the service is, and what it offers."""

from dataclasses import asdict

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel, Field
from starlette.responses import Response

from toile import __version__
from toile.service.desk import Desk
from toile.service.problems import Problem, documented


class StatusModel(BaseModel):
    """That all is well."""

    status: str = Field(examples=["ok"])


class OfferModel(BaseModel):
    """What the service offers."""

    version: str = Field(description="Of toile.")
    tasks: list[str] = Field(description="What can be asked for.")
    queue: int = Field(description="Requests that may wait.")
    limits: dict[str, float] = Field(description="What a request may cost, by the names of `toile serve`.")


def health_router(desk: Desk) -> APIRouter:
    """The routes of health and readiness, which ask for no token."""
    router = APIRouter(tags=["service"])

    @router.get("/health", operation_id="health", responses=documented(503))
    async def health() -> StatusModel:
        """Whether the service lives; if not, it is to be started anew."""
        if not desk.worker.healthy:
            raise Problem(503, "the service draws no more; start it anew")
        return StatusModel(status="ok")

    @router.get("/ready", operation_id="ready", responses=documented(503))
    async def ready() -> StatusModel:
        """Whether a request would be taken in: models loaded, queue not full, not stopping."""
        if desk.ready:
            return StatusModel(status="ready")
        why = "is stopping" if desk.draining else "is full" if desk.worker.ready else "loads its models"
        raise Problem(503, f"the service {why}", retry_after=1)

    return router


def offer_router(desk: Desk) -> APIRouter:
    """The routes of metrics and the offer."""
    router = APIRouter(tags=["service"])

    @router.get(
        "/metrics",
        operation_id="metrics",
        response_class=Response,
        responses={200: {"description": "Prometheus's text format.", "content": {"text/plain": {}}}},
    )
    async def metrics() -> Response:
        """What Prometheus reads."""
        return Response(desk.metrics.text(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    @router.get("/v1", operation_id="offer")
    async def offer() -> OfferModel:
        """What the service offers, within which limits."""
        settings = desk.settings
        return OfferModel(
            version=__version__,
            tasks=list(settings.tasks),
            queue=settings.queue,
            limits={name: float(value) for name, value in asdict(settings.limits).items()},
        )

    return router
