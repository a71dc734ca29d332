"""Does one model that goes both ways beat two that go one way each? TWGTM against Variants 4 and 5 (Table 4).

    python -m benchmarks.twgtm_joint runs/joint/export --try-on runs/variant-4/export \
        --take-off runs/variant-5/export --size 128 96

Writes two tables into docs/benchmark.md and every value into OUT. The three are to be trained alike, with the
same number of steps each.
"""

from dataclasses import dataclass
from pathlib import Path

import tyro
from benchmarks.igr_quality import FIRST_UNSEEN, SIZE
from benchmarks.twgtm_quality import MODES, Contestant
from benchmarks.twgtm_quality import Settings as Measured

from toile.data.doll_pairs import DollPairs
from toile.evaluation.doll_features import BUNDLED, load_doll_features
from toile.evaluation.report import Report
from toile.evaluation.restoration import evaluate_restoration
from toile.evaluation.tables import replace_between, to_markdown, write_json
from toile.evaluation.try_on import evaluate_try_on
from toile.files import write_text

JOINT = "both ways"
SINGLE = "one way"


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What is compared, and where it is written."""

    joint: tyro.conf.Positional[str]
    """The model that was trained both ways: a folder or a hub name."""
    try_on: str
    """The one that was trained to try on alone (Variant 4)."""
    take_off: str
    """The one that was trained to take off alone (Variant 5)."""
    size: tuple[int, int] = SIZE
    """Height and width that all of them were trained at, and are judged at."""
    count: int = 50
    """Unseen dolls of each mode."""
    steps: int = 30
    """DDIM steps."""
    batch_size: int = 8
    """Photos at a time."""
    device: str = "cpu"
    """Where the models run."""
    doll_features: Path = BUNDLED
    """DISTS-dolls's network."""
    out: Path = Path("out/twgtm-joint")
    """Where JSON goes."""
    docs: Path | None = Path("docs/benchmark.md")
    """The document whose tables are replaced; None prints only."""


def compared(settings: Settings) -> dict[str, Report]:
    """Both directions: the joint model and the one that knows nothing else, on the same dolls and noise."""
    joint, trying_on, taking_off = (
        Contestant(Measured(model=model, steps=settings.steps, device=settings.device), settings.size)
        for model in (settings.joint, settings.try_on, settings.take_off)
    )
    pairs = {mode: DollPairs(FIRST_UNSEEN, settings.count, mode=mode, size=settings.size) for mode in MODES}
    features, batch_size = load_doll_features(settings.doll_features), settings.batch_size
    off = {JOINT: joint.take_off(lambda _: None), SINGLE: taking_off.take_off(lambda _: None)}
    on = {JOINT: joint.try_on, SINGLE: trying_on.try_on}
    return {
        "take-off": evaluate_restoration(
            off, pairs, size=settings.size, features=features, batch_size=batch_size
        ),
        "try-on": evaluate_try_on(on, pairs, size=settings.size, features=features, batch_size=batch_size),
    }


def main(settings: Settings) -> None:
    for name, report in compared(settings).items():
        write_json(report, settings.out / f"{name}.json")
        how = f"{settings.count} dolls a mode, drawn and judged at {settings.size[0]}×{settings.size[1]}."
        text = f"{how}\n\n{to_markdown(report, first=JOINT)}"
        print(text)
        if settings.docs is not None:
            document = settings.docs.read_text(encoding="utf-8")
            write_text(replace_between(document, f"twgtm-joint-{name}", text), settings.docs)


if __name__ == "__main__":
    main(tyro.cli(Settings))
