"""One page for all tests, and one browser: both take seconds to start."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tests.browser import DESKTOP, browser

pytest.importorskip("gradio", reason="gradio is not installed")

LIMITS = {"megabytes": 2.0, "megapixels": 4.0, "waiting": 1}


@dataclass
class Site:
    """A page that is served."""

    url: str
    atelier: Any
    steps: list[int] = field(default_factory=list)
    """One entry a denoising step that any model made."""

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Hold the models after their next step, so that there is time to look."""
        self.atelier.go.clear()
        try:
            yield
        finally:
            self.atelier.go.set()


class CountedAtelier:
    """Makes an atelier of real models that takes down each step they make, before anybody is told of it."""

    def __new__(cls, site: list[int], **models: Any) -> Any:
        from toile.tasks.atelier import Atelier
        from toile.tasks.models import Models

        class Counted(Atelier):
            go = threading.Event()

            def run(self, requests, on_step):
                def counted(step):
                    site.append(step.items)
                    self.go.wait(60)
                    return on_step(step)

                return super().run(requests, counted)

        Counted.go.set()
        return Counted(Models(device="cpu", **models), keep=8)


@pytest.fixture(scope="session")
def small_models(igr_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Models with random weights for small pictures, in their real layouts; the parser is the bundled one."""
    import tests.anydressing.small_pipeline
    import tests.twgtm.small_pipeline

    folder = tmp_path_factory.mktemp("models")
    tests.twgtm.small_pipeline.small_pipeline().save_pretrained(folder / "twgtm")
    tests.anydressing.small_pipeline.small_pipeline().save_pretrained(folder / "anydressing")
    return {
        "igr": str(igr_folder),
        "twgtm": str(folder / "twgtm"),
        "anydressing": str(folder / "anydressing"),
    }


@pytest.fixture(scope="session")
def site(small_models: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The page with small models, on a free port."""
    from toile.app.limits import Limits
    from toile.app.server import serving

    steps: list[int] = []
    atelier = CountedAtelier(steps, wardrobe=tmp_path_factory.mktemp("wardrobe"), **small_models)
    with serving(atelier, port=0, limits=Limits(**LIMITS)) as url:
        yield Site(url=url, atelier=atelier, steps=steps)


@pytest.fixture(scope="module")  # while it is open, other tests may not run loops of asyncio
def chromium() -> Iterator[Any]:
    with browser() as opened:
        yield opened


@dataclass
class Visitor:
    """Somebody who looks at the page."""

    page: Any
    requests: list[str]
    complaints: list[str]

    def open_tab(self, name: str) -> None:
        self.page.get_by_role("tab", name=name, exact=True).click()

    def drop(self, slot: str, file: Path) -> None:
        self.page.set_input_files(f"#{slot} input[type=file]", str(file))

    def set_number(self, name: str, value: float) -> None:
        field = self.page.locator(f"#{name} input[type=number]")
        field.fill(str(value))
        field.press("Tab")

    def number(self, name: str) -> float:
        return float(self.page.locator(f"#{name} input[type=number]").input_value())

    def run(self, tab: str, steps: int = 1) -> None:
        """Press the tab's button, and wait until the PNG can be downloaded."""
        self.set_number(f"{tab}-steps", steps)
        before = self.page.evaluate("tab => document.querySelector(`#${tab}-result img`)?.src", tab)
        self.page.click(f"#{tab}-run")
        self.wait_for_result(tab, before)

    def wait_for_result(self, tab: str, before: str | None = None) -> None:
        """Wait for another PNG than the one before; previews are no PNGs."""
        self.page.wait_for_function(
            """([tab, before]) => {
              const source = document.querySelector(`#${tab}-result img`)?.src;
              return source?.endsWith('.png') && source !== before;
            }""",
            arg=[tab, before],
        )
        self.page.wait_for_selector(f"#{tab}-download:visible")

    def captions(self, tab: str) -> list[str]:
        """What stands below each picture of the gallery."""
        pictures = self.page.locator(f"#{tab}-gallery .thumbnail-item")
        pictures.first.wait_for()
        return [caption.strip() for caption in pictures.all_inner_texts()]

    def download(self, tab: str, to: Path) -> Path:
        with self.page.expect_download() as download:
            self.page.click(f"#{tab}-download")
        to.mkdir(parents=True, exist_ok=True)
        path = to / download.value.suggested_filename
        download.value.save_as(path)
        return path

    def message(self, tab: str) -> str:
        lines = self.page.locator(f"#{tab}-message").inner_text().splitlines()
        return "\n".join(
            line for line in lines if not line.startswith(("processing", "queue"))
        )  # gradio's clock

    def wait_for_message(self, tab: str, text: str) -> str:
        self.page.wait_for_function(
            "([name, text]) => document.getElementById(name + '-message').innerText.includes(text)",
            arg=[tab, text],
        )
        return self.message(tab)


@pytest.fixture
def visit(site: Site, chromium: Any) -> Iterator[Callable[..., Visitor]]:
    """Open the page as somebody else each time. None of them may ask for anything from elsewhere."""
    with ExitStack() as leaving:
        visitors: list[Visitor] = []

        def open_page(viewport: dict[str, int] = DESKTOP, **settings: Any) -> Visitor:
            context = chromium.new_context(viewport=viewport, **settings)
            leaving.callback(context.close)
            page = context.new_page()
            page.set_default_timeout(30_000)
            visitor = Visitor(page=page, requests=[], complaints=[])
            page.on("request", lambda request: visitor.requests.append(request.url))
            page.on("pageerror", lambda error: visitor.complaints.append(str(error)))
            page.goto(site.url)
            page.wait_for_selector("#restore-run")
            visitors.append(visitor)
            return visitor

        yield open_page
        for visitor in visitors:
            elsewhere = [url for url in visitor.requests if not url.startswith((site.url, "data:", "blob:"))]
            assert (elsewhere, visitor.complaints) == ([], [])


@pytest.fixture(scope="session")
def dolls(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Photos of two dolls and their shirts, as files."""
    from toile.dolls import draw_doll

    folder, files = tmp_path_factory.mktemp("dolls"), {}
    for name, seed in (("a", 10_300_500), ("b", 10_300_501)):
        doll = draw_doll(seed, category="upper")
        for what, pixels in (("person", doll.person), ("garment", doll.garment)):
            files[f"{what}-{name}"] = folder / f"{what}-{name}.png"
            Image.fromarray(pixels).save(files[f"{what}-{name}"])
    return files
