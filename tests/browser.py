"""A real headless browser for the pages; tests that want one are skipped where there is none."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
]
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1280, "height": 900}


@contextmanager
def browser() -> Iterator[Any]:
    """Chromium; skips the test where it or playwright is missing."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("there is no chromium on this computer")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        try:
            yield opened
        finally:
            opened.close()


def broken_pictures(page: Any) -> list[str]:
    """The pictures of a page that do not show, after all have been asked for."""
    page.evaluate("document.querySelectorAll('img').forEach((image) => { image.loading = 'eager' })")
    page.wait_for_function("[...document.querySelectorAll('img[src]')].every((image) => image.complete)")
    found: list[str] = page.evaluate(
        "[...document.querySelectorAll('img[src]')].filter((i) => !(i.naturalWidth > 0)).map((i) => i.src)"
    )
    return found


def overflows(page: Any) -> bool:
    """Whether a page is wider than its window."""
    wide: bool = page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
    return wide
