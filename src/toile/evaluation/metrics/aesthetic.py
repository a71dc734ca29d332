"""The CLIP aesthetic score: how much people would like a picture, from 1 to 10, whatever it is to show.

Legend: `B` samples, `D` numbers of a CLIP embedding.

Source: LAION's aesthetic predictors on CLIP ViT-L/14: github.com/LAION-AI/aesthetic-predictor (linear) and
github.com/christophschuhmann/improved-aesthetic-predictor (five linear layers without anything between).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor, nn

from toile.evaluation.metrics.clip import ClipEncoder
from toile.evaluation.metrics.published_weights import PublishedFile, load_into, read_tensors
from toile.evaluation.metrics.sample import Sample
from toile.evaluation.metrics.spec import MetricSpec

PUBLISHED = PublishedFile(
    network="LAION's aesthetic head for CLIP ViT-L/14",
    source="https://github.com/christophschuhmann/improved-aesthetic-predictor "
    "(sac+logos+ava1-l14-linearMSE.pth)",
)
WIDTHS = (1024, 128, 64, 16, 1)
"""The outputs of the published layers."""
PLACES = (0, 2, 4, 6, 7)
"""Their numbers in the published file; between them are dropouts, without effect here."""


class AestheticHead(nn.Module):
    """Five linear layers in a row, from an embedding to a score."""

    def __init__(self, embedding: int) -> None:
        """Make it with random weights for embeddings of so many numbers."""
        super().__init__()
        layers: list[nn.Module] = [nn.Identity() for _ in range(max(PLACES) + 1)]
        before = embedding
        for place, after in zip(PLACES, WIDTHS, strict=True):
            layers[place] = nn.Linear(before, after)
            before = after
        self.layers = nn.Sequential(*layers)

    def forward(self, embeddings: Float[Tensor, "B D"]) -> Float[Tensor, "B 1"]:
        """One score a row."""
        scores: Tensor = self.layers(embeddings)
        return scores


def load_head(path: Path | None, embedding: int) -> nn.Module:
    """The published head that the file holds: `layers.0.weight` to `layers.7.bias`, or `weight` and `bias`.

    Args:
        path: .pth or safetensors.
        embedding: how many numbers CLIP's embeddings have; 768 for ViT-L/14.

    Raises:
        ToileError: when the file is missing or holds something else.
    """
    tensors = read_tensors(path, PUBLISHED)
    head = nn.Linear(embedding, 1) if set(tensors) == {"weight", "bias"} else AestheticHead(embedding)
    load_into(head, tensors, Path(str(path)), PUBLISHED)
    return head.eval().requires_grad_(False)


SCORE = MetricSpec(
    name="CLIP-AS",
    higher_is_better=True,
    low=-np.inf,
    high=np.inf,
    needs=frozenset(),
    definition="LAION's aesthetic head on the normalised CLIP ViT-L/14 embedding of the picture; "
    "trained on ratings from 1 to 10, not limited to them",
    backbone="aesthetic",
)


@dataclass(frozen=True, kw_only=True)
class AestheticScore:
    """The score of the prediction alone."""

    encoder: ClipEncoder
    """CLIP ViT-L/14."""
    head: nn.Module
    """The published head."""
    spec: MetricSpec = SCORE
    """What it is called."""

    @torch.no_grad()
    def __call__(self, samples: Sequence[Sample]) -> Float64[np.ndarray, " B"]:
        """One score a sample."""
        embeddings = torch.from_numpy(self.encoder.pictures([sample.prediction for sample in samples]))
        unit = embeddings / embeddings.norm(dim=1, keepdim=True).clamp(min=1e-12)
        scores: np.ndarray = self.head(unit)[:, 0].double().numpy()
        return scores
