"""The page in a real browser: every tab from a dropped picture to a downloaded one."""

import json

import numpy as np
from PIL import Image
from tests.browser import PHONE, overflows

from toile.images import load_photo
from toile.tasks.drawing import Drawing
from toile.tasks.restore import RestoreRequest


def settings_in(path) -> dict:
    return json.loads(Image.open(path).text["toile"])


def test_restore_gives_the_same_picture_as_the_library(visit, site, dolls, tmp_path):
    visitor = visit()
    visitor.drop("restore-photo", dolls["person-a"])
    visitor.page.wait_for_selector("#restore-photo-mask [data-ready]")
    visitor.set_number("restore-seed", 5)
    visitor.run("restore", steps=2)
    assert "found the garment" in visitor.message("restore")
    path = visitor.download("restore", tmp_path)
    assert path.name == "garment-5.png"
    told = settings_in(path)
    assert {name: told[name] for name in ("task", "seed", "steps", "guidance", "category", "mask")} == {
        "task": "restore",
        "seed": 5,
        "steps": 2,
        "guidance": 1.5,
        "category": "upper",
        "mask": "automatic",
    }
    photo = load_photo(dolls["person-a"])
    (result,) = site.atelier.run(
        [RestoreRequest(photo=photo, seed=5, drawing=Drawing(steps=2, guidance=1.5))], lambda step: None
    )
    assert np.array_equal(np.asarray(Image.open(path)), np.asarray(result.main))


def test_several_seeds_are_a_gallery_and_each_can_be_downloaded(visit, dolls, tmp_path):
    visitor = visit()
    visitor.drop("restore-photo", dolls["person-a"])
    visitor.set_number("restore-candidates", 2)
    visitor.set_number("restore-seed", 8)
    visitor.run("restore")
    assert visitor.captions("restore") == ["seed 8", "seed 9"]
    visitor.page.locator("#restore-gallery .thumbnail-item").nth(1).click()
    visitor.page.wait_for_function(
        "document.querySelector('#restore-result img')?.src.includes('garment-9.png')"
    )
    assert settings_in(visitor.download("restore", tmp_path))["seed"] == 9


def test_try_on_scores_its_candidates_by_the_round_trip(visit, dolls, tmp_path):
    visitor = visit()
    visitor.open_tab("Try on")
    visitor.drop("tryon-person", dolls["person-a"])
    visitor.drop("tryon-garment", dolls["garment-b"])
    visitor.set_number("tryon-candidates", 2)
    visitor.page.wait_for_selector("#tryon-garment img")
    visitor.run("tryon")
    captions = visitor.captions("tryon")
    scores = [float(caption.rsplit(" ", 1)[1]) for caption in captions]
    assert len(scores) == 2 and scores == sorted(scores)
    assert all("round trip" in caption for caption in captions)
    told = settings_in(visitor.download("tryon", tmp_path))
    assert told["task"] == "tryon"
    assert f"seed {told['seed']} " in captions[0]


def test_take_off_shows_the_silhouette_too(visit, dolls, tmp_path):
    visitor = visit()
    visitor.open_tab("Take off")
    visitor.drop("takeoff-photo", dolls["person-b"])
    visitor.page.check("#takeoff-silhouette input")
    visitor.page.wait_for_selector("#takeoff-photo img")
    visitor.run("takeoff")
    assert visitor.captions("takeoff") == ["seed 0", "silhouette, seed 0"]
    assert settings_in(visitor.download("takeoff", tmp_path))["task"] == "takeoff"


def test_swap_shows_the_garment_between(visit, dolls, tmp_path):
    visitor = visit()
    visitor.open_tab("Swap")
    visitor.drop("swap-wearer", dolls["person-a"])
    visitor.drop("swap-target", dolls["person-b"])
    visitor.page.wait_for_selector("#swap-target-mask [data-ready]")
    assert visitor.page.locator("#swap-wearer-mask [data-ready]").count() == 0  # this restorer reads none
    visitor.run("swap")
    assert visitor.captions("swap") == ["seed 0", "garment, seed 0"]
    told = settings_in(visitor.download("swap", tmp_path))
    assert (told["task"], told["through"]) == ("swap", "twgtm")
    visitor.page.get_by_label("IGR, by a mask").check()
    visitor.page.wait_for_selector("#swap-wearer-mask [data-ready]")


