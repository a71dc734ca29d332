"""`toile app`: the web page, on this computer."""

import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from toile.cli.options import ModelOption
from toile.errors import ToileError


@dataclass(frozen=True, kw_only=True)
class App:
    """Serve a web page: restore, try on, take off, swap, dress and the wardrobe, in a browser.

    It listens on this computer alone, unless --host says otherwise; then whoever reaches it may use it.
    Needs the extra `app`: pip install "toile[app]". Stop with Ctrl-C.
    """

    host: str = "127.0.0.1"
    """Address to listen on; 0.0.0.0 lets others in."""
    port: int = 7860
    """Port of the page; 0 takes a free one."""
    browser: bool = True
    """Whether to open the page in a browser."""
    model: ModelOption = "tiny"
    """What restores: the bundled model, a folder in diffusers layout, or a hub name."""
    two_way: ModelOption = "tiny"
    """What tries on, takes off and swaps, likewise."""
    dressing: ModelOption = "tiny"
    """What dresses by a prompt, likewise."""
    parser: ModelOption = "tiny"
    """What finds masks: the bundled parser, or a Segformer for clothes by folder or hub name."""
    device: str = "auto"
    """cpu, cuda, cuda:1, mps; auto takes a GPU where there is one."""
    dtype: Annotated[str, tyro.conf.arg(metavar="{float32,float16,bfloat16}")] = "float32"
    """Kind of number to compute with."""
    wardrobe: Annotated[Path | None, tyro.conf.arg(metavar="DIR")] = None
    """The folder of kept outfits. Left out: what TOILE_WARDROBE names, else one in the user's data folder."""
    megabytes: float = 20.0
    """Size of a picture's file that is taken, at most."""
    megapixels: float = 40.0
    """Million pixels of a picture that is taken, at most."""
    waiting: int = 8
    """People who may wait while a picture is drawn; one more is asked to come back."""

    def run(self) -> int:
        """Serve the page until Ctrl-C."""
        check_port(self.port)
        from toile.app.limits import Limits
        from toile.app.server import import_gradio, serving
        from toile.tasks.atelier import Atelier
        from toile.tasks.models import PIPELINES, Models, found_device

        limits = Limits(megabytes=self.megabytes, megapixels=self.megapixels, waiting=self.waiting)
        import_gradio()
        models = Models(
            igr=self.model,
            twgtm=self.two_way,
            anydressing=self.dressing,
            parser=self.parser,
            device=found_device(self.device),
            dtype=self.dtype,
            wardrobe=self.wardrobe,
        )
        models.check(tuple(PIPELINES))
        atelier = Atelier(models, keep=KEPT)
        with (
            suppress(KeyboardInterrupt),
            serving(atelier, host=self.host, port=self.port, limits=limits, browser=self.browser) as url,
        ):
            print(url, flush=True)
            threading.Event().wait()
        return 0


KEPT = 16
"""Encoded garments that are kept, so that the next seed of the same picture starts at once."""


def check_port(port: int) -> None:
    """Refuse what is no port.

    Raises:
        ToileError: naming it.
    """
    if not 0 <= port <= 65535:
        raise ToileError(f"port is {port}; it must lie between 0 and 65535")
