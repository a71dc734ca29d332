from pathlib import Path

import pytest
import torch
from PIL import Image
from tests.data.layouts import picture, save
from tests.data.small_networks import blip, llava, segformer
from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil

from toile.data.caption_cache import CaptionCache
from toile.data.captioning import (
    MOST_TOKENS,
    BlipCaptioner,
    ChatCaptioner,
    caption_pictures,
    find_pictures,
    load_captioner,
)
from toile.errors import ToileError

PHOTOS = [picture(1), picture(2, (40, 70)), Image.new("RGB", (30, 30), "white")]


@pytest.fixture(scope="module")
def blip_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("blip")
    blip(folder)
    return folder


def test_blip_says_what_it_says_in_transformers(blip_folder: Path) -> None:
    model = blip(blip_folder)
    processor = BlipImageProcessorPil.from_pretrained(blip_folder)
    captioner = load_captioner(blip_folder)
    assert isinstance(captioner, BlipCaptioner)
    tokens = model.generate(
        **processor(PHOTOS, return_tensors="pt"), max_new_tokens=MOST_TOKENS, do_sample=False
    )
    expected = captioner.tokenizer.batch_decode(tokens, skip_special_tokens=True)
    found = captioner(PHOTOS)
    assert len(set(found)) > 1
    assert found == [" ".join(text.split()) for text in expected]
    assert found[1:] == captioner(PHOTOS[1:])


def test_a_prompt_begins_blips_captions(blip_folder: Path) -> None:
    captioner = load_captioner(blip_folder, prompt="a photo of")
    assert all(caption.startswith("a photo of") for caption in captioner(PHOTOS))
    assert captioner.name != load_captioner(blip_folder).name


def test_a_model_that_follows_instructions(tmp_path: Path) -> None:
    llava(tmp_path)
    captioner = load_captioner(tmp_path)
    assert isinstance(captioner, ChatCaptioner)
    found = captioner(PHOTOS)
    assert found == captioner(PHOTOS)
    assert all("Describe" not in caption and "\n" not in caption for caption in found)


def test_models_that_do_not_caption_are_refused(tmp_path: Path) -> None:
    segformer(tmp_path)
    with pytest.raises(ToileError, match="cannot be loaded"):
        load_captioner(tmp_path)
    with pytest.raises(ToileError, match="no such folder"):
        load_captioner("nowhere")


def test_pictures_of_a_folder_and_of_a_dataset(tmp_path: Path) -> None:
    for name in ("test/image/b.jpg", "test/image/a.png", "test/cloth/c.jpg", "train/image/d.JPG"):
        save(picture(1), tmp_path / name)
    (tmp_path / "test" / "image" / "notes.txt").write_text("")
    assert [path.name for path in find_pictures(tmp_path / "test" / "image")] == ["a.png", "b.jpg"]
    assert [path.name for path in find_pictures(tmp_path)] == ["a.png", "b.jpg", "d.JPG"]
    with pytest.raises(ToileError, match="holds no pictures"):
        find_pictures(tmp_path / "train" / "cloth")


def test_each_picture_is_captioned_once(tmp_path: Path, blip_folder: Path) -> None:
    names = ["a.jpg", "b.jpg", "c.jpg"]
    for number, name in enumerate(names):
        save(picture(number), tmp_path / name)
    (tmp_path / "b.jpg").write_bytes(b"broken")
    seen: list[int] = []
    captioner = load_captioner(blip_folder)

    class Counting:
        name = captioner.name

        def __call__(self, photos):
            seen.append(len(photos))
            return captioner(photos)

    def run(fail) -> dict[str, str]:
        cache = CaptionCache(tmp_path, captioner.name)
        rows = caption_pictures(find_pictures(tmp_path), Counting(), cache, batch=2, on_failure=fail)
        return {path.name: caption for path, caption in rows}

    failed: list[str] = []
    first = run(lambda path, error: failed.append(path.name))
    assert list(first) == ["a.jpg", "c.jpg"]
    assert failed == ["b.jpg"]
    assert seen == [1, 1]
    assert run(lambda path, error: None) == first
    assert seen == [1, 1]
    with pytest.raises(ToileError, match=r"b\.jpg is not a picture"):
        run(None)


def test_captions_survive_an_interruption(tmp_path: Path, blip_folder: Path) -> None:
    for number in range(3):
        save(picture(number), tmp_path / f"{number}.png")
    captioner = load_captioner(blip_folder)
    rows = caption_pictures(
        find_pictures(tmp_path), captioner, CaptionCache(tmp_path, captioner.name), batch=1
    )
    path, caption = next(rows)
    rows.close()
    assert CaptionCache(tmp_path, captioner.name).get(path) == caption
    assert torch.is_grad_enabled()
