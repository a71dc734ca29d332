"""The small CLIP's task: equal captions share the target; the tokenizer learns from the data."""

import torch
from transformers import CLIPConfig, CLIPModel

from toile.diffusion import tiny
from toile.igr.model import CATEGORY_PROMPTS
from toile.training.base_clip import Contrast, captions


def test_equal_captions_share_the_target() -> None:
    config = CLIPConfig(
        text_config=tiny.text_config().to_dict(), vision_config=tiny.vision_config().to_dict()
    )
    tokens = torch.tensor([[0, 5, 1], [0, 6, 1], [0, 5, 1]])
    pictures = torch.randn(3, 3, tiny.IMAGE_ENCODER_SIZE, tiny.IMAGE_ENCODER_SIZE)
    scores, target = Contrast(CLIPModel(config))(pictures, tokens)
    assert scores.shape == (3, 3)
    assert torch.allclose(scores[:, 0], scores[:, 2], atol=1e-4)
    assert target.tolist() == [[0.5, 0, 0.5], [0, 1, 0], [0.5, 0, 0.5]]


def test_captions_cover_dolls_and_category_prompts() -> None:
    texts = set(captions("dolls:0:3"))
    assert texts > set(CATEGORY_PROMPTS.values())
    assert len(texts) > len(CATEGORY_PROMPTS) + 3


def test_the_tokenizer_opens_closes_and_pads_as_the_text_encoder_expects() -> None:
    tokenizer = tiny.tokenizer(captions("dolls:0:3"))
    config = tiny.text_config(len(tokenizer))
    tokens = tokenizer("a red skirt", padding="max_length").input_ids
    assert len(tokens) == tiny.TEXT_LENGTH == config.max_position_embeddings
    assert tokens[0] == config.bos_token_id
    assert tokens[-1] == config.eos_token_id == config.pad_token_id
    assert tokenizer.decode(tokens, skip_special_tokens=True).strip() == "a red skirt"
