import pytest
import torch
from tests.comfyui.calls import call

from toile.comfyui.wardrobe import NOTHING_KEPT, Outfit, ToileKeptOutfit
from toile.errors import ToileError
from toile.wardrobe_store import WardrobeStore


@pytest.fixture
def store(tmp_path, monkeypatch, models, doll) -> WardrobeStore:
    """The user's own wardrobe, with one outfit."""
    from toile.anydressing.outfits import Outfits
    from toile.comfyui.pictures import to_pictures

    monkeypatch.setenv("TOILE_WARDROBE", str(tmp_path / "wardrobe"))
    models.__dict__.pop("wardrobe", None)  # it is looked up once
    dressing, store = models.pipeline("anydressing").dressing, WardrobeStore()
    pictures = to_pictures(doll()[1])
    features = dressing.encode(Outfits.of({"upper": pictures}))
    store.add("sunday", features, pictures=pictures, weights=dressing.weights_hash())
    yield store
    models.__dict__.pop("wardrobe", None)


def test_garments_are_chained(models, doll):
    (first,) = call("ToileGarment", models=models, garment=doll(0)[1], kind="upper")
    (both,) = call("ToileGarment", models=models, garment=doll(1)[1], kind="lower", wardrobe=first)
    (batch,) = call("ToileGarment", models=models, garment=torch.cat([doll(0)[1], doll(1)[1]]), kind="upper")
    assert [kind for kind, _ in both.garments] == ["upper", "lower"]
    assert [kind for kind, _ in first.garments] == ["upper"], "an outfit is never changed"
    assert {kind: len(pictures) for kind, pictures in batch.by_kind().items()} == {"upper": 2}


def test_each_garment_is_encoded_once(models, doll):
    before = models.encodings
    (first,) = call("ToileGarment", models=models, garment=doll(5)[1], kind="upper")
    assert models.encodings == before + 1
    (both,) = call("ToileGarment", models=models, garment=doll(6)[1], kind="lower", wardrobe=first)
    assert models.encodings == before + 2
    call("ToileDress", models=models, wardrobe=both, prompt="a woman", seed=1)
    call("ToileDress", models=models, wardrobe=both, prompt="a man", seed=2)
    assert models.encodings == before + 2


def test_a_kind_can_be_written(models, doll):
    with pytest.raises(ToileError, match="cape"):
        call("ToileGarment", models=models, garment=doll()[1], other_kind=" cape ")


def test_a_kept_outfit_is_worn(models, store):
    (outfit,) = call("ToileKeptOutfit", name="sunday")
    assert outfit == Outfit(wear="sunday")
    (dressed,) = call("ToileDress", models=models, wardrobe=outfit)
    assert dressed.shape == (1, 64, 32, 3)


def test_garments_go_with_a_kept_outfit(models, store, doll):
    (outfit,) = call("ToileKeptOutfit", name="sunday")
    (more,) = call("ToileGarment", models=models, garment=doll(1)[1], kind="lower", wardrobe=outfit)
    assert more.wear == "sunday" and len(more.garments) == 1
    call("ToileDress", models=models, wardrobe=more)


def test_the_choice_is_what_is_kept(store):
    choices, options = ToileKeptOutfit.INPUT_TYPES()["required"]["name"]
    assert choices == ["sunday"] and options["default"] == "sunday"


def test_an_outfit_that_was_replaced_counts_as_changed(models, store, doll):
    from toile.anydressing.outfits import Outfits
    from toile.comfyui.pictures import to_pictures

    before = ToileKeptOutfit.IS_CHANGED("sunday")
    assert ToileKeptOutfit.IS_CHANGED("sunday") == before
    dressing, pictures = models.pipeline("anydressing").dressing, to_pictures(doll(3)[1])
    features = dressing.encode(Outfits.of({"upper": pictures}))
    store.add("sunday", features, pictures=pictures, weights=dressing.weights_hash(), replace=True)
    assert ToileKeptOutfit.IS_CHANGED("sunday") != before


def test_an_empty_wardrobe_says_how_to_fill_it(tmp_path, monkeypatch):
    monkeypatch.setenv("TOILE_WARDROBE", str(tmp_path / "none"))
    assert ToileKeptOutfit.INPUT_TYPES()["required"]["name"][0] == [NOTHING_KEPT]
    with pytest.raises(ToileError, match="no outfit is kept yet; `toile wardrobe add"):
        call("ToileKeptOutfit", name=NOTHING_KEPT)


def test_an_outfit_that_has_gone_is_said(store):
    with pytest.raises(ToileError, match="there is no outfit 'monday'"):
        call("ToileKeptOutfit", name="monday")
