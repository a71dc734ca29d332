"""What is measured of a generated picture of somebody in given garments: are they where they belong?

Nobody has photographed the person, so that nothing is compared pixel by pixel: a parser finds the garments,
and each is compared with its flat picture by what does not depend on its shape.
Legend: B pictures, K kinds of garment, H W pixels, D features.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from PIL import Image
from torch import Tensor
from torch.nn.functional import cosine_similarity
from tqdm import tqdm

from toile.data.parse_labels import GARMENT_LABELS, LIP
from toile.data.parsing import Parser
from toile.data.tensors import to_tensor
from toile.evaluation.colour_palettes import (
    Colours,
    Palette,
    colour_distance,
    inner_region,
    lab_picture,
    leaked_share,
    make_palette,
    mistaken_share,
)
from toile.evaluation.doll_features import NAMING_STAGES, DollFeatures, pool_regions
from toile.evaluation.dressing_pairs import (
    PROMPTS,
    SIZE,
    DressingItem,
    FlatPicture,
    control_seeds,
    flat_picture,
)
from toile.evaluation.report import Report, Values, check_not_empty, stacked
from toile.evaluation.scene_scorer import ARMS, SceneScorer

METRICS: dict[str, bool] = {
    "found": True,
    "colour": False,
    "texture-dolls": False,
    "confusion": False,
    "background": False,
    "prompt": True,
}
"""What is measured of each picture, and whether higher is better."""
ATTRIBUTES: dict[str, bool] = dict.fromkeys(("place", "noun", "hair", "hair colour", "arm", "bag"), True)
"""What prompts say, the poses of arms together: the share of it that the scene scorer sees."""
MODE = "dressing-pairs"
"""What `Report` calls the set of pictures."""
SMALLEST_REGION = 0.005
"""A garment that takes a smaller share of the picture is missing."""
MISSING = {"found": 0.0, "colour": 100.0, "texture-dolls": 1.0, "confusion": 1.0}
"""What a missing garment scores: the worst. A colour distance of 100 is that of black from white."""
SPARSE = 16
"""One of so many pixels of a background is looked at."""

Dresser = Callable[[Sequence[DressingItem]], list[Image.Image]]


@dataclass(frozen=True, kw_only=True)
class KnownGarment:
    """A flat garment as pictures are compared with it."""

    palette: Palette
    """Its colours."""
    features: list[Float[Tensor, " _"]]
    """DISTS-dolls's features pooled within its silhouette, of each stage that names attributes."""


class Judge:
    """The networks that look at pictures, and the garments that they have looked at already."""

    def __init__(self, parser: Parser, features: DollFeatures, scorer: SceneScorer) -> None:
        """Take the networks.

        Args:
            parser: finds the garments.
            features: DISTS-dolls's network.
            scorer: says who, how and where.
        """
        self.parser, self.features, self.scorer = parser, features, scorer
        self._known: dict[tuple[str, int], KnownGarment] = {}

    def __call__(
        self, pictures: Sequence[Image.Image], items: Sequence[DressingItem]
    ) -> list[dict[str, float]]:
        """Measure pictures of `SIZE`: `METRICS`, and of `ATTRIBUTES` those that the prompt says.

        Args:
            pictures: RGB.
            items: what each of them was to show.
        """
        parses = self.parser(pictures)
        scenes = self.scorer.read(pictures)
        return [
            self._garments(picture, parse, item) | prompt_scores(scene, item.prompt.attributes)
            for picture, parse, scene, item in zip(pictures, parses, scenes, items, strict=True)
        ]

    def _garments(self, picture: Image.Image, parse: Image.Image, item: DressingItem) -> dict[str, float]:
        """The means over an outfit's garments."""
        labels = np.array(parse)
        regions = {kind: garment_region(labels, kind) for kind in item.pair.seeds}
        worn = {kind: region for kind, region in regions.items() if region is not None}
        vectors = dict(zip(worn, self._vectors(picture, list(worn.values())), strict=True))
        colours = lab_picture(np.array(picture))
        background = colours[labels == LIP["background"]][::SPARSE]
        outfit = {kind: self.know(kind, seed) for kind, seed in item.pair.seeds.items()}
        scores = []
        for kind in outfit:
            leaked = leaked_share(background, outfit[kind].palette, control_palettes(kind))
            seen = {"background": leaked}
            if kind in worn:
                seen |= worn_scores(colours[worn[kind]], vectors[kind], outfit, kind)
            scores.append(MISSING | seen)
        return {name: float(np.mean([score[name] for score in scores])) for name in scores[0]}

    @torch.no_grad()
    def _vectors(
        self, picture: Image.Image, regions: Sequence[Bool[np.ndarray, "H W"]]
    ) -> list[list[Float[Tensor, " _"]]]:
        """DISTS-dolls's features pooled within each region, of each stage that names attributes."""
        if not regions:
            return []
        maps = self.features.features(to_tensor(picture)[None].float() / 255)[-NAMING_STAGES:]
        masks = torch.from_numpy(np.stack(regions)).float()[None]  # (1, K, H, W)
        pooled = [pool_regions(stage, masks)[0] for stage in maps]  # (K, D) each
        return [[stage[row] for stage in pooled] for row in range(len(regions))]

    def know(self, kind: str, seed: int) -> KnownGarment:
        """Look at a garment of the list, once."""
        if (kind, seed) not in self._known:
            flat = flat_picture(kind, seed)
            vectors = self._vectors(flat.picture, [flat.silhouette > 0])
            self._known[kind, seed] = KnownGarment(palette=flat_palette(flat), features=vectors[0])
        return self._known[kind, seed]


