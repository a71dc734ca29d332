"""How well AnyDressing dresses: named models, words alone and the truth, on the Dressing-Pair of dolls.

    python -m benchmarks.anydressing_quality --model tiny base=runs/anydressing-tiny-base/export \
        "image tokens=runs/anydressing-tiny-image-prompt/export" --sheet out/anydressing-quality/sheet.png

Writes the tables into docs/benchmark.md and OUT, every value into OUT, and a sheet of examples. Pictures are
kept in OUT, so that a run that was stopped goes on where it was.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tyro
from PIL import Image
from rich.console import Console

from toile.anydressing.pipeline import AnyDressingPipeline
from toile.bundled import BASE, TINY, weights_folder
from toile.data.parsing import Parser
from toile.diffusion.noise import item_generators
from toile.errors import ToileError
from toile.evaluation.doll_features import BUNDLED as DOLL_FEATURES
from toile.evaluation.doll_features import load_doll_features
from toile.evaluation.dressing_pairs import (
    LOWERS,
    PROMPTS,
    SIZE,
    UPPERS,
    DressingItem,
    dressing_items,
    dressing_pairs,
)
from toile.evaluation.dressing_scores import Dresser, DressingReport, Judge, evaluate_dressing
from toile.evaluation.dressing_truth import in_others_clothes, true_pictures
from toile.evaluation.restoration import remembered
from toile.evaluation.scene_scorer import BUNDLED as SCENE_SCORER
from toile.evaluation.scene_scorer import load_scene_scorer
from toile.evaluation.sheet import picture_sheet
from toile.evaluation.tables import replace_between, to_markdown, to_rich, write_json
from toile.files import write_text

TABLE = "anydressing-quality"
PROMPT_ONLY = "prompt only"
IN_WORDS = "prompt only, garments in words"
OTHERS = "the truth in others' clothes"
TRUTH = "the truth (oracle)"
NOTES = """\
Each value is the mean over a pair's pictures; in brackets, 95 % bootstrap intervals over pairs. **found**:
the share of garments that the bundled parser finds; one that it does not find scores the worst in the next
three. **colour**: earth mover's distance of the region's colours from the flat garment's, in ΔE (CIELAB).
**texture-dolls**: 1 − cosine similarity of DISTS-dolls's features pooled in the region and in the flat
garment. **confusion**: the share of a garment's region that shows another garment's colours instead.
**background**: how much more of the background has the garment's colours than those of garments that nobody
wears. **prompt**: the share of what the prompt says that the scene scorer sees. The truth is a doll in the
very garments, drawn as the prompt says: no method could know it, and its figures are what parser and scorer
make of perfect pictures."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What is measured, and where it is written."""

    model: tuple[str, ...] = (TINY,)
    """Models, each `tiny`, a folder or a hub name, or NAME=one of these; the first is compared with all."""
    pairs: int = LOWERS * UPPERS
    """How many pairs; fewer than all are not the benchmark."""
    prompts: int = len(PROMPTS)
    """How many prompts with each pair; likewise."""
    hats: bool = False
    """Whether a hat belongs to each outfit."""
    size: tuple[int, int] = SIZE
    """Height and width that the models draw at; what is judged is enlarged to the size of the dolls."""
    steps: int = 30
    """DDIM steps."""
    guidance: float = 6.0
    """Guidance scale ω."""
    scale: float = 0.7
    """How strongly garments act, λ."""
    batch: int = 8
    """Pictures at a time."""
    device: str = "cpu"
    """Where the models run; pictures are judged on the CPU."""
    parser: str = TINY
    """Finds the garments."""
    doll_features: Path = DOLL_FEATURES
    """DISTS-dolls's network."""
    scene_scorer: Path = SCENE_SCORER
    """Says who, how and where."""
    out: Path = Path("out/anydressing-quality")
    """Where pictures, tables and JSON go."""
    sheet: Path | None = None
    """Where a PNG of examples goes; None draws none."""
    docs: Path | None = Path("docs/benchmark.md")
    """The document whose table is replaced; None writes into `out` only."""
    table: str | None = None
    """The table's place in the document; None is `anydressing-quality`, `-hats` behind it with hats."""

    def __post_init__(self) -> None:
        """Refuse what cannot be measured."""
        if not 1 <= self.pairs <= LOWERS * UPPERS:
            raise ToileError(f"pairs is {self.pairs}; there are 1 to {LOWERS * UPPERS}")
        if not self.model or len(set(named_models(self.model))) < len(self.model):
            raise ToileError(f"the models are {self.model}; give at least one, each under its own name")


def named_models(models: Sequence[str]) -> dict[str, str]:
    """Each model by the name that it has in the table."""
    return {text.partition("=")[0]: text.partition("=")[2] or text for text in models}


def chosen_items(settings: Settings) -> list[DressingItem]:
    """The pictures to be made."""
    pairs = dressing_pairs(hats=settings.hats)[: settings.pairs]
    return dressing_items(pairs, settings.prompts)