def test_dress_takes_any_number_of_garments_and_the_wardrobe_keeps_them(visit, site, dolls, tmp_path):
    visitor = visit()
    page = visitor.page
    visitor.open_tab("Wardrobe")
    visitor.drop("wardrobe-add", dolls["garment-a"])
    page.wait_for_selector("#wardrobe-rows .garment >> nth=0")
    page.fill("#wardrobe-name textarea, #wardrobe-name input", "sunday")
    page.click("#wardrobe-keep")
    visitor.wait_for_message("wardrobe", "Sunday is kept")
    assert site.atelier.wardrobe.describe("sunday").categories == ("upper",)
    page.click("#wardrobe-outfits .thumbnail-item")
    page.click("#wardrobe-wear")
    page.wait_for_selector("#dress-prompt:visible")
    page.wait_for_function("document.querySelector('#dress-wear input').value === 'sunday'")
    for number, name in enumerate(("garment-b", "garment-a", "person-b")):
        visitor.drop("dress-add", dolls[name])
        page.wait_for_selector(f"#dress-rows .garment >> nth={number}")
    kinds = page.locator("#dress-rows .garment input")
    assert [kinds.nth(number).input_value() for number in range(3)] == ["upper", "lower", "hat"]
    page.locator("#dress-rows .garment button", has_text="Remove").nth(2).click()
    page.wait_for_function("document.querySelectorAll('#dress-rows .garment').length === 2")
    page.fill("#dress-prompt textarea, #dress-prompt input", "a woman in a park")
    visitor.run("dress")
    told = settings_in(visitor.download("dress", tmp_path))
    assert (told["task"], told["wear"], told["kinds"]) == ("dress", "sunday", ["upper", "lower"])
    visitor.open_tab("Wardrobe")
    page.click("#wardrobe-outfits .thumbnail-item")
    page.click("#wardrobe-remove")
    assert site.atelier.wardrobe.names() == ["sunday"]  # it asks once more
    page.click("#wardrobe-really")
    visitor.wait_for_message("wardrobe", "Sunday is removed")
    assert site.atelier.wardrobe.names() == []


def test_an_example_runs_at_a_click(visit, site, tmp_path):
    visitor = visit()
    visitor.open_tab("Try on")
    visitor.set_number("tryon-steps", 1)
    visitor.page.click("#tryon-examples button >> nth=0")
    visitor.wait_for_result("tryon")
    assert settings_in(visitor.download("tryon", tmp_path))["category"] == "upper"


def test_a_painted_mask_is_what_is_worked_in(visit, dolls, tmp_path):
    visitor = visit()
    visitor.drop("restore-photo", dolls["person-a"])
    page = visitor.page
    page.wait_for_selector("#restore-photo-mask [data-ready]")
    automatic = page.evaluate("document.querySelector('#restore-photo-mask .ink').toDataURL()")
    box = page.locator("#restore-photo-mask .ink").bounding_box()
    page.mouse.move(box["x"] + 5, box["y"] + 5)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 5, box["y"] + 5, steps=4)
    page.mouse.up()
    painted = page.evaluate("document.querySelector('#restore-photo-mask .ink').toDataURL()")
    assert painted != automatic
    visitor.run("restore")
    assert settings_in(visitor.download("restore", tmp_path))["mask"] is True
    assert page.evaluate("document.querySelector('#restore-photo-mask .ink').toDataURL()") == painted
    page.click("#restore-photo-mask [data-tool=again]")
    assert page.evaluate("document.querySelector('#restore-photo-mask .ink').toDataURL()") == automatic
    visitor.run("restore")
    assert settings_in(visitor.download("restore", tmp_path / "again"))["mask"] == "automatic"


def test_a_downloaded_picture_brings_its_settings_back(visit, dolls, tmp_path):
    visitor = visit()
    visitor.open_tab("Take off")
    visitor.drop("takeoff-photo", dolls["person-a"])
    visitor.page.wait_for_selector("#takeoff-photo img")
    visitor.page.get_by_label("Lower body").and_(visitor.page.locator("#takeoff-category input")).check()
    visitor.set_number("takeoff-seed", 42)
    visitor.set_number("takeoff-guidance", 3.5)
    visitor.run("takeoff", steps=2)
    path = visitor.download("takeoff", tmp_path)
    other = visit()
    other.drop("settings-slot", path)
    other.wait_for_message("settings", "settings are back")
    other.page.wait_for_selector("#takeoff-run:visible")  # the tab that made it
    assert [other.number(f"takeoff-{name}") for name in ("seed", "steps", "guidance")] == [42, 2, 3.5]
    assert other.page.locator("#takeoff-category input[value=lower]").is_checked()


