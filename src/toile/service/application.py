"""The service as an ASGI application: the routes, and around them whoever guards them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from fastapi import Depends, FastAPI
from fastapi.security import HTTPBearer
from starlette.types import ASGIApp

from toile import __version__
from toile.service.desk import Desk
from toile.service.job_routes import job_router
from toile.service.problems import documented, handle_problems
from toile.service.reception import Reception
from toile.service.security import Guard, SecureAnswers
from toile.service.status_routes import health_router, offer_router
from toile.service.task_routes import TaskRoutes

SWEEP_SECONDS = 0.1
"""How often it is looked after what takes too long."""
DESCRIPTION = """Clothes in pictures: restore, take off, try on, swap and dress.

Pictures are sent as files of a form; no field takes an address, and the service fetches nothing.
Whatever goes wrong is answered with problem details (RFC 9457): one sentence in `detail`."""


def application(desk: Desk) -> ASGIApp:
    """A service that anything which speaks ASGI can serve, in one process.

    Args:
        desk: it is started and stopped with the application.
    """
    settings = desk.settings
    guarded = Guard(Reception(routes(desk), desk), token=settings.token, hosts=settings.hosts)
    return SecureAnswers(guarded)


def routes(desk: Desk) -> FastAPI:
    """All routes, and the OpenAPI description at /openapi.json, without pages that would fetch scripts."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        desk.start()
        sweeping = asyncio.create_task(_sweep(desk))
        try:
            yield
        finally:
            sweeping.cancel()
            with suppress(asyncio.CancelledError):
                await sweeping
            await asyncio.to_thread(desk.stop)

    app = FastAPI(
        title="toile",
        version=__version__,
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    handle_problems(app, desk.paths)
    app.include_router(health_router(desk))
    locked = desk.settings.token is not None
    shown = [Depends(HTTPBearer(auto_error=False, description="What `Guard` compares."))] if locked else []
    for router in (offer_router(desk), TaskRoutes(desk).router(), job_router(desk)):
        app.include_router(router, dependencies=shown, responses=documented(401) if locked else {})
    return app


async def _sweep(desk: Desk) -> None:
    while True:
        desk.sweep()
        await asyncio.sleep(SWEEP_SECONDS)
