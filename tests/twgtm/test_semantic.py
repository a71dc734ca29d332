import pytest
import torch
from diffusers import AutoencoderKL
from safetensors.torch import load_file, save_file
from tests.small_models import IMAGE, TEXT
from tests.twgtm.small_parts import CLIP, PATCHES, QFORMER, references, small_semantic
from transformers import (
    Blip2Config,
    Blip2ForConditionalGeneration,
    Blip2ForImageTextRetrieval,
    CLIPVisionConfig,
    CLIPVisionModelWithProjection,
    InstructBlipConfig,
    InstructBlipForConditionalGeneration,
    InstructBlipQFormerModel,
)

from toile.errors import ToileError
from toile.twgtm.semantic import CATEGORY_TEXTS, SemanticAbstraction

VISION = {
    "hidden_size": 28,
    "intermediate_size": 8,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "image_size": 8,
    "patch_size": 4,
}
LANGUAGE = {
    "model_type": "opt",
    "vocab_size": 30,
    "hidden_size": 8,
    "ffn_dim": 8,
    "num_hidden_layers": 1,
    "num_attention_heads": 1,
    "max_position_embeddings": 8,
    "word_embed_proj_dim": 8,
}


def find(module, batch, rows=slice(None), **more):
    names = ("clip_tokens", "clip_embeds", "tokens")
    return module(*(batch[name][rows] for name in names), **more)


def shake(model):
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return model.eval()


def instruct_blip():
    config = InstructBlipConfig(
        vision_config=VISION, qformer_config=QFORMER, text_config=LANGUAGE, num_query_tokens=5
    )
    return shake(InstructBlipForConditionalGeneration(config))


def blip2(kind):
    config = Blip2Config(
        vision_config=VISION,
        qformer_config={**QFORMER, "use_qformer_text_input": kind is Blip2ForImageTextRetrieval},
        text_config=LANGUAGE,
        num_query_tokens=5,
        image_text_hidden_size=8,
    )
    return shake(kind(config))


def load(folder):
    return SemanticAbstraction.from_published(folder, clip_dim=28, embed_dim=IMAGE, cross_attention_dim=24)


def bridged(module):
    """The module with a bridge that changes nothing."""
    torch.nn.init.eye_(module.bridge.weight)
    torch.nn.init.zeros_(module.bridge.bias)
    return module.eval()


@torch.no_grad()
def test_a_published_instruct_blip_finds_what_its_own_q_former_finds(tmp_path):
    published = instruct_blip()
    published.save_pretrained(tmp_path, max_shard_size="20KB")
    assert (tmp_path / "model.safetensors.index.json").is_file()  # several files
    module = bridged(load(tmp_path))
    tokens, seen = torch.randn(2, PATCHES, 28), torch.randint(1, 30, (2, 4))
    mask = torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0]])

    expected = published.qformer(
        input_ids=seen,
        attention_mask=torch.cat([torch.ones(2, 5, dtype=torch.long), mask], dim=1),
        query_embeds=published.query_tokens.expand(2, -1, -1),
        encoder_hidden_states=tokens,
        encoder_attention_mask=torch.ones(2, PATCHES),
    ).last_hidden_state[:, :5]
    found = module(tokens, torch.randn(2, IMAGE), seen, mask).queries
    torch.testing.assert_close(found, expected)
    assert isinstance(module.q_former, InstructBlipQFormerModel)


@torch.no_grad()
@pytest.mark.parametrize("kind", [Blip2ForConditionalGeneration, Blip2ForImageTextRetrieval])
def test_a_published_blip2_lends_its_queries(tmp_path, kind):
    published = blip2(kind)
    published.save_pretrained(tmp_path)
    module = bridged(load(tmp_path))
    tokens = torch.randn(2, PATCHES, 28)

    expected = published.qformer(
        query_embeds=published.query_tokens.expand(2, -1, -1), encoder_hidden_states=tokens
    ).last_hidden_state
    found = module.q_former(  # without any text, which BLIP-2 does not read together with queries
        input_ids=None,
        query_embeds=module.query_tokens.expand(2, -1, -1),
        encoder_hidden_states=module.bridge(tokens),
    ).last_hidden_state
    torch.testing.assert_close(found, expected)
    if kind is Blip2ForImageTextRetrieval:  # this one can read text
        text, words = published.embeddings.word_embeddings, module.q_former.embeddings.word_embeddings
        assert torch.equal(text.weight, words.weight)


