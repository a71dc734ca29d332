"""The documentation's site: built strictly and without a network, whole, and with nothing from elsewhere."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from filelock import FileLock
from tests.browser import DESKTOP, PHONE, broken_pictures, browser, overflows
from tests.docs.blocks import ROOT

pytest.importorskip("material", reason="the extra `docs` is not installed")
pytest.importorskip("mkdocstrings", reason="the extra `docs` is not installed")

LOADING = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src", "video": "src"}
"""What a page loads by itself."""
PACKAGES = (
    "",
    "anydressing",
    "data",
    "data/doctor",
    "diffusion",
    "dolls",
    "evaluation",
    "evaluation/metrics",
)
PACKAGES += (
    "evaluation/protocols",
    "evaluation/reports",
    "evaluation/study",
    "igr",
    "tasks",
    "training",
    "twgtm",
)
"""Folders of `toile` whose every module is in the reference."""
PAGES = (
    "index.html",
    "guide/first-steps.html",
    "guide/costs.html",
    "fidelity/igr.html",
    "reference/igr.html",
)
"""Pages that are opened in a browser."""


@dataclass
class Page(HTMLParser):
    """What a page links to, what it loads, and the places that can be linked to."""

    links: list[str] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        if LOADING.get(tag) in given and given.get("rel") not in ("canonical", "next", "prev"):
            self.loaded.append(given[LOADING[tag]])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site, once for all processes that test."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base
    folder = shared / "site"
    with FileLock(shared / "site.lock"):
        if not folder.exists():
            part = shared / "site.part"
            command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(part)]
            offline = {"https_proxy": "http://127.0.0.1:9", "http_proxy": "http://127.0.0.1:9"}
            done = subprocess.run(
                command, cwd=ROOT, env=os.environ | offline | {"NO_MKDOCS_2_WARNING": "1"},
                capture_output=True, text=True,
            )  # fmt: skip
            assert done.returncode == 0, done.stderr
            part.rename(folder)
    return folder


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    read = {}
    for path in sorted(site.rglob("*.html")):
        read[path] = Page()
        read[path].feed(path.read_text(encoding="utf-8"))
    return read


def test_every_link_within_the_site_leads_somewhere(site: Path, pages: dict[Path, Page]) -> None:
    wrong = []
    for path, page in pages.items():
        for link in (*page.links, *page.loaded):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc or path.name == "404.html":
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            anchor = unquote(parts.fragment)
            known = target.exists() and (not anchor or target not in pages or anchor in pages[target].anchors)
            wrong += [] if known else [f"{path.relative_to(site)}: {link}"]
    assert not wrong


def test_nothing_is_loaded_from_elsewhere(site: Path, pages: dict[Path, Page]) -> None:
    for path, page in pages.items():
        outside = [link for link in page.loaded if urlsplit(link).netloc]
        assert not outside, f"{path.relative_to(site)} loads {outside}"
    for path in site.rglob("*.css"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"""@import|url\(\s*["']?(https?:)?//""", text), path.name


@pytest.mark.parametrize("package", PACKAGES)
def test_every_module_is_in_the_reference(package: str, pages: dict[Path, Page], site: Path) -> None:
    folder = ROOT / "src/toile" / package
    dotted = ".".join(("toile", *package.split("/"))) if package else "toile"
    modules = {f"{dotted}.{path.stem}" for path in folder.glob("*.py") if not path.stem.startswith("__")}
    described = set().union(
        *(page.anchors for path, page in pages.items() if path.parent.name == "reference")
    )
    assert modules <= described, sorted(modules - described)


@pytest.fixture(scope="module")
def opened() -> Iterator[Any]:
    with browser() as chromium:
        yield chromium


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_pages_fit_their_windows_and_ask_nobody_else(size: dict[str, int], site: Path, opened: Any) -> None:
    page = opened.new_page(viewport=size)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    for name in PAGES:
        page.goto((site / name).as_uri())
        assert not overflows(page), name
        assert not broken_pictures(page), name
    page.close()
    assert {urlsplit(url).scheme for url in asked} <= {"file", "data", "blob"}
