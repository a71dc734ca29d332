import pytest
from tests.comfyui.calls import apart, call

from toile.comfyui.wardrobe import Outfit
from toile.errors import ToileError


@pytest.fixture
def outfit(models, doll) -> Outfit:
    return call("ToileGarment", models=models, garment=doll()[1])[0]


def test_several_pictures_come_from_seeds_in_a_row(models, outfit):
    (three,) = call("ToileDress", models=models, wardrobe=outfit, seed=4, pictures=3)
    assert three.shape == (3, 64, 32, 3)
    (last,) = call("ToileDress", models=models, wardrobe=outfit, seed=6)
    assert apart(three[2:], last) <= 1.01
    assert apart(three[:1], last) > 1


def test_the_prompt_and_the_scale_count(models, outfit):
    (first,) = call("ToileDress", models=models, wardrobe=outfit, steps=2)
    (other,) = call("ToileDress", models=models, wardrobe=outfit, steps=2, scale=0.0)
    assert apart(first, other) > 0


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({"prompt": " "}, "the prompt is empty"),
        ({"scale": 11.0}, "scale is 11.0"),
        ({"wardrobe": Outfit()}, "there is nothing to wear"),
        ({"width": 32}, "height is 0 and width 32; set both"),
    ],
)
def test_what_is_wrong_is_said(models, outfit, inputs, said):
    with pytest.raises(ToileError, match=said):
        call("ToileDress", **({"models": models, "wardrobe": outfit} | inputs))
