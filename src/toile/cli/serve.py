"""`toile serve`: every task over HTTP, in batches, with a queue, limits and metrics."""

import ipaddress
import os
import sys
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import tyro

from toile.bundled import TINY
from toile.cli.options import ModelOption
from toile.errors import ToileError
from toile.service.limits import Limits
from toile.service.settings import TASKS, Settings
from toile.tasks.models import Models, check_dtype

EXTRA = ("fastapi", "uvicorn", "prometheus_client", "python_multipart")
"""What the extra `serve` installs."""
TOKEN_VARIABLE = "TOILE_TOKEN"
TasksOption = Annotated[tuple[str, ...], tyro.conf.arg(metavar="{restore,takeoff,tryon,swap,dress}...")]
OwnLimits = Annotated[Limits, tyro.conf.arg(name="limits")]


@dataclass(frozen=True, kw_only=True)
class Serve:
    """Serve restore, takeoff, tryon, swap and dress over HTTP, at once or as jobs.

    A picture: curl -F photo=@person.jpg http://127.0.0.1:8000/v1/restore -o garment.png

    The description for clients is at /openapi.json, health at /health and /ready, figures at /metrics.
    Requests of one kind that arrive together are drawn as one batch; when the queue is full, a request is
    answered 429 with the seconds after which to come back. The service fetches nothing from the network.
    SIGTERM or Ctrl-C finishes what was accepted; a second one ends at once.
    Exit code: 0 after such an end, 2 when it could not start.
    """

    host: str = "127.0.0.1"
    """The address to listen on; 0.0.0.0 is every one of this machine: then set a token."""
    port: int = 8000
    """The port; 0 takes any that is free."""
    token: Annotated[str | None, tyro.conf.arg(metavar="SECRET")] = None
    """What clients have to send as `Authorization: Bearer SECRET`. Better set TOILE_TOKEN, which no list of
    processes shows; neither asks for nothing."""
    tasks: TasksOption = tuple(TASKS)
    """What to offer; only the models of these are loaded."""
    queue: int = 16
    """Requests that may wait; one more is answered 429."""
    batch: int = 4
    """Requests of one kind that are drawn at once, at most."""
    wait_ms: float = 50
    """Milliseconds to wait for requests that are just arriving, so that they share a batch. A request that
    comes alone never waits."""
    grace: float = 30
    """Seconds for accepted work to be finished, and its results fetched, when the service is told to stop."""
    igr: ModelOption = TINY
    """What restores: the bundled model, a folder in diffusers layout, or a hub name."""
    twgtm: ModelOption = TINY
    """What tries on and takes off, likewise."""
    anydressing: ModelOption = TINY
    """What dresses by a prompt, likewise."""
    parser: ModelOption = TINY
    """What finds masks: the bundled parser, or a Segformer for clothes by folder or hub name."""
    device: str = "auto"
    """cpu, cuda, cuda:1, mps; auto takes a GPU where there is one."""
    dtype: Annotated[str, tyro.conf.arg(metavar="{float32,float16,bfloat16}")] = "float32"
    """Kind of number to compute with."""
    wardrobe: Annotated[Path | None, tyro.conf.arg(metavar="DIR")] = None
    """A folder of kept outfits that clients may name. Left out: none, not even the user's own."""
    keep_garments: int = 16
    """Encoded garments to keep for requests that show the same picture again."""
    limits: OwnLimits = field(default_factory=Limits)
    """What a request may cost, and what is kept."""

    def run(self) -> int:
        """Serve until told to stop."""
        check_installed()
        settings_token = self.token or os.environ.get(TOKEN_VARIABLE) or None
        check_dtype(self.dtype)
        if self.wardrobe is not None and not self.wardrobe.is_dir():
            raise ToileError(f"wardrobe {self.wardrobe} is no folder; make one with `toile wardrobe add`")
        from toile.service.desk import Desk
        from toile.service.server import Server, listen, url_of
        from toile.tasks.atelier import Atelier

        settings, models = self._settings(settings_token, self.host), self._models()
        models.check(settings.systems)
        atelier = Atelier(models, keep=self.keep_garments)
        with listen(self.host, self.port) as listener:
            if settings.token is None and settings.hosts is None:
                print(
                    f"note: whoever reaches {url_of(listener)} may use it; set {TOKEN_VARIABLE}",
                    file=sys.stderr,
                )
            print(url_of(listener), flush=True)
            return Server(Desk(atelier, settings)).serve_on(listener)

    def _models(self) -> Models:
        return Models(
            igr=self.igr,
            twgtm=self.twgtm,
            anydressing=self.anydressing,
            parser=self.parser,
            device=self.device,
            dtype=self.dtype,
            wardrobe=self.wardrobe,
        )

    def _settings(self, token: str | None, host: str) -> Settings:
        return Settings(
            tasks=self.tasks,
            queue=self.queue,
            batch=self.batch,
            wait_ms=self.wait_ms,
            token=token,
            hosts=own_names(host) if token is None else None,
            grace=self.grace,
            limits=self.limits,
        )


def check_installed() -> None:
    """Refuse to begin without the extra.

    Raises:
        ToileError: saying how to install it.
    """
    missing = [name for name in EXTRA if find_spec(name) is None]
    if missing:
        raise ToileError(
            f'the service needs {", ".join(missing)}, not installed here; pip install "toile[serve]"'
        )


def own_names(host: str) -> tuple[str, ...] | None:
    """The names by which a service on this machine alone may be addressed; None where others reach it."""
    try:
        alone = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        alone = False
    own = f"[{host}]" if ":" in host else host
    return ("127.0.0.1", "localhost", "[::1]", own) if alone else None
