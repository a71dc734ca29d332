import pytest
import torch
from PIL import Image
from tests.comfyui.calls import apart, call

from toile.comfyui.take_off import bounding_box
from toile.errors import ToileError


def test_a_batch_is_taken_off(models, doll):
    photo = torch.cat([doll(0)[0], doll(1)[0]])
    garments, silhouettes = call("ToileTakeOff", models=models, photo=photo, seed=4)
    assert garments.shape == (2, 64, 32, 3) and silhouettes.shape == (2, 64, 32)
    alone, _ = call("ToileTakeOff", models=models, photo=photo[1:], seed=5)
    assert apart(garments[1:], alone) <= 1.01


def test_the_garment_s_place_can_be_said(models, doll):
    photo, place = doll()[0], torch.zeros(1, 64, 32)
    place[0, 16:48, 8:24] = 1
    anywhere, _ = call("ToileTakeOff", models=models, photo=photo)
    placed, _ = call("ToileTakeOff", models=models, photo=photo, place=place)
    assert apart(anywhere, placed) > 1
    (result,) = models.run([_request(models, photo, (8, 16, 24, 48))])
    from toile.comfyui.pictures import from_pictures

    assert torch.equal(placed, from_pictures([result.main]))
    scaled = torch.nn.functional.interpolate(place[None], scale_factor=2, mode="nearest")[0]
    assert apart(call("ToileTakeOff", models=models, photo=photo, place=scaled)[0], placed) == 0


def _request(models, photo, box):
    from toile.comfyui.pictures import to_pictures
    from toile.tasks.drawing import TWGTM_DRAWING, Drawing
    from toile.tasks.takeoff import TakeOffRequest

    drawing = Drawing(steps=1, guidance=TWGTM_DRAWING.guidance)
    return TakeOffRequest(photo=to_pictures(photo)[0], box=box, silhouette=True, drawing=drawing)


def test_the_model_may_predict_the_place(models, doll):
    photo = doll()[0]
    predicted, _ = call("ToileTakeOff", models=models, photo=photo, where="predicted")
    assert predicted.shape == (1, 64, 32, 3)


def test_a_place_that_is_none_is_said(models, doll):
    with pytest.raises(ToileError, match="the place marks nothing"):
        call("ToileTakeOff", models=models, photo=doll()[0], place=torch.zeros(1, 64, 32))


def test_soft_edges_of_a_place_do_not_count():
    mask = Image.new("L", (10, 10))
    mask.paste(100, (0, 0, 10, 10))
    mask.paste(200, (2, 3, 7, 8))
    assert bounding_box(mask) == (2, 3, 7, 8)
