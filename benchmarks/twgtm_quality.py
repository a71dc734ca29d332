"""How good a TWGTM is, both ways, on unseen dolls: against IGR, every baseline, and itself with a box.

    python -m benchmarks.twgtm_quality MODEL --sheet out/twgtm-quality/sheet.png

Writes four tables into docs/benchmark.md and every value into OUT. Pictures are kept in OUT, so that a run
that was stopped goes on where it was.
"""

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import tyro
from benchmarks import igr_quality
from benchmarks.igr_quality import FIRST_UNSEEN, SIZE, fingerprint
from PIL import Image
from rich.console import Console
from tqdm import tqdm

from toile.data.doll_pairs import DollPairs
from toile.data.record import GarmentPair
from toile.data.tensors import pair_tensors
from toile.diffusion.noise import item_generators
from toile.evaluation.baselines import Method
from toile.evaluation.bootstrap import bootstrap_mean
from toile.evaluation.correlation import rank_correlation
from toile.evaluation.doll_features import BUNDLED, DollFeatures, load_doll_features
from toile.evaluation.report import Report
from toile.evaluation.restoration import evaluate_restoration, remembered
from toile.evaluation.sheet import picture_sheet
from toile.evaluation.tables import replace_between, to_markdown, to_rich, write_json
from toile.evaluation.try_on import Fitting, TryOn, evaluate_try_on, own_garments, repainted
from toile.evaluation.try_on_baselines import EXACT_WARP, exact_warp, paste_flat
from toile.evaluation.unpaired import METRIC, UnpairedReport, evaluate_unpaired
from toile.twgtm.boxes import PREDICTED
from toile.twgtm.panels import bounding_box
from toile.twgtm.pipeline import SOFTNESS, TWGTMPipeline
from toile.twgtm.round_trip import best_of

MODEL = "TWGTM"
MODES = ("studio", "street")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What is measured, and where it is written."""

    model: tyro.conf.Positional[str]
    """The model: `tiny`, a folder, or a hub name."""
    count: int = 200
    """Unseen dolls of each mode."""
    round_trips: int = 24
    """How many of them are tried on with several seeds, to see what the round trip tells; 0 leaves it out."""
    candidates: int = 4
    """Seeds of each of these."""
    training: str = "0:2000"
    """First seed and count of the training dolls that the mean and the nearest garment come from."""
    batch_size: int = 8
    """Photos at a time."""
    steps: int = 30
    """DDIM steps."""
    guidance: float = 2.5
    """Guidance scale."""
    device: str = "cpu"
    """Where the models run."""
    doll_features: Path = BUNDLED
    """DISTS-dolls's network."""
    out: Path = Path("out/twgtm-quality")
    """Where pictures and JSON go."""
    sheet: Path | None = None
    """Where a PNG of examples goes; None draws none."""
    docs: Path | None = Path("docs/benchmark.md")
    """The document whose tables are replaced; None prints only."""


class Contestant:
    """The model in all the forms that are measured; each doll starts from the noise of its own seed."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.pipeline = TWGTMPipeline.from_pretrained(settings.model).to(settings.device)
        self.pipeline.set_progress_bar_config(disable=True)
        restoring = igr_quality.Settings(steps=settings.steps, guidance=settings.guidance)
        self.folder = settings.out / fingerprint(restoring, settings.model)
        self.how: dict[str, Any] = {
            "num_inference_steps": settings.steps,
            "guidance_scale": settings.guidance,
            "height": SIZE[0],
            "width": SIZE[1],
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

    def restorers(self) -> dict[str, Method]:
        """Taking off without a box, with the one that the model predicts, and with the true one."""
        forms: dict[str, Callable[[GarmentPair], Any]] = {
            MODEL: lambda _: None,
            f"{MODEL}, predicted box": lambda _: PREDICTED,
            f"{MODEL}, true box (oracle)": true_box,
        }
        return {
            name: remembered(self.take_off(boxes), self.folder / f"take-off-{number}")
            for number, (name, boxes) in enumerate(forms.items())
        }

    def dressers(self) -> dict[str, TryOn]:
        """Trying on as it is, and with the photo's own pixels outside the mask."""
        plain = remembered(self.try_on, self.folder / "try-on")
        softness = SOFTNESS * SIZE[0]
        pasted = paste_flat(SIZE)
        return {
            MODEL: plain,
            f"{MODEL}, repainted": repainted(plain, SIZE, softness),
            "flat garment pasted into the mask": pasted,
        }

    def silhouette_iou(self, pairs: Sequence[GarmentPair]) -> str:
        """How well the flat garment's silhouette is predicted from the photo."""
        scores = []
        for start in tqdm(range(0, len(pairs), self.settings.batch_size), desc="silhouettes", disable=None):
            batch = [pairs[row] for row in range(start, min(start + self.settings.batch_size, len(pairs)))]
            tensors = [pair_tensors(pair, SIZE) for pair in batch]
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
        tensors = pair_tensors(pair, SIZE)
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


