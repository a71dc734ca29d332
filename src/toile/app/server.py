"""Serves the page, on this computer alone unless told otherwise."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType

from toile.app.limits import Limits
from toile.errors import ToileError
from toile.tasks.atelier import Atelier

HOST, PORT = "127.0.0.1", 7860
OWN_NAMES = frozenset({"127.0.0.1", "localhost", "[::1]"})
OLDEST_GRADIO = 6
MISSING = 'the web page needs gradio 6 or newer; install it with: pip install "toile[app]"'
CLOSED = {
    "GRADIO_ANALYTICS_ENABLED": "False",
    "GRADIO_RUN_HISTORY": "False",
    "GRADIO_ALLOWED_PATHS": "",
    "GRADIO_MCP_SERVER": "False",
    "GRADIO_SSR_MODE": "False",
    "GRADIO_SHARE": "False",
    "HF_HUB_DISABLE_TELEMETRY": "1",
}
"""gradio reads these when it is imported or launched: nothing is told to anybody, nothing more is served."""


def import_gradio() -> ModuleType:
    """Import gradio, told to keep to itself.

    Raises:
        ToileError: when it is not installed, or too old.
    """
    os.environ.update(CLOSED)
    try:
        import gradio
    except ImportError as error:
        raise ToileError(MISSING) from error
    if int(gradio.__version__.split(".")[0]) < OLDEST_GRADIO:
        raise ToileError(f"{MISSING} (this is gradio {gradio.__version__})")
    return gradio


@contextmanager
def serving(
    atelier: Atelier,
    *,
    host: str = HOST,
    port: int = PORT,
    limits: Limits | None = None,
    browser: bool = False,
) -> Iterator[str]:
    """Serve the page within the block.

    Args:
        atelier: the models.
        host: address to listen on; any but this computer's own lets others in.
        port: 0 takes any that is free.
        limits: what it takes, at most.
        browser: show it in a browser.

    Yields:
        The page's address.

    Raises:
        ToileError: when gradio is not installed, or the address cannot be used.
    """
    import_gradio()
    _import_models(atelier)
    from starlette.middleware import Middleware

    limits = limits or Limits()
    with tempfile.TemporaryDirectory(prefix="toile-app-", ignore_cleanup_errors=True) as name:
        folder = Path(name).resolve()
        with _own_folder(folder / "files"):
            from toile.app.examples import draw_examples
            from toile.app.gate import Gate
            from toile.app.page import build_page
            from toile.app.theme import STYLE, theme
            from toile.app.workroom import Workroom

            room = Workroom(atelier=atelier, folder=folder, limits=limits)
            page = build_page(room, draw_examples(folder / "examples"))
            page.queue(max_size=4 * (limits.waiting + 2), default_concurrency_limit=4, api_open=False)
            hosts = OWN_NAMES if host in OWN_NAMES else None
            gate = Middleware(Gate, folder=folder / "files", file_bytes=limits.file_bytes, hosts=hosts)
            try:
                _, url, _ = page.launch(
                    server_name=host,
                    server_port=port or None,
                    inbrowser=browser,
                    share=False,
                    quiet=True,
                    prevent_thread_lock=True,
                    allowed_paths=[],
                    max_file_size=limits.file_bytes,
                    app_kwargs={"middleware": [gate], "docs_url": None, "redoc_url": None},
                    footer_links=[],
                    run_history=False,
                    enable_monitoring=False,
                    ssr_mode=False,
                    pwa=False,
                    mcp_server=False,
                    num_workers=1,
                    theme=theme(),
                    css=STYLE,
                )
            except (OSError, OverflowError, ValueError) as error:
                reason = " ".join(str(error).split())
                raise ToileError(f"{host}:{port} cannot be used ({reason}); choose another --port") from error
            try:
                yield str(url)
            finally:
                room.in_progress.stop_all()
                page.close(verbose=False)


def _import_models(atelier: Atelier) -> None:
    """Import the heavy libraries here and now.

    Two threads that import diffusers and transformers at the same time, as one finds a mask and another one
    draws, may wait for one another for ever.
    """
    from toile.tasks.models import quieten_libraries

    quieten_libraries()
    import toile.anydressing.pipeline
    import toile.igr.pipeline
    import toile.twgtm.pipeline  # noqa: F401

    assert atelier.finder is not None


@contextmanager
def _own_folder(folder: Path) -> Iterator[None]:
    """Have gradio keep its files in a folder of this run alone."""
    folder.mkdir(parents=True)
    own = {"GRADIO_TEMP_DIR": str(folder), "GRADIO_EXAMPLES_CACHE": str(folder / "examples")}
    before = {name: os.environ.get(name) for name in own}
    os.environ.update(own)
    try:
        yield
    finally:
        for name, value in before.items():
            with suppress(KeyError):
                os.environ.pop(name)
            if value is not None:
                os.environ[name] = value
