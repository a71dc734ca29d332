"""The Semantic Abstraction Module: what the U-Net's cross-attention reads instead of text.

Legend: `B` batch, `P` tokens of CLIP's image encoder, `E` width of its embedding, `L` text tokens, `N` query
tokens, `D` width of the U-Net's cross-attention.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from transformers import (
    AutoConfig,
    Blip2Config,
    InstructBlipConfig,
    InstructBlipPreTrainedModel,
    InstructBlipQFormerConfig,
    InstructBlipQFormerModel,
)

from toile.diffusion.stable_diffusion import load_part
from toile.errors import ToileError

CATEGORY_TEXTS: dict[str, str] = {"upper": "upper garment", "lower": "lower garment", "dress": "dress"}
"""What the Q-Former reads. Paper: "upper garment" for clothes of the torso. Ours: the other two."""

QFORMER_NUMBERS = (
    "vocab_size",
    "hidden_size",
    "num_hidden_layers",
    "num_attention_heads",
    "intermediate_size",
    "hidden_act",
    "max_position_embeddings",
    "layer_norm_eps",
    "cross_attention_frequency",
    "encoder_hidden_size",
)
TEXT_BRANCH = ("embeddings.word_embeddings.", "embeddings.position_embeddings.", ".intermediate.", ".output.")
BLIP2_NAMES = {
    r"^qformer\.layernorm\.": "qformer.embeddings.layernorm.",
    r"^embeddings\.": "qformer.embeddings.",
}


@dataclass(frozen=True, kw_only=True)
class SemanticFeatures:
    """What the Semantic Abstraction Module finds in a reference."""

    sequence: Float[Tensor, "B _ D"]
    """F_SAM: the global embedding, then the N queries."""
    queries: Float[Tensor, "B N D"]
    """F_QF."""


class SemanticAbstraction(ModelMixin, ConfigMixin):
    """TWGTM's Semantic Abstraction Module without the CLIP image encoder, which stays outside, frozen.

    Source: TWGTM, Eq. 3 and 4; Li et al. 2023 (BLIP-2); the Q-Former that reads text and queries at once is
    that of InstructBLIP (Dai et al. 2023), transformers' own. Ours: a linear layer takes CLIP's width to the
    one that the Q-Former expects, others take its width and the embedding's to that of the U-Net; these two
    start as identities where the widths agree.

    Args:
        clip_dim: width of the image encoder's tokens.
        embed_dim: width of the image encoder's projected embedding.
        cross_attention_dim: width of what the U-Net's cross-attention reads.
        num_queries: N.
        qformer: arguments of transformers' `InstructBlipQFormerConfig`; None leaves the Q-Former out: CLIP's
            tokens take the place of the queries (Table 4, variant 8).
    """

    _supports_gradient_checkpointing = False

    @register_to_config
    def __init__(
        self,
        clip_dim: int,
        embed_dim: int,
        cross_attention_dim: int,
        num_queries: int = 32,
        qformer: dict[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.global_projection = projection(embed_dim, cross_attention_dim)
        self.q_former: Any = None
        width = clip_dim
        if qformer is not None:
            config = _qformer_config(qformer)
            width = config.hidden_size
            self.q_former = InstructBlipQFormerModel(config)
            self.bridge = nn.Linear(clip_dim, config.encoder_hidden_size)
            self.query_tokens = nn.Parameter(torch.randn(1, num_queries, width) * config.initializer_range)
            last = self.q_former.encoder.layer[-1]
            for part in (last.intermediate, last.output):  # of the text, which nothing reads after this layer
                part.requires_grad_(False)
        self.query_projection = projection(width, cross_attention_dim)

    def forward(
        self,
        clip_tokens: Float[Tensor, "B P _"],
        clip_embeds: Float[Tensor, "B E"],
        tokens: Int[Tensor, "B L"],
        token_mask: Bool[Tensor, "B L"] | Int[Tensor, "B L"] | None = None,
    ) -> SemanticFeatures:
        """Find F_QF and F_SAM.

        Args:
            clip_tokens: F_CLIP.S, the image encoder's last hidden states.
            clip_embeds: F_CLIP.G, its projected embedding.
            tokens: T_p, the category's text (`CATEGORY_TEXTS`) in the Q-Former's own vocabulary.
            token_mask: 1 where `tokens` is text and not padding; None when all of it is text.
        """
        found = clip_tokens if self.q_former is None else self._query(clip_tokens, tokens, token_mask)
        queries = self.query_projection(found)  # (B N D)
        embedding = self.global_projection(clip_embeds)[:, None]  # (B 1 D)
        return SemanticFeatures(sequence=torch.cat([embedding, queries], dim=1), queries=queries)

    def _query(self, clip_tokens: Tensor, tokens: Tensor, token_mask: Tensor | None) -> Tensor:
        """Eq. 3: QFormer(F_CLIP.S, T_p)."""
        queries = self.query_tokens.expand(len(tokens), -1, -1)  # (B N width)
        seen = None
        if token_mask is not None:
            seen = torch.cat([token_mask.new_ones(queries.shape[:2]), token_mask], dim=1)  # (B N+L)
        output = self.q_former(
            input_ids=tokens,
            attention_mask=seen,
            query_embeds=queries,
            encoder_hidden_states=self.bridge(clip_tokens),
        ).last_hidden_state  # (B N+L width)
        found: Tensor = output[:, : queries.shape[1]]  # (B N width)
        return found

    @classmethod
    def from_published(
        cls, name: str | Path, *, clip_dim: int, embed_dim: int, cross_attention_dim: int
    ) -> "SemanticAbstraction":
        """Start from the Q-Former of a published InstructBLIP or BLIP-2; of other parts nothing is read.

        BLIP-2 for generation has no weights for text: there these start at random.

        Args:
            name: a folder, or a hub name, as `Salesforce/instructblip-vicuna-7b`; weights have to be
                safetensors.
            clip_dim: width of the image encoder's tokens.
            embed_dim: width of the image encoder's projected embedding.
            cross_attention_dim: width of what the U-Net's cross-attention reads.

        Raises:
            ToileError: when there is no such folder, or it holds neither of the two.
        """
        published = load_part(AutoConfig, name)
        if not isinstance(published, InstructBlipConfig | Blip2Config):
            raise ToileError(f"{name} is a {published.model_type}; it should be an InstructBLIP or a BLIP-2")
        numbers = {key: getattr(published.qformer_config, key) for key in QFORMER_NUMBERS}
        semantic: SemanticAbstraction = cls(
            clip_dim=clip_dim,
            embed_dim=embed_dim,
            cross_attention_dim=cross_attention_dim,
            num_queries=published.num_query_tokens,
            qformer=numbers,
        )
        parts = _load_parts(name, published, _qformer_config(numbers))
        semantic.q_former.load_state_dict(parts.qformer.state_dict())
        semantic.query_tokens.data.copy_(parts.query_tokens)
        return semantic


def projection(width: int, wanted: int) -> nn.Linear:
    """Make a linear layer that changes nothing yet where both widths agree."""
    layer = nn.Linear(width, wanted)
    if width == wanted:
        nn.init.eye_(layer.weight)
        nn.init.zeros_(layer.bias)
    return layer


def _qformer_config(numbers: dict[str, Any]) -> InstructBlipQFormerConfig:
    """Ours: no dropout unless it is asked for."""
    no_dropout = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    return InstructBlipQFormerConfig(**{**no_dropout, **numbers})


class _PublishedParts(InstructBlipPreTrainedModel):
    """The two parts of an InstructBLIP that are wanted, under the names that they have there."""

    _keys_to_ignore_on_load_unexpected = (r"^(?!qformer\.|query_tokens)",)

    def __init__(self, config: InstructBlipConfig) -> None:
        super().__init__(config)
        width = config.qformer_config.hidden_size
        self.query_tokens = nn.Parameter(torch.zeros(1, config.num_query_tokens, width))
        self.qformer = InstructBlipQFormerModel(config.qformer_config)
        self.post_init()


def _load_parts(name: str | Path, published: Any, qformer: InstructBlipQFormerConfig) -> _PublishedParts:
    is_blip2 = isinstance(published, Blip2Config)
    config = InstructBlipConfig(num_query_tokens=published.num_query_tokens)
    config.qformer_config = qformer
    parts, report = load_part(
        _PublishedParts,
        name,
        config=config,
        dtype=torch.float32,
        use_safetensors=True,
        output_loading_info=True,
        key_mapping=BLIP2_NAMES if is_blip2 else None,
    )
    missing = [key for key in report["missing_keys"] if not (is_blip2 and _is_text(key))]
    if missing:
        raise ToileError(f"{name} lacks {missing[0]}; it should be an InstructBLIP or a BLIP-2, whole")
    whole: _PublishedParts = parts
    return whole


def _is_text(key: str) -> bool:
    return "attention" not in key and any(part in key for part in TEXT_BRANCH)
