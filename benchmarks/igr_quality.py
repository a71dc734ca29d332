"""How good the bundled IGR is: the model, the model without GarmNet and every baseline, on unseen dolls.

    python benchmarks/igr_quality.py --without-garment-net PATH --sheet out/quality/sheet.png

Writes the table into docs/benchmark.md, every value into OUT/quality.json, and a sheet of examples. Restored
pictures are kept in OUT, so that a run that was stopped goes on where it was.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import torch
import tyro
from PIL import Image
from rich.console import Console

from toile.bundled import TINY, usual_steps, weights_folder
from toile.data.doll_pairs import DollPairs
from toile.data.record import GarmentPair
from toile.evaluation.baselines import (
    Method,
    colour_filled_oracle,
    crop_and_paste,
    crop_and_place,
    mean_garment,
    nearest_garment,
    study,
)
from toile.evaluation.doll_features import BUNDLED, load_doll_features
from toile.evaluation.report import Report
from toile.evaluation.restoration import evaluate_restoration, remembered
from toile.evaluation.sheet import picture_sheet
from toile.evaluation.tables import replace_between, to_markdown, to_rich, write_json
from toile.igr.pipeline import IGRPipeline

SIZE = (256, 192)
FIRST_UNSEEN = 10_000_000
MODEL = "IGR tiny"
TABLE = "igr-quality"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What is measured, and where it is written."""

    model: str = "tiny"
    """The model: `tiny`, a folder, or a hub name."""
    without_garment_net: Path | None = None
    """A folder with the model that was trained without GarmNet; None leaves it out."""
    count: int = 200
    """Unseen dolls of each mode."""
    training: str = "0:2000"
    """First seed and count of the training dolls that the mean and the nearest garment come from."""
    batch_size: int = 8
    """Photos restored at a time."""
    steps: int = field(default_factory=lambda: usual_steps(TINY, system="igr", pipeline="IGRPipeline"))
    """DDIM steps; the bundled model's own."""
    guidance: float = 1.5
    """Guidance scale."""
    device: str = "cpu"
    """Where the model runs."""
    doll_features: Path = BUNDLED
    """DISTS-dolls's network."""
    out: Path = Path("out/quality")
    """Where restored pictures and the JSON go."""
    sheet: Path | None = None
    """Where a PNG of examples goes; None draws none."""
    docs: Path | None = Path("docs/benchmark.md")
    """The document whose table is replaced; None prints only."""


def igr(settings: Settings, model: str) -> Method:
    """The pipeline as a method: each photo starts from the noise of its own seed."""
    pipeline = IGRPipeline.from_pretrained(model).to(settings.device)
    pipeline.set_progress_bar_config(disable=True)

    def restore(pairs: Sequence[GarmentPair]) -> list[Image.Image]:
        generators = [torch.Generator().manual_seed(int(pair.identifier)) for pair in pairs]
        output = pipeline(
            [pair.person for pair in pairs],
            [pair.mask for pair in pairs],
            category=[pair.category for pair in pairs],
            num_inference_steps=settings.steps,
            guidance_scale=settings.guidance,
            height=SIZE[0],
            width=SIZE[1],
            generator=generators,
        )
        return list(output.images)

    return restore


def fingerprint(settings: Settings, model: str) -> str:
    """A short hash of the weights' bytes and of the settings that change the pictures."""
    folder = weights_folder() if model == "tiny" else Path(model)
    digest = hashlib.sha256(repr((model, settings.steps, settings.guidance, SIZE)).encode())
    for path in sorted(folder.rglob("*.safetensors")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def contenders(settings: Settings) -> dict[str, Method]:
    """Every method by the name it has in the table."""
    models = {MODEL: settings.model}
    if settings.without_garment_net is not None:
        models["IGR tiny without GarmNet"] = str(settings.without_garment_net)
    methods = {
        name: remembered(igr(settings, model), settings.out / fingerprint(settings, model))
        for name, model in models.items()
    }
    first, count = (int(number) for number in settings.training.split(":"))
    training = study(DollPairs(first, count, size=SIZE), SIZE)
    return methods | {
        "crop and paste (whole canvas)": crop_and_paste(SIZE),
        "crop and paste (mean box)": crop_and_place(training, SIZE),
        "oracle: true silhouette, true mean colour": colour_filled_oracle(SIZE),
        "mean garment": mean_garment(training),
        "nearest training garment": remembered(
            nearest_garment(training, SIZE), settings.out / f"nearest-{first}-{count}"
        ),
    }


def draw_sheet(methods: dict[str, Method], count: int = 12) -> Image.Image:
    """Photo, every method's picture and the truth, for the first dolls of each mode."""
    rows = []
    for mode in ("studio", "street"):
        for pair in DollPairs(FIRST_UNSEEN, count // 2, mode=mode, size=SIZE)[:]:
            rows.append([pair.person, *(method([pair])[0] for method in methods.values()), pair.garment])
    return picture_sheet(["photo", *methods, "truth"], rows)


def document(settings: Settings, report: Report) -> str:
    """The table's text: how it was made, then the figures."""
    how = f"{settings.count} dolls a mode, {settings.steps} steps, guidance {settings.guidance}."
    return f"{how}\n\n{to_markdown(report, first=MODEL)}"


def main(settings: Settings) -> None:
    features = load_doll_features(settings.doll_features)
    methods = contenders(settings)
    pairs = {
        mode: DollPairs(FIRST_UNSEEN, settings.count, mode=mode, size=SIZE) for mode in ("studio", "street")
    }
    evaluate = partial(evaluate_restoration, size=SIZE, features=features, batch_size=settings.batch_size)
    report = evaluate(methods, pairs)
    write_json(report, settings.out / "quality.json")
    for mode in report.values:
        Console(width=200).print(to_rich(report, mode))
    if settings.docs is not None:
        text = settings.docs.read_text(encoding="utf-8")
        settings.docs.write_text(replace_between(text, TABLE, document(settings, report)), encoding="utf-8")
    if settings.sheet is not None:
        settings.sheet.parent.mkdir(parents=True, exist_ok=True)
        draw_sheet(methods).save(settings.sheet)


if __name__ == "__main__":
    main(tyro.cli(Settings))