def flat_palette(flat: FlatPicture) -> Palette:
    """The colours of a flat garment."""
    return make_palette(lab_picture(np.array(flat.picture))[flat.silhouette > 0])


@lru_cache
def control_palettes(kind: str) -> list[Palette]:
    """The colours of the garments of a kind that nobody is to wear."""
    return [flat_palette(flat_picture(kind, seed)) for seed in control_seeds(kind)]


def garment_region(labels: UInt8[np.ndarray, "H W"], kind: str) -> Bool[np.ndarray, "H W"] | None:
    """Where a parse map shows a kind of garment, without the border; None where it is missing."""
    region = np.asarray(np.isin(labels, list(GARMENT_LABELS[kind])))
    return inner_region(region) if region.mean() >= SMALLEST_REGION else None


def worn_scores(
    colours: Colours,
    vectors: Sequence[Float[Tensor, " _"]],
    outfit: Mapping[str, KnownGarment],
    kind: str,
) -> dict[str, float]:
    """What is measured of a garment that was found.

    Args:
        colours: its pixels' L*, a*, b*.
        vectors: its features, a stage each.
        outfit: all flat garments that the person was to wear.
        kind: which of them it is.
    """
    own = outfit[kind]
    others = [other.palette for name, other in outfit.items() if name != kind]
    return {
        "found": 1.0,
        "colour": colour_distance(make_palette(colours), own.palette),
        "texture-dolls": texture_distance(vectors, own.features),
        "confusion": mistaken_share(colours, own.palette, others),
    }


def texture_distance(first: Sequence[Float[Tensor, " _"]], second: Sequence[Float[Tensor, " _"]]) -> float:
    """1 - cosine similarity of pooled features, averaged over stages: 0 alike, at most 1 for such features.

    Ours. Means and peaks of a region say which textures are there, not where.
    """
    return float(
        np.mean([1 - float(cosine_similarity(a, b, dim=0)) for a, b in zip(first, second, strict=True)])
    )


def prompt_scores(seen: Mapping[str, str], asked: Mapping[str, str]) -> dict[str, float]:
    """Which of the things that a prompt says are seen, 1 or 0, by `ATTRIBUTES`, and their mean, `prompt`."""
    found = {"arm" if name in ARMS else name: float(seen[name] == value) for name, value in asked.items()}
    return {"prompt": float(np.mean(list(found.values()))), **found}


@dataclass(frozen=True, kw_only=True)
class DressingReport:
    """Every pair's values: of the pictures, and of what their prompts say one by one."""

    scores: Report
    """`METRICS`, a value a pair: the mean over its prompts."""
    attributes: Report
    """`ATTRIBUTES`, likewise."""


def evaluate_dressing(
    methods: Mapping[str, Dresser],
    items: Sequence[DressingItem],
    judge: Judge,
    *,
    batch_size: int = 8,
) -> DressingReport:
    """Have every method make every picture, and measure them.

    Ours: a value is that of a pair, the mean over its prompts: pictures of the same garments are alike, and
    intervals over single pictures would be too narrow.

    Args:
        methods: by name.
        items: each pair with the same prompts.
        judge: measures.
        batch_size: items given to a method at a time.

    Raises:
        ToileError: when there is nothing to evaluate, or a method gives pictures of another number or size.
    """
    check_not_empty(methods, {MODE: items})
    found: dict[str, list[dict[str, float]]] = {name: [] for name in methods}
    for start in tqdm(range(0, len(items), batch_size), desc="dressing", disable=None):
        batch = items[start : start + batch_size]
        for name, method in methods.items():
            pictures = method(batch)
            stacked(pictures, len(batch), SIZE, name)
            found[name] += judge([picture.convert("RGB") for picture in pictures], batch)
    pairs = [item.pair.identifier for item in items]
    numbers = {item.number for item in items}
    said = {"arm" if name in ARMS else name for number in numbers for name in PROMPTS[number].attributes}
    asked = {name: better for name, better in ATTRIBUTES.items() if name in said}
    return DressingReport(scores=_by_pair(found, pairs, METRICS), attributes=_by_pair(found, pairs, asked))


def _by_pair(
    found: Mapping[str, Sequence[Mapping[str, float]]], pairs: Sequence[str], metrics: Mapping[str, bool]
) -> Report:
    """Each metric of each method, a mean for each pair."""
    identifiers = list(dict.fromkeys(pairs))
    values: Values = {name: {metric: [] for metric in metrics} for name in found}
    for method, rows in found.items():
        for identifier in identifiers:
            own = [row for row, pair in zip(rows, pairs, strict=True) if pair == identifier]
            for metric in metrics:
                values[method][metric].append(float(np.mean([row[metric] for row in own if metric in row])))
    return Report(size=SIZE, higher_is_better=metrics, identifiers={MODE: identifiers}, values={MODE: values})
