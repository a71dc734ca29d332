"""From a reference picture to all the forms that TWGTM's modules read.

Legend: `B` batch, `H W` pixels, `P` tokens of the image encoder and `c` their width, `E` width of its
embedding, `L` text tokens.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor
from transformers import BaseImageProcessor, CLIPVisionModelWithProjection, PreTrainedTokenizerBase

from toile.diffusion.image_prompt import garment_crop
from toile.errors import ToileError
from toile.twgtm.semantic import CATEGORY_TEXTS


@dataclass(frozen=True, kw_only=True)
class Reference:
    """Reference pictures, what CLIP says of them, and the categories that are asked for."""

    picture: Float[Tensor, "B 3 H W"]
    """RGB in [-1, 1], as large as a panel: the garment when trying on, the person when taking off."""
    clip_tokens: Float[Tensor, "B P c"]
    """F_CLIP.S: the image encoder's last tokens."""
    clip_embeds: Float[Tensor, "B E"]
    """F_CLIP.G: the image encoder's projected embedding."""
    text: Int[Tensor, "B L"]
    """T_p: the category's words as tokens of the Q-Former."""
    text_mask: Int[Tensor, "B L"]
    """1 at the tokens that count, 0 at those that only fill up."""

    def select(self, rows: Int[Tensor, "b"]) -> "Reference":
        """Keep some rows, in the order given."""
        return Reference(
            picture=self.picture[rows],
            clip_tokens=self.clip_tokens[rows],
            clip_embeds=self.clip_embeds[rows],
            text=self.text[rows],
            text_mask=self.text_mask[rows],
        )


@torch.no_grad()
def make_reference(
    pictures: Float[Tensor, "B 3 H W"],
    categories: Sequence[str],
    image_encoder: CLIPVisionModelWithProjection,
    feature_extractor: BaseImageProcessor,
    tokenizer: PreTrainedTokenizerBase,
) -> Reference:
    """Show pictures to the frozen image encoder, and put the categories into words.

    Source: TWGTM, "Semantic Abstraction Module". Ours: the picture is resized to the encoder's square as it
    is; nothing is cropped away.

    Args:
        pictures: RGB in [-1, 1].
        categories: one a picture.
        image_encoder: CLIP's, with its projection.
        feature_extractor: its mean and deviation.
        tokenizer: the Q-Former's.

    Raises:
        ToileError: when a category is unknown.
    """
    seen = look_at(pictures, image_encoder, feature_extractor)
    return reference_of(pictures, seen, categories, tokenizer)


@torch.no_grad()
def look_at(
    pictures: Float[Tensor, "B 3 H W"],
    image_encoder: CLIPVisionModelWithProjection,
    feature_extractor: BaseImageProcessor,
) -> tuple[Float[Tensor, "B P c"], Float[Tensor, "B E"]]:
    """What the frozen image encoder says of pictures in [-1, 1]: F_CLIP.S and F_CLIP.G."""
    side, whole = int(image_encoder.config.image_size), torch.ones_like(pictures[:, :1])
    views = garment_crop(pictures, whole, side, feature_extractor.image_mean, feature_extractor.image_std)
    seen = image_encoder(views.to(image_encoder.device, image_encoder.dtype))
    return seen.last_hidden_state.to(pictures), seen.image_embeds.to(pictures)  # (B P c), (B E)


def reference_of(
    pictures: Float[Tensor, "B 3 H W"],
    seen: tuple[Float[Tensor, "B P c"], Float[Tensor, "B E"]],
    categories: Sequence[str],
    tokenizer: PreTrainedTokenizerBase,
) -> Reference:
    """The reference of pictures that the image encoder has seen (`look_at`).

    Raises:
        ToileError: when a category is unknown.
    """
    text = tokenizer(words(categories), padding=True, return_tensors="pt").to(pictures.device)
    return Reference(
        picture=pictures,
        clip_tokens=seen[0],
        clip_embeds=seen[1],
        text=text.input_ids,  # (B L)
        text_mask=text.attention_mask,  # (B L)
    )


def words(categories: Sequence[str]) -> list[str]:
    """What the Q-Former reads for each category.

    Raises:
        ToileError: when there are no words for one.
    """
    for name in categories:
        if name not in CATEGORY_TEXTS:
            raise ToileError(f"category {name!r} is unknown; write one of {', '.join(CATEGORY_TEXTS)}")
    return [CATEGORY_TEXTS[name] for name in categories]
