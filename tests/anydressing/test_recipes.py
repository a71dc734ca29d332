from dataclasses import replace

import pytest
import torch
from tests.anydressing.small_anydressing import batch_of
from tests.small_models import IMAGE, small_unet
from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

from toile.anydressing.objective import anydressing_loss
from toile.anydressing.recipes import RECIPES, AnyDressingRecipe, paper, paper_hat, tiny, tiny_half
from toile.diffusion import tiny as tiny_parts
from toile.diffusion.stable_diffusion import SD15
from toile.errors import ToileError
from toile.training.anydressing_start import DressingParts, make_model


@pytest.fixture(scope="module")
def parts() -> DressingParts:
    """Parts around a model; of these, only the image encoder's width is read."""
    vision = CLIPVisionConfig(
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        projection_dim=IMAGE,
        image_size=16,
        patch_size=8,
    )
    return DressingParts(
        vae=tiny_parts.vae(),
        text_encoder=tiny_parts.text_encoder(),
        tokenizer=tiny_parts.tokenizer(["a red skirt"]),
        scheduler=tiny_parts.scheduler(),
        image_encoder=CLIPVisionModelWithProjection(vision),
    )


def test_the_papers_setting():
    """Section 5.1, supplement 7.1 and 8."""
    recipe = paper()
    assert (recipe.base_model, recipe.size, recipe.kinds) == (SD15, (768, 576), ("upper", "lower"))
    optimization = recipe.optimization
    assert (optimization.steps, optimization.learning_rate) == (100_000, 5e-5)
    assert optimization.final_learning_rate is None and optimization.warmup_steps == 0
    assert optimization.batch_size == 8 * 4
    assert (recipe.localization_weight, recipe.texture_weight, recipe.texture_threshold) == (0.01, 0.001, 350)
    assert (recipe.scale, recipe.guidance_scale, recipe.num_inference_steps) == (0.7, 6.0, 30)
    assert (recipe.localization, recipe.train_garments_net) == ("garments", "lora")
    assert paper_hat() == replace(recipe, kinds=("upper", "lower", "hat"))


@pytest.mark.parametrize(
    ("prefix", "suffix", "maker"), [("paper", "", paper), ("tiny", "", tiny), ("tiny", "-half", tiny_half)]
)
def test_the_rows_of_table_3_differ_where_they_should_and_nowhere_else(prefix, suffix, maker):
    rows = {name: RECIPES[f"{prefix}-{name}{suffix}"]() for name in ("base", "gfe", "igl")}
    assert RECIPES[f"{prefix}{suffix}"]() == maker()
    assert rows["igl"] == replace(maker(), texture_weight=0.0)
    assert rows["gfe"] == replace(rows["igl"], localization=None)
    assert rows["base"] == replace(rows["gfe"], separate=False, train_garments_net="full")


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_trains_what_it_says_and_nothing_else(name, parts):
    recipe = replace(RECIPES[name](), texture_weight=0.0, rank=2)
    torch.manual_seed(0)
    model = make_model(recipe, small_unet(), parts).train()
    assert not any(parameter.requires_grad for parameter in model.unet.parameters())
    if recipe.optimization.gradient_checkpointing:
        model.enable_gradient_checkpointing()
    if model.garments_net is not None:  # what is zero hides the gradients behind it
        for adapter in model.garments_net.adapters.values():
            torch.nn.utils.vector_to_parameters(
                torch.randn(sum(up.numel() for up in adapter.up)) * 0.1, adapter.up
            )
    before = {key: parameter.detach().clone() for key, parameter in model.named_parameters()}
    trained = {key for key, parameter in model.named_parameters() if parameter.requires_grad}
    assert trained == {key for key in before if trains(recipe, key)}
    optimizer = torch.optim.AdamW([model.get_parameter(key) for key in trained], lr=1e-3)
    kinds = len(recipe.kinds)
    batch = batch_of([[True] * kinds, [True, *[False] * (kinds - 1)]], size=(8, 8))
    batch["worn"] = (torch.rand(2, kinds, 64, 64) > 0.5).byte() * 255
    generator = torch.Generator().manual_seed(0)
    losses = anydressing_loss(
        model,
        batch,
        tiny_parts.scheduler(),
        generator,
        drop_probability=0.0,
        localization=recipe.localization,
        localization_weight=recipe.localization_weight,
        texture_weight=recipe.texture_weight,
    )
    losses["loss"].backward()
    optimizer.step()
    assert set(losses) == {"loss", "noise_loss", *(["localization_loss"] if recipe.localization else [])}
    moved = {key for key, parameter in model.named_parameters() if not torch.equal(parameter, before[key])}
    assert moved == trained


def trains(recipe: AnyDressingRecipe, name: str) -> bool:
    """Whether a weight is to train under a recipe, by its name."""
    if name.startswith(("dressing_attention.", "extractor.", "garments_net.adapters.")):
        return True
    return name.startswith("garments_net.unet.") and recipe.train_garments_net == "full"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("drop_probability", 1.0),
        ("guidance_scale", 0.5),
        ("num_inference_steps", 0),
        ("rank", 0),
        ("size", (250, 192)),
        ("texture_weight", -1.0),
        ("texture_threshold", 1000),
        ("kinds", ()),
        ("kinds", ("upper", "upper")),
        ("kinds", ("Upper",)),
    ],
)
def test_senseless_values_are_refused(field, value):
    with pytest.raises(ToileError, match=field.removesuffix("s")):
        replace(tiny(), **{field: value})


def test_parts_that_do_not_fit_together_are_refused():
    with pytest.raises(ToileError, match="there is no LoRA to train"):
        replace(paper(), separate=False)
    with pytest.raises(ToileError, match="needs an image_encoder"):
        replace(paper(), image_prompt=True, localization=None)
    with pytest.raises(ToileError, match="set localization to None"):
        replace(tiny(), image_prompt=True)