def taken_off(contestant: Contestant, pairs: dict[str, Any], features: DollFeatures) -> Report:
    """Taking off against IGR and its baselines."""
    settings = contestant.settings
    others = igr_quality.contenders(
        igr_quality.Settings(
            training=settings.training,
            device=settings.device,
            out=settings.out,
            batch_size=settings.batch_size,
        )
    )
    return evaluate_restoration(
        contestant.restorers() | others,
        pairs,
        size=SIZE,
        features=features,
        batch_size=settings.batch_size,
    )


def unpaired_table(report: UnpairedReport) -> str:
    """Distances of each method, and how much less the first one's is."""
    lines = [f"| {METRIC} ↓ | {' | '.join(report.drawn)} |", f"| --- |{' --- |' * len(report.drawn)}"]
    for name in next(iter(report.drawn.values())):
        lines.append(f"| {name} | {' | '.join(f'{report.distance(m, name):.3f}' for m in report.drawn)} |")
    lines.append("")
    first, *others = next(iter(report.drawn.values()))
    for name in others:
        gaps = ", ".join(f"{mode} {report.difference(mode, first, name)}" for mode in report.drawn)
        lines.append(f"{first} − {name}: {gaps}.")
    return "\n".join(lines)


def draw_sheet(contestant: Contestant, count: int = 6) -> Image.Image:
    """Person, garment, what was tried on and what was taken off, for the first dolls of each mode."""
    restorers, dressers = contestant.restorers(), contestant.dressers()
    rows = []
    for mode in MODES:
        for pair in DollPairs(FIRST_UNSEEN, count, mode=mode, size=SIZE)[:]:
            made = [method(own_garments([pair]))[0] for method in list(dressers.values())[:2]]
            back = [method([pair])[0] for method in restorers.values()]
            rows.append([pair.person, pair.garment, *made, *back])
    return picture_sheet(["person", "garment", *list(dressers)[:2], *restorers], rows)


def main(settings: Settings) -> None:
    features = load_doll_features(settings.doll_features)
    pairs = {mode: DollPairs(FIRST_UNSEEN, settings.count, mode=mode, size=SIZE) for mode in MODES}
    contestant = Contestant(settings)
    off = taken_off(contestant, pairs, features)
    dress = partial(evaluate_try_on, size=SIZE, features=features, batch_size=settings.batch_size)
    on = dress(contestant.dressers() | {EXACT_WARP: exact_warp(SIZE)}, pairs)
    others = evaluate_unpaired(
        contestant.dressers(), pairs, size=SIZE, features=features, batch_size=settings.batch_size
    )
    overlaps = "\n".join(
        f"Silhouettes predicted from photos, {mode}: IoU {contestant.silhouette_iou(of_mode)}."
        for mode, of_mode in pairs.items()
    )
    texts = {
        "twgtm-take-off": f"{to_markdown(off, first=MODEL)}\n{overlaps}",
        "twgtm-try-on": to_markdown(on, first=MODEL),
        "twgtm-unpaired": unpaired_table(others),
    }
    if settings.round_trips:
        texts["twgtm-round-trip"] = contestant.round_trip(pairs["studio"][: settings.round_trips])
    write_json(off, settings.out / "take-off.json")
    write_json(on, settings.out / "try-on.json")
    for report in (off, on):
        for mode in report.values:
            Console(width=200).print(to_rich(report, mode))
    how = f"{settings.count} dolls a mode, {settings.steps} steps, guidance {settings.guidance}."
    for name, text in texts.items():
        print(text)
        if settings.docs is not None:
            document = settings.docs.read_text(encoding="utf-8")
            settings.docs.write_text(replace_between(document, name, f"{how}\n\n{text}"), encoding="utf-8")
    if settings.sheet is not None:
        settings.sheet.parent.mkdir(parents=True, exist_ok=True)
        draw_sheet(contestant).save(settings.sheet)


if __name__ == "__main__":
    main(tyro.cli(Settings))
