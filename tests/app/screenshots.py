"""Draw the pictures of `docs/guide/app.md` anew, with a real browser: `python -m tests.app.screenshots`."""

import tempfile
from pathlib import Path
from typing import Any

from PIL import Image
from tests.browser import DESKTOP, PHONE, browser

from toile.app.server import serving
from toile.files import whole_file
from toile.tasks.atelier import Atelier
from toile.tasks.models import Models

IMAGES = Path(__file__).parents[2] / "docs" / "images"
COLORS = 256
PATIENCE = 600_000


def main() -> None:
    """Serve the page, use every tab as a visitor does, and keep what is to be seen."""
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(Atelier(Models(device="cpu", wardrobe=Path(folder))), port=0) as url,
        browser() as chromium,
    ):
        desktop = open_page(chromium, url, viewport=DESKTOP)
        use(desktop, "Restore", "restore", 0)
        keep(desktop, "app-restore")
        use(desktop, "Try on", "tryon", 1, pictures=3)
        keep(desktop, "app-try-on")
        use(desktop, "Swap", "swap", 0)
        keep(desktop, "app-swap")
        use(desktop, "Take off", "takeoff", 3)
        keep(desktop, "app-take-off")
        use(desktop, "Dress", "dress", 1)
        keep(desktop, "app-dress")
        fill_wardrobe(desktop, Path(folder))
        keep(desktop, "app-wardrobe")
        phone = open_page(chromium, url, viewport=PHONE, device_scale_factor=2)
        use(phone, "Restore", "restore", 2)
        keep(phone, "app-phone")
        night = open_page(chromium, url, viewport=PHONE, device_scale_factor=2, color_scheme="dark")
        use(night, "Try on", "tryon", 0, pictures=2)
        keep(night, "app-phone-dark")


def open_page(chromium: Any, url: str, **settings: Any) -> Any:
    """The page as a new visitor sees it."""
    page = chromium.new_context(**settings).new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(url)
    page.wait_for_selector("#restore-run")
    return page


def use(page: Any, name: str, tab: str, example: int, pictures: int = 1) -> None:
    """Click on a tab's example, and wait for what comes of it."""
    page.get_by_role("tab", name=name, exact=True).click()
    field = page.locator(f"#{tab}-candidates input[type=number]")
    field.fill(str(pictures))
    field.press("Tab")
    page.locator(f"#{tab}-examples button").nth(example).click()
    page.wait_for_selector(f"#{tab}-stop:visible")
    page.wait_for_selector(f"#{tab}-download:visible")
    settle(page)


def fill_wardrobe(page: Any, folder: Path) -> None:
    """Keep two outfits of dolls, and choose one."""
    from toile.dolls import draw_doll

    page.get_by_role("tab", name="Wardrobe", exact=True).click()
    for name, seed in (("sunday", 10_000_200), ("to work", 10_000_204)):
        worn = draw_doll(seed, size=(512, 384), category="upper").garments
        for number, kind in enumerate(("upper", "lower")):  # the kinds that the page takes them for
            path = folder / f"{kind}.png"
            Image.fromarray(worn[kind].image).save(path)
            page.set_input_files("#wardrobe-add input[type=file]", str(path))
            page.wait_for_selector(f"#wardrobe-rows .garment >> nth={number}")
        page.locator("#wardrobe-name").locator("input, textarea").fill(name)
        page.click("#wardrobe-keep")
        page.wait_for_function(
            "name => document.getElementById('wardrobe-message').innerText.toLowerCase().includes(name)",
            arg=f"{name} is kept",
        )
    page.locator("#wardrobe-outfits .thumbnail-item").first.click()
    page.wait_for_selector("#wardrobe-wear:visible")
    settle(page)


def settle(page: Any) -> None:
    """Wait until all pictures are there and nothing moves."""
    page.wait_for_function("[...document.querySelectorAll('img[src]')].every((image) => image.complete)")
    page.mouse.move(0, 0)
    page.wait_for_timeout(1500)


def keep(page: Any, name: str) -> None:
    """Write what is to be seen as a small PNG."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "page.png"
        page.screenshot(path=str(path), full_page=True)
        shown = Image.open(path).convert("RGB").quantize(COLORS, dither=Image.Dither.NONE)
    with whole_file(IMAGES / f"{name}.png") as beside:
        shown.save(beside, format="PNG", optimize=True)
    print(IMAGES / f"{name}.png")


if __name__ == "__main__":
    main()
