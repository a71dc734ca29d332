"""Triplets encoded ahead: what the fields mean, and what they depend on."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from toile.data.doll_triplets import DollTriplets
from toile.data.latent_cache import open_encodings
from toile.data.tensors import to_tensor
from toile.data.triplets import Triplet, TripletGarment
from toile.diffusion import tiny
from toile.images import fit
from toile.training.anydressing_start import DressingParts
from toile.training.prepared import to_signed
from toile.training.triplet_encoding import DressingTriplets, TripletEncoder

SIZE = (64, 48)
KINDS = ("upper", "lower", "hat")


@pytest.fixture(scope="module")
def parts() -> DressingParts:
    """The parts of `tiny` with random weights."""
    torch.manual_seed(0)
    return DressingParts(
        vae=tiny.vae(),
        text_encoder=tiny.text_encoder(),
        tokenizer=tiny.tokenizer(["a red skirt", "a blue hat"]),
        scheduler=tiny.scheduler(),
        image_encoder=tiny.image_encoder(),
    )


class GreyPictures:
    """A photo of another form than the canvas, and a garment worn in its left half."""

    def person(self) -> Image.Image:
        """A grey photo."""
        return Image.new("RGB", (64, 64), (100, 100, 100))

    def garment(self, kind: str) -> Image.Image:
        """A garment as its own grey."""
        return Image.new("RGB", (30, 60), (200, 200, 200) if kind == "upper" else (50, 50, 50))

    def worn(self, kind: str) -> Image.Image:
        """The left half."""
        region = Image.new("L", (64, 64), 0)
        region.paste(255, (0, 0, 32, 64))
        return region


def grey_triplet(*kinds: str) -> Triplet:
    """A triplet of grey pictures."""
    garments = tuple(TripletGarment(kind=kind, cut_out=False) for kind in kinds)
    return Triplet(
        identifier="grey", source="test", caption="a blue hat", garments=garments, pictures=GreyPictures()
    )


def test_garments_have_their_kinds_places(parts: DressingParts):
    encoder = TripletEncoder(parts, KINDS, SIZE)
    dolls = DollTriplets(14, 8, size=SIZE)
    bare = next(triplet for triplet in dolls if "hat" not in triplet.kinds)
    hatted = next(triplet for triplet in dolls if "hat" in triplet.kinds)
    fields = encoder([bare, hatted])
    assert fields["present"].tolist() == [[True, True, False], [True] * 3]
    assert fields["garment_latents"].shape == (2, 3, tiny.LATENT_CHANNELS, 8, 6)
    assert not fields["garment_latents"][0, 2].any() and not fields["image_embeds"][0, 2].any()
    expected = {"person_latents": bare.person, "garment_latents": bare.garment("lower")}
    for name, picture in expected.items():
        with torch.no_grad():
            mode = parts.vae.encode(to_signed(to_tensor(picture))[None]).latent_dist.mode()
        found = fields[name][0] if name == "person_latents" else fields[name][0, 1]
        torch.testing.assert_close(found.float(), mode[0], rtol=0.05, atol=0.1)  # bfloat16
    other = TripletEncoder(parts, ("hat", "lower"), SIZE)([hatted])
    torch.testing.assert_close(
        other["garment_latents"][0], fields["garment_latents"][1][[2, 1]], rtol=0.05, atol=0.1
    )


def test_pictures_are_fitted_on_white(parts: DressingParts):
    encoder = TripletEncoder(parts, KINDS, SIZE)
    item = DressingTriplets(open_encodings([grey_triplet("upper", "dress")], encoder, None, ""))[0]
    picture, worn = item["picture"], item["worn"]
    assert picture.shape == (3, *SIZE) and worn.shape == (3, *SIZE)
    assert (
        (picture[:, 8:56] == 100).all() and (picture[:, :8] == 255).all() and (picture[:, 56:] == 255).all()
    )
    assert (worn[0, 8:56, :24] == 255).all() and int(worn.sum()) == 255 * 48 * 24
    assert item["present"].tolist() == [True, False, False]  # a dress has no place here
    canvas = to_signed(to_tensor(fit(GreyPictures().garment("upper"), SIZE)[0]))
    with torch.no_grad():
        mode = parts.vae.encode(canvas[None]).latent_dist.mode()
    torch.testing.assert_close(item["garment_latents"][0], mode[0], rtol=0.05, atol=0.1)


def test_a_cache_gives_what_the_step_would_have_encoded(parts: DressingParts, tmp_path: Path):
    encoder = TripletEncoder(parts, KINDS, SIZE)
    triplets = DollTriplets(0, 2, size=SIZE)
    key = encoder.key(triplets.fingerprint())
    kept, fresh = (
        DressingTriplets(open_encodings(triplets, encoder, where, key)) for where in (tmp_path, None)
    )
    assert len(kept) == len(fresh) == 4
    for index in range(4):
        assert kept[index].keys() == fresh[index].keys()
        for name, tensor in kept[index].items():
            assert tensor.dtype == fresh[index][name].dtype
            torch.testing.assert_close(tensor.float(), fresh[index][name].float(), rtol=0.02, atol=0.02)
        for kind, region in zip(KINDS, kept[index]["worn"].numpy(), strict=True):
            if kind in triplets[index].kinds:
                assert (region == np.asarray(triplets[index].worn(kind))).all()


def test_encodings_know_what_they_depend_on(parts: DressingParts):
    other = replace(parts, image_encoder=None)
    keys = {
        TripletEncoder(parts, KINDS, SIZE).key("a"),
        TripletEncoder(parts, KINDS, SIZE).key("b"),
        TripletEncoder(parts, KINDS[:2], SIZE).key("a"),
        TripletEncoder(parts, KINDS, (64, 64)).key("a"),
        TripletEncoder(other, KINDS, SIZE).key("a"),
    }
    assert len(keys) == 5
