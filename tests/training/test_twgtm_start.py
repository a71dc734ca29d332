"""Every recipe builds its model, trains what it should, and starts from published weights."""

from dataclasses import replace

import pytest
import torch
from diffusers import AutoencoderKL
from tests.small_models import small_unet
from tests.training.test_twgtm import SIZE, make_batch, make_task, seeded
from tests.twgtm.small_parts import SWIN
from transformers import (
    BertTokenizer,
    CLIPVisionConfig,
    CLIPVisionModelWithProjection,
    InstructBlipConfig,
    InstructBlipForConditionalGeneration,
    SwinConfig,
    SwinModel,
)

from toile.diffusion.stable_diffusion import sd15_scheduler
from toile.errors import ToileError
from toile.training.twgtm_start import load_twgtm, start_from
from toile.twgtm.recipes import RECIPES, paper_stage_1, tiny_stage_1, tiny_stage_2

TINY = sorted(name for name in RECIPES if name.startswith("tiny-"))
OWN_PARTS = {
    "variant-2": ("warp.displacements.weight",),
    "variant-6": ("spatial.decoder.levels.0.out.weight",),
    "variant-7": ("extended.layers.0.to_v.weight",),
    "variant-8": ("semantic.query_projection.weight",),
}


@pytest.mark.parametrize("name", TINY)
def test_every_recipe_takes_a_training_step(name):
    recipe = RECIPES[name]()
    task = make_task(recipe)
    model = task.model
    if recipe.fusion == "extended" and recipe.stage == 2:  # zero layers open first
        for layer in model.extended.layers:
            torch.nn.init.normal_(layer.zero.weight, std=0.02)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=1e-3)
    losses = task.loss(model, make_batch(task), seeded())
    losses["loss"].backward()
    optimizer.step()
    assert losses["loss"].isfinite()
    moved = {key for key, value in model.state_dict().items() if not torch.equal(value, before[key])}
    assert any(key.startswith("unet.") for key in moved)
    frozen = {key for key, parameter in model.named_parameters() if not parameter.requires_grad}
    assert not moved & frozen
    if recipe.stage == 1:
        assert not any(key.startswith(("extended.", "spatial.decoder.")) for key in moved)
    for variant, parts in OWN_PARTS.items():
        if name.endswith(variant) and (recipe.stage == 2 or variant in ("variant-2", "variant-8")):
            assert set(parts) <= moved


def test_variants_predict_otherwise():
    """The same weights where they are shared, another prediction."""
    predictions = {}
    for name in ("variant-1", "variant-6", "variant-7", "variant-8", None):
        task = make_task(RECIPES[f"tiny-stage-2-{name}" if name else "tiny-stage-2"]())
        task.model.eval()
        if name is None:
            for layer in task.model.extended.layers:
                torch.nn.init.normal_(layer.zero.weight, std=0.02, generator=seeded())
        with torch.no_grad():
            predictions[name] = float(task.loss(task.model, make_batch(task), seeded())["loss"])
    assert len({round(value, 6) for value in predictions.values()}) == 5, predictions


def test_stage_1_freezes_what_waits_for_stage_2():
    _, first = load_twgtm(replace(tiny_stage_1(), size=SIZE))
    waiting = [
        name
        for name, parameter in first.named_parameters()
        if name.startswith(("extended.", "spatial.decoder.")) and parameter.requires_grad
    ]
    assert waiting == []
    _, second = load_twgtm(replace(tiny_stage_2(), size=SIZE))
    assert all(parameter.requires_grad for parameter in second.extended.parameters())
    assert all(parameter.requires_grad for parameter in second.spatial.decoder.parameters())


def test_initial_is_a_base_or_a_stage_before(tmp_path):
    assert start_from(tiny_stage_1(), None) == tiny_stage_1()
    base = start_from(tiny_stage_1(), str(tmp_path))
    assert (base.base_model, base.image_encoder, base.initial_weights) == (str(tmp_path),) * 2 + (None,)
    paper = start_from(paper_stage_1(), str(tmp_path))
    assert (paper.base_model, paper.image_encoder) == (str(tmp_path), paper_stage_1().image_encoder)
    (tmp_path / "semantic").mkdir()
    assert start_from(tiny_stage_2(), str(tmp_path)).initial_weights == str(tmp_path)


def test_another_variant_does_not_go_on_from_these_weights(tmp_path):
    task = make_task(tiny_stage_1())
    task.export(task.model, tmp_path)
    with pytest.raises(ToileError, match="fusion 'extended' and two panels, the recipe is another variant"):
        load_twgtm(replace(tiny_stage_2(), initial_weights=str(tmp_path), fusion="none"))


def test_a_size_that_the_model_cannot_work_at_is_refused_before_it_is_trained():
    with pytest.raises(ToileError, match=r"size 72×40: .* multiples of 32; take 64×32"):
        load_twgtm(replace(tiny_stage_1(), size=(72, 40)))


def published(folder):
    """Small models in the folders and under the names in which the big ones are published."""
    torch.manual_seed(0)
    base = folder / "inpainting"
    small_unet(in_channels=9).save_pretrained(base / "unet")
    AutoencoderKL(
        block_out_channels=(8, 8, 8, 8),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        latent_channels=4,
        norm_num_groups=4,
    ).save_pretrained(base / "vae")
    sd15_scheduler().save_pretrained(base / "scheduler")
    vision = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
    clip = CLIPVisionConfig(**vision, projection_dim=16, image_size=32, patch_size=8)
    CLIPVisionModelWithProjection(clip).save_pretrained(folder / "clip")
    SwinModel(SwinConfig(**{**SWIN, "depths": [2, 2, 2, 2], "num_heads": [1, 2, 4, 8]})).save_pretrained(
        folder / "swin"
    )
    blip = InstructBlipConfig(
        vision_config={**vision, "image_size": 32, "patch_size": 8},
        qformer_config={**vision, "vocab_size": 20, "encoder_hidden_size": 16},
        text_config={"model_type": "opt", **OPT},
        num_query_tokens=3,
    )
    InstructBlipForConditionalGeneration(blip).save_pretrained(folder / "blip")
    words = folder / "words.txt"
    words.write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "upper", "lower", "garment", "dress"]))
    BertTokenizer(str(words)).save_pretrained(folder / "blip" / "qformer_tokenizer")


OPT = {
    "vocab_size": 20,
    "hidden_size": 16,
    "ffn_dim": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "word_embed_proj_dim": 16,
    "max_position_embeddings": 16,
}


def test_the_papers_recipe_starts_from_published_weights(tmp_path):
    published(tmp_path)
    recipe = replace(
        paper_stage_1(),
        size=SIZE,
        base_model=str(tmp_path / "inpainting"),
        image_encoder=str(tmp_path / "clip"),
        qformer=str(tmp_path / "blip"),
        swin=str(tmp_path / "swin"),
        dim=32,
    )
    task = make_task(recipe)
    expected = small_unet(in_channels=9)
    weight, theirs = task.model.unet.conv_in.weight, expected.conv_in.weight
    assert not torch.equal(weight, theirs)  # reordered: `from_inpainting`, which has a proof of its own
    assert torch.equal(weight.abs().sum(), theirs.abs().sum())
    assert task.model.semantic.query_tokens.shape == (1, 3, 16)
    losses = task.loss(task.model, make_batch(task), seeded())
    losses["loss"].backward()
    assert losses["mask_loss"] > 0
    assert task.model.semantic.query_tokens.grad.abs().max() > 0
