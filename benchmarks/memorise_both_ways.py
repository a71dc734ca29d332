"""Can one tiny TWGTM learn real photos both ways? Train it on a handful of real pairs until it knows them.

    python -m benchmarks.memorise_both_ways ../shared/samples/viton-256-mini:test --steps 4000

It says nothing about unseen photos: it shows that nothing in the code is only good for drawings.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import tyro
from benchmarks import memorise_real
from benchmarks.memorise_real import SIZE
from benchmarks.twgtm_quality import Contestant, true_box
from benchmarks.twgtm_quality import Settings as Measured
from rich.console import Console

from toile.data.open import open_pairs
from toile.evaluation.baselines import colour_filled_oracle, crop_and_paste
from toile.evaluation.doll_features import load_doll_features
from toile.evaluation.restoration import evaluate_restoration
from toile.evaluation.sheet import picture_sheet
from toile.evaluation.tables import replace_between, to_markdown, to_rich, write_json
from toile.evaluation.try_on import evaluate_try_on, own_garments
from toile.evaluation.try_on_baselines import paste_flat
from toile.training.twgtm import train_twgtm
from toile.twgtm.recipes import tiny_stage_2

MODEL = "TWGTM tiny, trained on these pairs"
MODE = "real, memorised"
TABLE = "memorise-both-ways"


@dataclass(frozen=True, kw_only=True)
class Settings(memorise_real.Settings):
    """What is memorised, and how long; all steps are of the second stage."""

    out: Path = Path("out/memorise-both-ways")
    """Where the run, the pictures and the figures go; a run that is there is continued."""


def train(settings: Settings) -> Path:
    """Train the second stage on the pairs; returns the exported pipeline's folder."""
    recipe = tiny_stage_2()
    # Half of the time nothing is known of the garment's place, as when the result is judged.
    recipe = replace(
        recipe,
        full_mask_probability=0.5,
        optimization=memorise_real.memorising(recipe.optimization, settings),
    )
    return train_twgtm(recipe, *memorise_real.source_and_run(settings))


def main(settings: Settings) -> None:
    features = load_doll_features(settings.doll_features)
    pairs = open_pairs(settings.data, size=SIZE)
    contestant = Contestant(Measured(model=str(train(settings)), device=settings.device or "cpu"))
    off = {
        MODEL: contestant.take_off(lambda _: None),
        f"{MODEL}, true box (oracle)": contestant.take_off(true_box),
        "crop and paste": crop_and_paste(SIZE),
        "oracle: true silhouette, true mean colour": colour_filled_oracle(SIZE),
    }
    on = {MODEL: contestant.try_on, "flat garment pasted into the mask": paste_flat(SIZE)}
    reports = {
        "taking off": evaluate_restoration(off, {MODE: pairs}, size=SIZE, features=features),
        "trying on": evaluate_try_on(on, {MODE: pairs}, size=SIZE, features=features),
    }
    for name, report in reports.items():
        write_json(report, settings.out / f"{name.replace(' ', '-')}.json")
        Console(width=200).print(to_rich(report, MODE))
    rows = [
        [pair.person, pair.garment, on[MODEL](own_garments([pair]))[0], off[MODEL]([pair])[0]]
        for pair in pairs[:16]
    ]
    picture_sheet(["person", "garment", "tried on", "taken off"], rows).save(settings.out / "sheet.png")
    if settings.docs is not None:
        text = settings.docs.read_text(encoding="utf-8")
        made = f"{len(pairs)} pairs, {settings.steps} steps of {settings.batch_size} pairs."
        tables = "\n\n".join(f"{name.capitalize()}:\n\n{to_markdown(r)}" for name, r in reports.items())
        settings.docs.write_text(replace_between(text, TABLE, f"{made}\n\n{tables}"), encoding="utf-8")


if __name__ == "__main__":
    main(tyro.cli(Settings))