def test_a_bad_file_is_explained_and_the_page_goes_on(visit, dolls, tmp_path):
    visitor = visit()
    broken = tmp_path / "broken.png"
    broken.write_bytes(dolls["person-a"].read_bytes()[:2000])
    visitor.drop("restore-photo", broken)
    said = visitor.wait_for_message("restore", "The photo")
    assert "damaged or cut short" in said and "Traceback" not in said and "/" not in said
    large = tmp_path / "large.png"
    Image.new("1", (2500, 2500)).save(large)
    visitor.page.click("#restore-photo button[aria-label='Remove Image']")
    visitor.drop("restore-photo", large)
    assert "2500×2500 pixels, more than the 4 million" in visitor.wait_for_message("restore", "pixels")
    visitor.page.click("#restore-run")
    visitor.wait_for_message("restore", "2500×2500 pixels")
    visitor.page.click("#restore-photo button[aria-label='Remove Image']")
    visitor.page.click("#restore-run")
    assert "drop a picture there" in visitor.wait_for_message("restore", "missing")
    visitor.drop("settings-slot", dolls["person-a"])
    visitor.wait_for_message("settings", "carries no settings")
    visitor.drop("restore-photo", dolls["person-a"])
    visitor.run("restore")


def test_stop_really_stops_the_model(visit, site, dolls):
    visitor = visit()
    visitor.drop("restore-photo", dolls["person-a"])
    visitor.page.wait_for_selector("#restore-photo-mask [data-ready]")
    visitor.set_number("restore-steps", 100)
    visitor.set_number("restore-candidates", 4)
    before = len(site.steps)
    visitor.page.click("#restore-run")
    visitor.page.wait_for_selector("#restore-result img")  # a preview, while it goes on
    with site.paused():
        visitor.page.wait_for_function(
            "/Step \\d+ of 400/.test(document.querySelector('#restore-status').innerText)"
        )
        visitor.page.click("#restore-stop")
        visitor.page.wait_for_timeout(300)
        made = len(site.steps)
    visitor.wait_for_message("restore", "Stopped")
    visitor.page.wait_for_timeout(500)
    assert len(site.steps) <= made + 1  # the step that was being made
    assert 0 < made - before < 400
    visitor.run("restore", steps=1)  # the model is free again


def test_who_leaves_stops_the_model_too(visit, site, dolls):
    visitor, other = visit(), visit()
    visitor.drop("restore-photo", dolls["person-a"])
    visitor.page.wait_for_selector("#restore-photo-mask [data-ready]")
    visitor.set_number("restore-steps", 100)
    visitor.set_number("restore-candidates", 8)
    with site.paused():
        visitor.page.click("#restore-run")
        visitor.page.wait_for_selector("#restore-status .progress")
        visitor.page.close()
        other.page.wait_for_timeout(1000)
        made = len(site.steps)
    other.page.wait_for_timeout(700)
    assert len(site.steps) <= made + 1


def test_two_people_at_once_get_their_own_pictures(visit, site, dolls, tmp_path):
    one, two, three = visit(), visit(), visit()
    for seed, (visitor, name) in enumerate(((one, "a"), (two, "b"), (three, "a")), start=21):
        visitor.drop("restore-photo", dolls[f"person-{name}"])
        visitor.page.wait_for_selector("#restore-photo-mask [data-ready]")
        visitor.set_number("restore-seed", seed)
        visitor.set_number("restore-steps", 2)
    with site.paused():
        one.page.click("#restore-run")
        one.page.wait_for_selector("#restore-status .progress")
        two.page.click("#restore-run")
        two.page.wait_for_function(
            "document.querySelector('#restore-status').innerText.includes('Waiting: 1')"
        )
        three.page.click("#restore-run")  # the line is full: one is served, one waits
        assert "try again in a minute" in three.wait_for_message("restore", "people")
    found = []
    for visitor, name in ((one, "one"), (two, "two")):
        visitor.wait_for_result("restore")
        found.append(visitor.download("restore", tmp_path / name))
    assert [settings_in(path)["seed"] for path in found] == [21, 22]
    assert found[0].read_bytes() != found[1].read_bytes()
    assert three.page.locator("#restore-result img").count() == 0


def test_the_page_fits_a_phone_by_night(visit):
    visitor = visit(PHONE, color_scheme="dark")
    ground = "getComputedStyle(document.body).backgroundColor"
    assert visitor.page.evaluate(ground) == "rgb(29, 27, 25)"
    assert not overflows(visitor.page)