def test_other_folders_are_refused(tmp_path):
    with pytest.raises(ToileError, match="no folder"):
        load(tmp_path / "missing")
    config = CLIPVisionConfig(hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=1)
    CLIPVisionModelWithProjection(config).save_pretrained(tmp_path / "clip")
    with pytest.raises(ToileError, match="it should be an InstructBLIP"):
        load(tmp_path / "clip")
    AutoencoderKL(norm_num_groups=1, block_out_channels=(1,)).save_pretrained(tmp_path / "vae")
    with pytest.raises(ToileError, match="cannot load"):
        load(tmp_path / "vae")


@pytest.mark.parametrize("lost", ["query_tokens", "qformer.encoder.layer.0.output.dense.weight"])
def test_an_instruct_blip_that_lacks_a_part_is_refused(tmp_path, lost):
    instruct_blip().save_pretrained(tmp_path)
    state = load_file(tmp_path / "model.safetensors")
    del state[lost]
    save_file(state, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ToileError, match=f"lacks {lost}"):
        load(tmp_path)


@torch.no_grad()
def test_the_sequence_is_the_embedding_and_then_the_queries():
    module, batch = small_semantic(), references()
    found = find(module, batch)
    assert found.sequence.shape == (2, 1 + 5, TEXT) and found.queries.shape == (2, 5, TEXT)
    torch.testing.assert_close(found.sequence[:, 0], module.global_projection(batch["clip_embeds"]))
    assert torch.equal(found.sequence[:, 1:], found.queries)


@torch.no_grad()
def test_where_widths_agree_nothing_is_changed_at_first():
    module = SemanticAbstraction(CLIP, CLIP, CLIP, qformer=None)
    batch = references() | {"clip_embeds": torch.randn(2, CLIP)}
    found = find(module, batch).sequence
    assert torch.equal(found, torch.cat([batch["clip_embeds"][:, None], batch["clip_tokens"]], dim=1))


@torch.no_grad()
def test_without_the_q_former_the_image_encoders_tokens_are_the_queries():
    module, batch = small_semantic(qformer=None), references()
    found = find(module, batch)
    assert found.queries.shape == (2, PATCHES, TEXT)
    torch.testing.assert_close(found.queries, module.query_projection(batch["clip_tokens"]))
    other_text = find(module, batch | {"tokens": batch["tokens"] + 1})
    assert torch.equal(other_text.sequence, found.sequence)


@torch.no_grad()
def test_the_text_steers_the_queries_and_padding_does_not():
    module, batch = small_semantic(), references()
    found = find(module, batch).queries
    other = find(module, batch | {"tokens": (batch["tokens"] + 7) % 30}).queries
    assert (other - found).abs().max() > 1e-3

    padded = batch | {"tokens": torch.cat([batch["tokens"], torch.zeros(2, 3, dtype=torch.long)], dim=1)}
    mask = torch.arange(7).expand(2, -1) < 4
    torch.testing.assert_close(find(module, padded, token_mask=mask).queries, found)
    assert (find(module, padded).queries - found).abs().max() > 1e-3


@torch.no_grad()
def test_a_reference_is_seen_alike_in_any_batch():
    module, batch = small_semantic(), references(batch=3)
    together = find(module, batch).sequence
    for row in range(3):
        torch.testing.assert_close(find(module, batch, slice(row, row + 1)).sequence[0], together[row])


def test_gradients_reach_all_but_the_text_of_the_last_layer():
    module = small_semantic().train()
    find(module, references()).sequence.square().sum().backward()
    frozen = "q_former.encoder.layer.1.intermediate.", "q_former.encoder.layer.1.output."
    for name, parameter in module.named_parameters():
        if name.startswith(frozen):
            assert not parameter.requires_grad and parameter.grad is None, name
        else:
            assert parameter.grad is not None and parameter.grad.abs().max() > 0, name


@torch.no_grad()
def test_training_does_not_draw_anything():
    module, batch = small_semantic(), references()
    assert torch.equal(find(module.train(), batch).sequence, find(module.eval(), batch).sequence)


@torch.no_grad()
@pytest.mark.parametrize("qformer", [QFORMER, None])
def test_the_module_is_saved_and_loaded_as_diffusers_does(tmp_path, qformer):
    module, batch = small_semantic(qformer), references()
    module.save_pretrained(tmp_path)
    again = SemanticAbstraction.from_pretrained(tmp_path)
    assert torch.equal(find(again, batch).sequence, find(module, batch).sequence)


def test_every_category_has_its_words():
    assert sorted(CATEGORY_TEXTS) == ["dress", "lower", "upper"]
    assert CATEGORY_TEXTS["upper"] == "upper garment"
