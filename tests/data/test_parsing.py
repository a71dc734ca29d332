from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from tests.data.layouts import picture
from tests.data.small_networks import ATR_NAMES, segformer, vitpose
from transformers.models.segformer.image_processing_pil_segformer import SegformerImageProcessorPil

from toile.bundled import weights_folder
from toile.data import parsing
from toile.data.parse_labels import LIP, to_lip
from toile.data.parsing import Parser, lip_numbers
from toile.dolls import draw_doll
from toile.errors import ToileError
from toile.images import fit

SIZES = [(48, 64), (70, 31), (200, 90)]
bundled = pytest.mark.skipif(
    not (weights_folder() / "parser" / "config.json").is_file(), reason="the tiny parser is not trained yet"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("segformer")
    segformer(folder)
    SegformerImageProcessorPil(size={"height": 64, "width": 64}).save_pretrained(folder)
    return folder


def photos() -> list[Image.Image]:
    return [picture(number, (16, 16)).resize(size) for number, size in enumerate(SIZES)]


def test_a_published_checkpoint_parses_as_in_transformers(folder: Path) -> None:
    """Same key names, same processor, same labels, but for the names of ATR's in LIP."""
    model, processor = segformer(folder), SegformerImageProcessorPil.from_pretrained(folder)
    output = model(**processor(photos(), return_tensors="pt"))
    sizes = [photo.size[::-1] for photo in photos()]
    theirs = processor.post_process_semantic_segmentation(output, target_sizes=sizes)
    for mine, their in zip(Parser.from_pretrained(folder)(photos()), theirs, strict=True):
        expected = to_lip(their.numpy().astype(np.uint8), "atr")
        assert mine.mode == "L"
        assert len(np.unique(expected)) > 2
        assert (np.asarray(mine) == expected).mean() > 0.999


def test_key_names_are_the_published_ones(folder: Path) -> None:
    names = load_file(folder / "model.safetensors").keys()
    assert {
        "segformer.encoder.patch_embeddings.0.proj.weight",
        "segformer.encoder.block.3.0.attention.self.sr.weight",
        "decode_head.linear_fuse.weight",
        "decode_head.batch_norm.running_mean",
        "decode_head.classifier.weight",
    } & names == {
        "segformer.encoder.patch_embeddings.0.proj.weight",
        "decode_head.linear_fuse.weight",
        "decode_head.batch_norm.running_mean",
        "decode_head.classifier.weight",
    }  # the last stage reduces nothing, so it has no `sr`


def test_each_photo_is_parsed_alike_alone_and_among_others(folder: Path) -> None:
    parser = Parser.from_pretrained(folder)
    together = parser(photos(), batch=2)
    for photo, parse in zip(photos(), together, strict=True):
        assert (np.asarray(parser([photo])[0]) == np.asarray(parse)).mean() > 0.999
    assert parser([]) == []


def test_padding_is_cut_off_again(folder: Path) -> None:
    """A photo, and the same already padded to the network's aspect: the same labels within it."""
    parser = Parser.from_pretrained(folder)
    parser.processor = parsing.Processor(size=(64, 64), pads=True)
    photo = picture(1, (64, 32))
    canvas, box = fit(photo, (64, 64))
    whole = parser([canvas])[0].crop(box)
    found = parser([photo])[0]
    assert found.size == photo.size
    assert (np.asarray(found) == np.asarray(whole)).mean() > 0.97


def test_large_photos_get_labels_of_their_size(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parser = Parser.from_pretrained(folder)
    photo = picture(1, (16, 16)).resize((150, 200))
    exact = np.asarray(parser([photo])[0])
    monkeypatch.setattr(parsing, "LARGEST_SIDE", 100)
    coarse = np.asarray(parser([photo])[0])
    assert coarse.shape == exact.shape == (200, 150)
    assert (coarse == exact).mean() > 0.9


def test_any_mode_is_taken(folder: Path) -> None:
    parser = Parser.from_pretrained(folder)
    assert parser([Image.new("L", (5, 9)), Image.new("RGBA", (9, 5)), Image.new("RGB", (1, 1))])[2].size == (
        1,
        1,
    )


def test_labels_go_by_their_names() -> None:
    assert lip_numbers(dict(enumerate(LIP)), "here").tolist() == list(range(20))
    shuffled = lip_numbers({0: "Dress", 1: "left_shoe", 2: "Jumpsuits", 3: "Bag", 4: "Belt"}, "here")
    expected = ["dress", "left shoe", "dress", "background", "trousers"]
    assert shuffled.tolist() == [LIP[name] for name in expected]
    assert len(lip_numbers(dict(enumerate(ATR_NAMES)), "here")) == 18


def test_other_labels_are_refused(tmp_path: Path) -> None:
    segformer(tmp_path, ("wall", "sky"))
    with pytest.raises(ToileError, match="has a label 'wall', which neither LIP nor ATR has"):
        Parser.from_pretrained(tmp_path)


def test_other_models_are_refused(tmp_path: Path) -> None:
    vitpose(tmp_path)
    with pytest.raises(ToileError, match="is a vitpose; give a Segformer"):
        Parser.from_pretrained(tmp_path)


def test_a_missing_tiny_parser_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parsing, "weights_folder", lambda: tmp_path)
    with pytest.raises(ToileError, match="weights of the tiny parser are missing"):
        Parser.from_pretrained()


@bundled
def test_the_bundled_parser_knows_dolls() -> None:
    dolls = [draw_doll(9_992_000 + number, size=(256, 192)) for number in range(6)]
    found = Parser.from_pretrained()([Image.fromarray(doll.person) for doll in dolls])
    right = [(np.asarray(parse) == doll.parse).mean() for parse, doll in zip(found, dolls, strict=True)]
    assert np.mean(right) > 0.9


@bundled
def test_the_bundled_parser_is_small() -> None:
    folder = weights_folder() / "parser"
    assert sum(path.stat().st_size for path in folder.iterdir()) < 4 * 2**20
    tensors = load_file(folder / "model.safetensors").values()
    assert {tensor.dtype for tensor in tensors if tensor.is_floating_point()} == {torch.float16}
