import pytest
import torch
from tests.comfyui.calls import apart, call

from toile.bundled import is_bundled
from toile.errors import ToileError
from toile.tasks.drawing import IGR_DRAWING, Drawing
from toile.tasks.restore import RestoreRequest


@pytest.fixture
def photos(doll) -> tuple[torch.Tensor, torch.Tensor]:
    """Two dolls and their masks."""
    dolls = [doll(0), doll(1)]
    return torch.cat([photo for photo, *_ in dolls]), torch.cat([mask for _, _, mask, _ in dolls])


def test_a_batch_is_restored_each_from_its_own_seed(models, photos):
    photo, mask = photos
    garments, used, notes = call("ToileRestore", models=models, photo=photo, mask=mask, seed=5)
    assert garments.shape == (2, 64, 32, 3)
    assert torch.equal(used, mask) and notes == ""
    alone, _, _ = call("ToileRestore", models=models, photo=photo[1:], mask=mask[1:], seed=6)
    assert apart(garments[1:], alone) <= 1.01
    assert apart(garments[:1], alone) > 10


def test_it_is_what_the_task_draws(models, photos):
    from toile.comfyui.pictures import from_pictures, to_masks, to_pictures

    photo, mask = photos[0][:1], photos[1][:1]
    garment, *_ = call(
        "ToileRestore", models=models, photo=photo, mask=mask, category="dress", seed=3, steps=2
    )
    (picture,) = to_pictures(photo)
    request = RestoreRequest(
        photo=picture,
        mask=to_masks(mask, [picture])[0],
        category="dress",
        seed=3,
        drawing=Drawing(steps=2, guidance=IGR_DRAWING.guidance),
    )
    (result,) = models.run([request])
    assert torch.equal(garment, from_pictures([result.main]))


def test_one_mask_serves_a_batch(models, photos):
    photo, mask = photos
    both, used, _ = call("ToileRestore", models=models, photo=photo, mask=mask[:1])
    assert torch.equal(used, mask[:1].expand(2, -1, -1)) and len(both) == 2


def test_without_a_mask_the_whole_photo_counts(models, photos):
    _, used, notes = call("ToileRestore", models=models, photo=photos[0][:1], find_mask=False)
    assert bool((used == 1).all())
    assert "the whole photo counts as the region" in notes


@pytest.mark.skipif(not is_bundled("igr"), reason="the bundled weights have not been trained yet")
def test_a_mask_is_found(models, doll):
    photo, _, mask, _ = doll(0, size=(256, 192))
    _, used, notes = call("ToileRestore", models=models, photo=photo)
    assert "found the garment (upper) itself" in notes
    overlap = float((used * mask).sum() / torch.maximum(used, mask).sum())
    assert overlap > 0.5


def test_transparency_is_laid_on_white(models, doll):
    photo, _, mask, _ = doll()
    clear = torch.cat([photo, torch.zeros(1, 64, 48, 1)], dim=-1)
    white = torch.ones_like(photo)
    first = call("ToileRestore", models=models, photo=clear, mask=mask)[0]
    assert torch.equal(first, call("ToileRestore", models=models, photo=white, mask=mask)[0])


def test_another_size_can_be_asked_for(models, photos):
    garments, *_ = call("ToileRestore", models=models, photo=photos[0], mask=photos[1], height=96, width=64)
    assert garments.shape == (2, 96, 64, 3)


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"height": 64}, "height is 64 and width 0; set both"),
        ({"height": 60, "width": 32}, "size 60×32: this model needs"),
        ({"mask": torch.zeros(1, 64, 64)}, "marks nothing"),
        ({"mask": torch.ones(3, 64, 48)}, "the mask is a batch of 3 beside a batch of 2"),
        ({"category": "hat"}, "category 'hat' is unknown"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(models, photos, inputs, said):
    with pytest.raises(ToileError, match=said) as raised:
        call("ToileRestore", **({"models": models, "photo": photos[0]} | inputs))
    assert "\n" not in str(raised.value)


def test_the_picture_that_cannot_be_done_is_named(models, photos):
    photo, mask = photos[0], torch.zeros(2, 640, 480)
    mask[0, 100:300, 100:300] = 1
    mask[1, 0, 0:2] = 1
    large = torch.nn.functional.interpolate(photo.movedim(-1, 1), size=(640, 480)).movedim(1, -1)
    with pytest.raises(ToileError, match="picture 2 of 2: the mask marks so little"):
        call("ToileRestore", models=models, photo=large, mask=mask)


def test_another_seed_does_not_encode_again(models, photos):
    arguments = {"models": models, "photo": photos[0], "mask": photos[1], "height": 64, "width": 64}
    call("ToileRestore", **arguments, seed=1)
    before = models.encodings
    call("ToileRestore", **arguments, seed=2)
    assert models.encodings == before
