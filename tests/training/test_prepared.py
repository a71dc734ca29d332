"""Pairs encoded ahead: what the fields mean, and when they are encoded anew."""

from pathlib import Path

import pytest
import torch

from toile.data.open import open_pairs
from toile.data.tensors import pair_tensors
from toile.diffusion import tiny
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


def test_cache_is_reused_and_depends_on_the_vae(encoder: PairEncoder, tmp_path: Path) -> None:
    first = prepare(SOURCE, encoder, tmp_path)
    again = prepare(SOURCE, encoder, tmp_path)
    assert first.folder == again.folder
    assert len(first) == 6
    other = PairEncoder(tiny.vae(), encoder.tokenizer, SIZE, tiny.IMAGE_ENCODER_SIZE)
    assert other.key(SOURCE) != encoder.key(SOURCE)


def test_curated_pairs_are_fewer(encoder: PairEncoder, tmp_path: Path) -> None:
    pairs = open_pairs("dolls:40:16:mixed", size=SIZE)
    easy = [index for index in range(16) if not pairs[index].hard]
    cache = prepare("dolls:40:16:mixed", encoder, tmp_path, curate=True, pad_extremes=True)
    assert 0 < len(cache) == len(easy) < 16


def test_parts_are_taken_along(tmp_path: Path) -> None:
    (tmp_path / "base" / "vae").mkdir(parents=True)
    (tmp_path / "base" / "vae" / "config.json").write_text("{}")
    (tmp_path / "base" / "training.json").write_text("{}")
    (tmp_path / "export").mkdir()
    copy_parts(tmp_path / "base", tmp_path / "export")
    assert [path.name for path in (tmp_path / "export").iterdir()] == ["vae"]
