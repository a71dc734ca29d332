"""Pairs encoded ahead: what the fields mean, and when they are encoded anew."""

from pathlib import Path

import pytest
import torch

from toile.data.faults import FaultLog
from toile.data.latent_cache import EncodedOnDemand, LatentCache
from toile.data.open import open_pairs
from toile.data.readable import ReadablePairs
from toile.data.tensors import pair_tensors
from toile.diffusion import tiny
from toile.dolls.writers import DatasetSettings, write_dataset
from toile.training.prepared import PairEncoder, copy_parts, prepare, to_signed

SIZE = (64, 96)
SOURCE = "dolls:40:6:mixed"


@pytest.fixture(scope="module")
def encoder() -> PairEncoder:
    """An encoder with a random VAE and a tokenizer of a few words."""
    torch.manual_seed(0)
    return PairEncoder(
        tiny.vae(), tiny.tokenizer(["a red skirt", "a blue hat"]), SIZE, tiny.IMAGE_ENCODER_SIZE
    )


def test_bytes_become_signed() -> None:
    signed = to_signed(torch.tensor([0, 255], dtype=torch.uint8))
    assert signed.tolist() == [-1.0, 1.0]


def test_fields(encoder: PairEncoder) -> None:
    pairs = [open_pairs(SOURCE, size=SIZE)[index] for index in range(2)]
    fields = encoder(pairs)
    assert fields["person_latents"].shape == (2, tiny.LATENT_CHANNELS, 8, 12)
    assert fields["crop_view"].shape == (2, 3, tiny.IMAGE_ENCODER_SIZE, tiny.IMAGE_ENCODER_SIZE)
    assert fields["caption"].shape == (2, tiny.TEXT_LENGTH)
    mask = pair_tensors(pairs[0], SIZE)["mask"].float()
    assert fields["mask"][0].float().mean() == pytest.approx(mask.mean().item(), abs=1)
    with torch.no_grad():
        garment = to_signed(pair_tensors(pairs[1], SIZE)["garment"])[None]
        latents = encoder.vae.encode(garment).latent_dist.mode() * encoder.vae.config.scaling_factor
    assert torch.allclose(fields["garment_latents"][1:].float(), latents, atol=0.1)


def readable(source: str, folder: Path) -> ReadablePairs:
    """The pairs of a source as a training reads them."""
    return ReadablePairs(open_pairs(source, size=SIZE), FaultLog(folder / "faults"))


def test_cache_is_reused_and_depends_on_pairs_and_weights(encoder: PairEncoder, tmp_path: Path) -> None:
    first = prepare(readable(SOURCE, tmp_path), encoder, tmp_path)
    again = prepare(readable(SOURCE, tmp_path), encoder, tmp_path)
    assert isinstance(first, LatentCache) and isinstance(again, LatentCache)
    assert first.folder == again.folder
    assert len(first) == 6
    other = prepare(readable("dolls:41:6:mixed", tmp_path), encoder, tmp_path)
    assert isinstance(other, LatentCache) and other.folder != first.folder
    for changed in (
        PairEncoder(tiny.vae(), encoder.tokenizer, SIZE, tiny.IMAGE_ENCODER_SIZE),
        PairEncoder(
            encoder.vae, encoder.tokenizer, SIZE, tiny.IMAGE_ENCODER_SIZE, text_encoder=tiny.text_encoder()
        ),
    ):
        assert changed.key("pairs") != encoder.key("pairs")


def test_without_a_cache_the_encodings_are_the_same(encoder: PairEncoder, tmp_path: Path) -> None:
    whole = PairEncoder(
        encoder.vae,
        encoder.tokenizer,
        SIZE,
        tiny.IMAGE_ENCODER_SIZE,
        image_encoder=tiny.image_encoder(),
        text_encoder=tiny.text_encoder(),
    )
    pairs = readable("dolls:40:3:mixed", tmp_path)
    cached, fresh = prepare(pairs, whole, tmp_path), prepare(pairs, whole, None)
    assert isinstance(fresh, EncodedOnDemand) and len(fresh) == len(cached) == 3
    for index in range(3):
        assert fresh[index].keys() == cached[index].keys()
        for name, tensor in cached[index].items():
            assert tensor.dtype == fresh[index][name].dtype
            torch.testing.assert_close(
                tensor.float(), fresh[index][name].float(), rtol=0.02, atol=0.02, equal_nan=True
            )


def test_a_broken_pair_is_encoded_as_the_next_one(encoder: PairEncoder, tmp_path: Path) -> None:
    write_dataset(DatasetSettings(out=tmp_path / "set", count=3, size=SIZE), progress=False)
    photo = sorted((tmp_path / "set" / "train" / "image").iterdir())[1]
    photo.write_bytes(photo.read_bytes()[:500])
    cache = prepare(readable(str(tmp_path / "set"), tmp_path), encoder, tmp_path / "cache")
    assert torch.equal(cache[1]["person_latents"], cache[2]["person_latents"])
    assert not torch.equal(cache[0]["person_latents"], cache[1]["person_latents"])
    assert photo.stem in FaultLog(tmp_path / "faults").summary()


def test_parts_are_taken_along(tmp_path: Path) -> None:
    (tmp_path / "base" / "vae").mkdir(parents=True)
    (tmp_path / "base" / "vae" / "config.json").write_text("{}")
    (tmp_path / "base" / "training.json").write_text("{}")
    (tmp_path / "export").mkdir()
    copy_parts(tmp_path / "base", tmp_path / "export")
    assert [path.name for path in (tmp_path / "export").iterdir()] == ["vae"]