def generated(
    pipeline: AnyDressingPipeline, settings: Settings, text: Callable[[DressingItem], str], *, dressed: bool
) -> Dresser:
    """A pipeline as a method; each picture starts from its own seed's noise, the same for all methods."""

    def draw(items: Sequence[DressingItem]) -> list[Image.Image]:
        outfits: dict[str, Any] = {}
        if dressed:
            outfits["scale"] = settings.scale
            outfits["garments"] = [
                {kind: flat.picture for kind, flat in item.pair.garments.items()} for item in items
            ]
        output = pipeline(
            prompt=[text(item) for item in items],
            generator=item_generators([item.seed for item in items]),
            num_inference_steps=settings.steps,
            guidance_scale=settings.guidance,
            height=settings.size[0],
            width=settings.size[1],
            **outfits,
        )
        whole = (SIZE[1], SIZE[0])
        return [image.resize(whole, Image.Resampling.LANCZOS) for image in output.images]

    return draw


def by_prompt(item: DressingItem) -> str:
    """The prompt, which says nothing of the clothes."""
    return item.prompt.text


def in_words(item: DressingItem) -> str:
    """The prompt with the garments described, as captions of dolls describe them."""
    return item.prompt.described([flat.caption for flat in item.pair.garments.values()])


def fingerprint(settings: Settings, model: str) -> str:
    """A short hash of the weights' bytes, the base's among them, and of the settings that change pictures."""
    how = (settings.steps, settings.guidance, settings.scale, settings.batch, settings.hats, settings.size)
    digest = hashlib.sha256(repr((model, how)).encode())
    folder = weights_folder() / "anydressing" if model == TINY else Path(model)
    for root in (folder, weights_folder() / BASE):
        for path in sorted(root.rglob("*.safetensors")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def contenders(settings: Settings) -> dict[str, Dresser]:
    """Every method by the name it has in the table; words alone go to the first model's own base."""
    methods: dict[str, Dresser] = {}
    words: dict[str, Dresser] = {}
    for name, model in named_models(settings.model).items():
        pipeline = AnyDressingPipeline.from_pretrained(model).to(settings.device)
        pipeline.set_progress_bar_config(disable=True)
        folder = settings.out / fingerprint(settings, model)
        methods[name] = remembered(generated(pipeline, settings, by_prompt, dressed=True), folder)
        if not words:
            for number, (title, text) in enumerate(((PROMPT_ONLY, by_prompt), (IN_WORDS, in_words))):
                draw = generated(pipeline, settings, text, dressed=False)
                words[title] = remembered(draw, folder / f"words-{number}")
    pairs = dressing_pairs(hats=settings.hats)[: settings.pairs]
    return methods | words | {OTHERS: in_others_clothes(pairs), TRUTH: true_pictures}


def draw_sheet(methods: dict[str, Dresser], items: Sequence[DressingItem], count: int = 14) -> Image.Image:
    """The garments and every method's picture, of items from all over the list."""
    rows = []
    for place in range(min(count, len(items))):
        item = items[place * (len(items) - 1) // max(min(count, len(items)) - 1, 1)]
        flats = [flat.picture for flat in item.pair.garments.values()]
        rows.append([*flats, *(method([item])[0] for method in methods.values())])
    return picture_sheet([*items[0].pair.garments, *methods], rows)


def document(settings: Settings, report: DressingReport) -> str:
    """The tables' text: how they were made, figures, what the first model gains, the prompts in detail."""
    first = next(iter(named_models(settings.model)))
    how = (
        f"{settings.pairs} pairs × {settings.prompts} prompts, {settings.steps} steps, guidance "
        f"{settings.guidance:g}, λ = {settings.scale:g}{', with hats' if settings.hats else ''}."
    )
    if settings.size != SIZE:
        how += f" Drawn at {settings.size[0]}×{settings.size[1]} and enlarged; the truth is not."
    if (settings.pairs, settings.prompts) != (LOWERS * UPPERS, len(PROMPTS)):
        how += f" Not the benchmark, which has {LOWERS * UPPERS} pairs × {len(PROMPTS)} prompts."
    parts = [how, to_markdown(report.scores, first=first), NOTES, "What the prompts say, one by one:"]
    return "\n\n".join([*parts, to_markdown(report.attributes)])


def with_table(settings: Settings, text: str) -> str | None:
    """The document with its table replaced; None without a document."""
    if settings.docs is None:
        return None
    name = settings.table or (f"{TABLE}-hats" if settings.hats else TABLE)
    return replace_between(settings.docs.read_text(encoding="utf-8"), name, text)


def main(settings: Settings) -> None:
    with_table(settings, "")  # a document without a place for the table is noticed before hours of work
    judge = Judge(
        Parser.from_pretrained(settings.parser),
        load_doll_features(settings.doll_features),
        load_scene_scorer(settings.scene_scorer),
    )
    items, methods = chosen_items(settings), contenders(settings)
    report = evaluate_dressing(methods, items, judge, batch_size=settings.batch)
    write_json(report.scores, settings.out / "scores.json")
    write_json(report.attributes, settings.out / "attributes.json")
    for mode in report.scores.values:
        Console(width=200).print(to_rich(report.scores, mode))
    text = document(settings, report)
    write_text(text, settings.out / "table.md")
    changed = with_table(settings, text)
    if changed is not None and settings.docs is not None:
        write_text(changed, settings.docs)
    if settings.sheet is not None:
        settings.sheet.parent.mkdir(parents=True, exist_ok=True)
        draw_sheet(methods, items).save(settings.sheet)


if __name__ == "__main__":
    main(tyro.cli(Settings))
