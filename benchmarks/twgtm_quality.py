"""What a TWGTM knows of its results on unseen dolls: predicted silhouettes, round trips that rank seeds.

    python -m benchmarks.twgtm_quality MODEL

Writes a table into docs/benchmark.md. How good its pictures are is measured by `toile benchmark`.
"""

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import tyro
from benchmarks.igr_quality import FIRST_UNSEEN, SIZE
from PIL import Image
from tqdm import tqdm

from toile.data.doll_pairs import DollPairs
from toile.data.record import GarmentPair
from toile.data.tensors import pair_tensors
from toile.diffusion.noise import item_generators
from toile.evaluation.baselines import Method
from toile.evaluation.bootstrap import bootstrap_mean
from toile.evaluation.correlation import rank_correlation
from toile.evaluation.tables import replace_between
from toile.evaluation.try_on import Fitting
from toile.files import write_text
from toile.twgtm.panels import bounding_box
from toile.twgtm.pipeline import TWGTMPipeline
from toile.twgtm.round_trip import best_of

MODES = ("studio", "street")
TABLE = "twgtm-round-trip"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What is measured, and where it is written."""

    model: tyro.conf.Positional[str]
    """The model: `tiny`, a folder, or a hub name."""
    count: int = 200
    """Unseen dolls of each mode whose silhouettes are predicted."""
    round_trips: int = 24
    """How many of the studio's are tried on with several seeds."""
    candidates: int = 4
    """Seeds of each of these."""
    batch_size: int = 8
    """Photos at a time."""
    steps: int = 30
    """DDIM steps."""
    guidance: float = 2.5
    """Guidance scale."""
    device: str = "cpu"
    """Where the models run."""
    docs: Path | None = Path("docs/benchmark.md")
    """The document whose table is replaced; None prints only."""


class Contestant:
    """The model at one size, both ways; each doll starts from the noise of its own seed."""

    def __init__(self, settings: Settings, size: tuple[int, int] = SIZE) -> None:
        self.settings, self.size = settings, size
        self.pipeline = TWGTMPipeline.from_pretrained(settings.model).to(settings.device)
        self.pipeline.set_progress_bar_config(disable=True)
        self.how: dict[str, Any] = {
            "num_inference_steps": settings.steps,
            "guidance_scale": settings.guidance,
            "height": size[0],
            "width": size[1],
        }

    def take_off(self, boxes: Callable[[GarmentPair], Any]) -> Method:
        """Taking off, with the box that `boxes` gives for each pair."""

        def restore(pairs: Sequence[GarmentPair]) -> list[Image.Image]:
            output = self.pipeline.take_off(
                [pair.person for pair in pairs],
                [pair.category for pair in pairs],
                box=[boxes(pair) for pair in pairs],
                generator=item_generators([own_seed(pair) for pair in pairs]),
                **self.how,
            )
            return list(output.images)

        return restore

    def try_on(self, fittings: Sequence[Fitting]) -> list[Image.Image]:
        """Trying on."""
        output = self.pipeline.try_on(
            [fitting.wearer.person for fitting in fittings],
            [fitting.garment.garment for fitting in fittings],
            [fitting.wearer.mask for fitting in fittings],
            [fitting.category for fitting in fittings],
            generator=item_generators([own_seed(fitting.wearer) for fitting in fittings]),
            **self.how,
        )
        return list(output.images)

    def silhouette_iou(self, pairs: Sequence[GarmentPair]) -> str:
        """How well the flat garment's silhouette is predicted from the photo."""
        scores = []
        for start in tqdm(range(0, len(pairs), self.settings.batch_size), desc="silhouettes", disable=None):
            batch = [pairs[row] for row in range(start, min(start + self.settings.batch_size, len(pairs)))]
            tensors = [pair_tensors(pair, self.size) for pair in batch]
            people = torch.stack([item["person"] for item in tensors]).float() / 127.5 - 1
            true = torch.stack([item["silhouette"] for item in tensors]) > 127
            with torch.no_grad():
                seen = self.pipeline.look_at(
                    people.to(self.pipeline.device), [pair.category for pair in batch]
                )
                found = self.pipeline.twgtm.silhouette(seen).cpu() > 0.5
            both, either = (found & true).sum((1, 2, 3)), (found | true).sum((1, 2, 3))
            scores += (both / either.clamp(min=1)).tolist()
        return str(bootstrap_mean(np.array(scores)))

    def round_trip(self, pairs: Sequence[GarmentPair]) -> str:
        """How well the round trip's distance ranks the candidates of a doll by their true error."""
        distances, errors, kept, mean = [], [], [], []
        seeds = tuple(range(self.settings.candidates))
        for pair in tqdm(pairs, desc="round trips", disable=None):
            found = best_of(
                self.pipeline, pair.person, pair.garment, pair.mask, pair.category, seeds, **self.how
            )
            own = {seed: self._error(pair, seed) for seed in seeds}
            distances.append([found.distances[seed] for seed in seeds])
            errors.append([own[seed] for seed in seeds])
            kept.append(own[found.seed])
            mean.append(float(np.mean(list(own.values()))))
        # Of each doll only the order of its own candidates counts, not that some garments are harder.
        centred = [
            np.concatenate([np.array(row) - np.mean(row) for row in rows]) for rows in (distances, errors)
        ]
        return (
            f"{len(pairs)} dolls, {len(seeds)} seeds each. Rank correlation of the round trip's distance "
            f"with the error inside the mask, each less its doll's mean: {rank_correlation(*centred)}. "
            f"Error of what is kept: {np.mean(kept):.4f}; of a seed taken blindly: {np.mean(mean):.4f}."
        )

    def _error(self, pair: GarmentPair, seed: int) -> float:
        output = self.pipeline.try_on(
            pair.person, pair.garment, pair.mask, pair.category, generator=item_generators([seed]), **self.how
        )
        tensors = pair_tensors(pair, self.size)
        drawn = torch.from_numpy(np.array(output.images[0])).movedim(-1, 0)
        wrong = (drawn.float() - tensors["person"].float()).abs() / 255
        inside = tensors["mask"].float() / 255
        return float((wrong * inside).sum() / (3 * inside.sum()))


def own_seed(pair: GarmentPair) -> int:
    """A doll's own seed; of another pair, a number made of its name."""
    return int(pair.identifier) if pair.identifier.isdecimal() else zlib.crc32(pair.identifier.encode())


def true_box(pair: GarmentPair) -> tuple[int, int, int, int]:
    """The rectangle around the true flat garment: an oracle (Table 4, Variant 3)."""
    return bounding_box(pair_tensors(pair, SIZE)["silhouette"].float() / 255)


def main(settings: Settings) -> None:
    pairs = {mode: DollPairs(FIRST_UNSEEN, settings.count, mode=mode, size=SIZE) for mode in MODES}
    contestant = Contestant(settings)
    overlaps = [
        f"Silhouettes predicted from {len(of_mode)} photos, {mode}: IoU {contestant.silhouette_iou(of_mode)}."
        for mode, of_mode in pairs.items()
    ]
    text = "\n".join([*overlaps, "", contestant.round_trip(pairs["studio"][: settings.round_trips])])
    print(text)
    if settings.docs is not None:
        document = settings.docs.read_text(encoding="utf-8")
        write_text(replace_between(document, TABLE, text), settings.docs)


if __name__ == "__main__":
    main(tyro.cli(Settings))
