"""`toile benchmark`: systems in, their pictures and figures out, in one go."""

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from toile.cli.evaluate import Evaluate, TaskOption, WeightOptions, figures
from toile.cli.positional import several

if TYPE_CHECKING:
    from toile.evaluation.protocols.protocol import Protocol
    from toile.evaluation.protocols.result import EvaluationResult
    from toile.evaluation.protocols.truths import Truth

SIZE = (256, 192)
"""Height and width that systems draw at where the protocol leaves it open."""


@dataclass(frozen=True, kw_only=True)
class Benchmark:
    """Draw the pictures of any number of systems, evaluate them, and write one result for each.

    A system is igr, twgtm (also -predicted-box, -true-box, -repainted), a model of either as igr:PATH, a
    baseline (crop-and-paste, crop-and-place, mean-garment, nearest-garment, colour-oracle, paste-flat,
    exact-warp-oracle), or a folder of predictions. Pictures are kept, so that a run that was stopped goes on.
    Exit code: 0 when every result was written, 2 when one could not be.
    """

    systems: Annotated[tuple[str, ...], tyro.conf.Positional, several("SYSTEM")]
    """What to compare."""
    protocol: str = "dolls"
    """How to measure, as dolls-restore; dolls with --task means dolls-TASK."""
    task: TaskOption = None
    """What the systems do, where the protocol's name leaves it open."""
    data: Annotated[str | None, tyro.conf.arg(metavar="PATH")] = None
    """The dataset. Left out: the dolls that the protocol prescribes."""
    output: Annotated[Path, tyro.conf.arg(aliases=["-o"], metavar="OUT")] = Path("out/benchmark")
    """The folder for pictures and results."""
    seeds: Annotated[tuple[int, ...], tyro.conf.arg(metavar="SEED [SEED...]")] = (0,)
    """Seeds of the noise: one result for each."""
    guidance: Annotated[tuple[float, ...], tyro.conf.arg(metavar="SCALE [SCALE...]")] = ()
    """Guidance scales: one result for each. Left out: each system's own."""
    steps: int | None = None
    """Denoising steps. Left out: each system's own."""
    training: str = "dolls:0:2000"
    """Pairs that baselines have seen before, none of the benchmark's."""
    reference: Annotated[str | None, tyro.conf.arg(metavar="PATH")] = None
    """Where the real set lies, when it is of another dataset."""
    count: int | None = None
    """Only the first so many pairs (of dolls: of each mode); the results say so."""
    metrics: Annotated[tuple[str, ...], tyro.conf.arg(metavar="NAME [NAME...]")] = ()
    """Compute these instead of the protocol's metrics; the results say so."""
    allow: Annotated[tuple[str, ...], tyro.conf.arg(metavar="REASON [REASON...]")] = ()
    """Reasons for refusal to overlook; the results say so."""
    batch: int = 8
    """Pictures drawn and measured at a time."""
    workers: int = 0
    """Processes that share the measuring; 0 measures in this one."""
    device: str = "cpu"
    """Where models run: cpu, cuda, cuda:1."""
    weights: Annotated[WeightOptions, tyro.conf.arg(name="weights")] = field(default_factory=WeightOptions)
    """Weights of published networks."""

    def run(self) -> int:
        """Draw, evaluate, print the figures, and say where the results are."""
        for result, path in run_benchmark(self):
            print(f"{result.system}\n{figures(result)}")
            for note in result.notes:
                print(f"note: {result.system}: {note}", file=sys.stderr)
            print(path)
        return 0


def run_benchmark(arguments: Benchmark) -> "list[tuple[EvaluationResult, Path]]":
    """Do what the command does, and return each result with where it was written.

    Raises:
        ToileError: when a system does not exist or cannot do the task, or a folder is refused.
    """
    from toile.errors import ToileError
    from toile.evaluation.protocols.catalogue import find_protocol
    from toile.evaluation.protocols.evaluate import evaluate
    from toile.evaluation.protocols.pairs import open_truths
    from toile.evaluation.reports.writing import write_reports

    protocol = find_protocol(arguments.protocol, arguments.task)
    if not arguments.systems or not arguments.seeds:
        raise ToileError("there is nothing to compare; name at least one system and one seed")
    options = Evaluate(
        protocol=protocol.name,
        reference=arguments.reference,
        count=arguments.count,
        metrics=arguments.metrics,
        allow=arguments.allow,
        batch=arguments.batch,
        workers=arguments.workers,
        device=arguments.device,
        weights=arguments.weights,
    )
    truths = open_truths(protocol, arguments.data, count=arguments.count).truths
    found = []
    for folder, label, allowed in contenders(arguments, protocol, truths):
        path = arguments.output / f"{folder.name}-{protocol.name}.json"
        changes = {"name": label, "allow": (*arguments.allow, *allowed)}
        own = Evaluate(**{**vars(options), **changes}).options()
        result = evaluate(folder, protocol, path, data=arguments.data, task=arguments.task, options=own)
        write_reports(result, path, predictions=folder, data=arguments.data)
        found.append((result, path))
    return found


def contenders(
    arguments: Benchmark, protocol: "Protocol", truths: "tuple[Truth, ...]"
) -> list[tuple[Path, str, tuple[str, ...]]]:
    """Every folder of predictions, what it is called, and what it is allowed; systems' are drawn as needed.

    A baseline that shows garments it has seen before repeats itself by its nature.

    Raises:
        ToileError: before anything is drawn, when a system does not exist or cannot do the task.
    """
    from toile.evaluation.protocols.generation import generate
    from toile.evaluation.protocols.systems import STUDIED, Drawing, parse_system

    folders = {text: Path(text) for text in arguments.systems if Path(text).is_dir()}
    named = {text: parse_system(text) for text in arguments.systems if text not in folders}
    for system in named.values():
        system.check(protocol.task)
    found: list[tuple[Path, str, tuple[str, ...]]] = []
    for text in arguments.systems:
        if text in folders:
            found.append((folders[text], folders[text].resolve().name, ()))
            continue
        system = named[text]
        allowed = ("duplicates",) if system.name in STUDIED else ()
        for scale in (arguments.guidance or (None,)) if system.learnt else (None,):
            for seed in arguments.seeds if system.learnt else (0,):
                drawing = Drawing(
                    size=protocol.pictures.prediction_size or protocol.pictures.size or SIZE,
                    steps=arguments.steps,
                    guidance=scale,
                    device=arguments.device,
                    training=arguments.training,
                )
                made = generate(
                    system,
                    protocol,
                    truths,
                    arguments.output / "pictures",
                    drawing=drawing,
                    seed=seed,
                    batch_size=arguments.batch,
                )
                found.append((made.folder, made.label, allowed))
    return found
