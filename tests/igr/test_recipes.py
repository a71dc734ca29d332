from dataclasses import replace

import pytest
import torch
from tests.igr.small_igr import encode, photos
from tests.small_models import IMAGE, small_unet

from toile.diffusion import tiny
from toile.errors import ToileError
from toile.igr.model import IGRModel
from toile.igr.objective import igr_loss
from toile.igr.recipes import GUIDANCE_SCALES, RECIPES, paper_coarse, paper_fine, tiny_coarse, tiny_fine


def test_the_papers_setting():
    """Section 4.1 and 4.3."""
    recipe = paper_coarse()
    assert recipe.size == (1024, 768)
    assert recipe.optimization.batch_size == 32
    assert recipe.optimization.learning_rate == 1e-5
    assert recipe.zero_stage == 2
    assert (recipe.num_inference_steps, recipe.guidance_scale, recipe.drop_probability) == (25, 1.5, 0.1)
    assert (recipe.timestep_shift, recipe.copy_probability, recipe.correspondence_weight) == (1.0, 0.0, 0.0)
    assert recipe.optimization.optimizer == "adamw"
    assert (recipe.stage, recipe.curated, paper_fine().stage, paper_fine().curated) == (
        "coarse",
        False,
        "fine",
        True,
    )


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_takes_a_training_step_and_restores(name):
    recipe = RECIPES[name]()
    torch.manual_seed(0)
    model = IGRModel.from_base(small_unet(), IMAGE, garment_net=recipe.garment_net).train()
    if recipe.optimization.gradient_checkpointing:
        model.enable_gradient_checkpointing()
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    before = [parameter.detach().clone() for parameter in trained]
    optimizer = torch.optim.AdamW(trained, lr=recipe.optimization.learning_rate)
    batch = photos(batch=2) | {"points": torch.rand(2, 8, 6, 2)}
    igr_loss(
        model,
        batch,
        tiny.scheduler(),
        torch.Generator().manual_seed(0),
        recipe.drop_probability,
        timestep_shift=recipe.timestep_shift,
        copy_probability=recipe.copy_probability,
        correspondence_weight=recipe.correspondence_weight,
    )["loss"].backward()
    optimizer.step()
    assert all(not torch.equal(new, old) for new, old in zip(trained, before, strict=True))

    with torch.no_grad():
        arguments = (
            batch["garment_latents"],
            torch.tensor(500),
            batch["prompt_embeds"],
            batch["null_prompt_embeds"],
        )
        restored = model.guided(*arguments, encode(model, batch), recipe.guidance_scale)
        conditional = model.guided(*arguments, encode(model, batch), 1.0)
    assert torch.equal(restored, conditional) == (recipe.guidance_scale == 1)


@pytest.mark.parametrize(
    ("prefix", "coarse", "fine"), [("paper", paper_coarse, paper_fine), ("tiny", tiny_coarse, tiny_fine)]
)
def test_ablations_differ_where_they_should_and_nowhere_else(prefix, coarse, fine):
    assert RECIPES[f"{prefix}-coarse-without-garment-net"]() == replace(coarse(), garment_net=False)
    assert RECIPES[f"{prefix}-fine-without-garment-net"]() == replace(fine(), garment_net=False)
    assert RECIPES[f"{prefix}-without-fine-stage"]() == replace(fine(), curated=False, pad_extremes=False)
    for scale in GUIDANCE_SCALES:
        assert RECIPES[f"{prefix}-guidance-{scale}"]() == replace(fine(), guidance_scale=scale)


def test_without_garment_net_only_the_cross_attention_is_dressed():
    batch = photos()
    full = encode(IGRModel.from_base(small_unet(), IMAGE), batch)
    ablated = encode(IGRModel.from_base(small_unet(), IMAGE, garment_net=False), batch)
    assert {name.rsplit(".", 1)[1] for name in full.layers} == {"attn1", "attn2"}
    assert {name.rsplit(".", 1)[1] for name in ablated.layers} == {"attn2"}


@pytest.mark.parametrize(
    ("field", "value"),
    [("drop_probability", 1.0), ("guidance_scale", 0.5), ("num_inference_steps", 0), ("size", (250, 192))],
)
def test_senseless_values_are_refused(field, value):
    with pytest.raises(ToileError, match=field):
        replace(tiny_coarse(), **{field: value})
