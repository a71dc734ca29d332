"""Evaluates a folder of predictions: checks, one pass over the pictures, and everything that follows."""

import json
from collections.abc import Collection, Sequence
from dataclasses import asdict, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from toile import __version__
from toile.errors import ToileError
from toile.evaluation.protocols.checks import Inspection, inspect_predictions
from toile.evaluation.protocols.chunks import open_folder, read_items
from toile.evaluation.protocols.filling import chunk_paths, fill
from toile.evaluation.protocols.instruments import Instruments, make_instruments, used
from toile.evaluation.protocols.measuring import Plan, Prediction, one_thread
from toile.evaluation.protocols.options import EvaluationOptions
from toile.evaluation.protocols.pairs import OpenedPairs, open_truths
from toile.evaluation.protocols.protocol import FLAT, MetricUse, Protocol, Task, canonical_json
from toile.evaluation.protocols.reasons import Finding, refuse, some
from toile.evaluation.protocols.reference import is_picture_folder, mixture_in, open_reference
from toile.evaluation.protocols.result import EvaluationResult, write_result
from toile.evaluation.protocols.summing_up import Measured, summed_up

LIBRARIES = (
    "torch",
    "numpy",
    "pillow",
    "torchmetrics",
    "transformers",
    "opencv-python-headless",
    "safetensors",
)
"""What figures depend on, besides this library."""


def evaluate(
    predictions: Path,
    protocol: Protocol,
    output: Path,
    *,
    data: str | None = None,
    task: Task | None = None,
    options: EvaluationOptions | None = None,
) -> EvaluationResult:
    """Check a folder of predictions, measure it, and write the result.

    A run that was stopped goes on where it was when it is started again with the same output.

    Args:
        predictions: the folder.
        protocol: how.
        output: the JSON; chunks lie beside it, in `OUTPUT.parts`, until it is written.
        data: the pairs, as `toile.data.open_pairs` takes them; None for the protocol's own dolls.
        task: another task with the same truth: restore for takeoff, or the other way round.
        options: how it runs.

    Raises:
        ToileError: when the predictions are refused, with every reason, or something cannot be read.
    """
    options = options or EvaluationOptions()
    protocol = _with_task(_with_metrics(protocol, options.metrics), task)
    opened = open_truths(protocol, data, exclusions=options.exclusions, count=options.count)
    inspection = inspect_predictions(
        predictions, opened.truths, protocol.pictures, left_out=options.exclusions
    )
    findings = [*inspection.findings, *_beyond(predictions, protocol, data, options)]
    if options.count is not None:  # the pictures of the other pairs are of no concern
        findings = [finding for finding in findings if finding.reason != "extra"]
    notes = refuse(predictions, findings, options.allowed)
    with one_thread():
        instruments, skipped = make_instruments(
            [use.name for use in protocol.metrics],
            options.backbones,
            options.device,
            skip_missing="missing-weights" in options.allowed,
        )
        protocol = replace(protocol, pairs=opened.rules, metrics=used(protocol.metrics, instruments))
        plan = _plan(protocol, opened, inspection, instruments, data, output, options)
        open_folder(plan.folder, _key(protocol, plan, instruments))
        fill(plan, instruments, options.workers)
        notes += refuse(predictions, _found_while_measuring(plan), options.allowed)
        conforming = not (notes or skipped or opened.deviations or options.metrics)
        result = summed_up(
            Measured(
                protocol=protocol,
                instruments=instruments,
                chunks=chunk_paths(plan, "pictures", len(plan.predictions)),
                reference=chunk_paths(plan, "reference", len(plan.reference)),
                backbones=options.backbones,
                folder=plan.folder,
            ),
            toile=__version__,
            system=options.name or predictions.resolve().name,
            predictions=predictions.name or str(predictions),
            conforming=conforming,
            versions={name: version(name) for name in LIBRARIES},
            notes=_notes(opened, options, conforming, [*skipped, *notes]),
            settings=inspection.settings,
        )
    write_result(result, output)
    if not options.keep:
        _remove(plan.folder)
    return result


def _with_metrics(protocol: Protocol, names: Sequence[str]) -> Protocol:
    if not names:
        return protocol
    own = {use.name: use for use in protocol.metrics}
    return replace(protocol, metrics=tuple(own.get(name, MetricUse(name=name)) for name in names))


def _with_task(protocol: Protocol, task: Task | None) -> Protocol:
    if task is None or task == protocol.task:
        return protocol
    if {task, protocol.task} <= FLAT:
        return replace(protocol, task=task)
    raise ToileError(
        f"{protocol.name} measures {protocol.task}, whose truth is another than that of {task}; "
        "leave --task out, or name a protocol of that task"
    )


def _beyond(
    predictions: Path, protocol: Protocol, data: str | None, options: EvaluationOptions
) -> list[Finding]:
    """What is wrong besides the files themselves."""
    findings = []
    root = Path(data) if data is not None else None
    if root is not None and root.is_dir() and predictions.resolve().is_relative_to(root.resolve()):
        findings.append(
            Finding(reason="data-folder", message=f"it lies within the data, {data}; is it the truth itself?")
        )
    given = options.reference
    mixed = mixture_in(Path(given)) if given is not None and is_picture_folder(given) else None
    if mixed is not None:
        findings.append(Finding(reason="mixed-truth", message=f"{given} mixes persons and garments: {mixed}"))
    if options.cut is not None and not protocol.pictures.cut_out:
        findings.append(
            Finding(reason="other-masks", message=f"{protocol.name} cuts nothing out, and --cut does")
        )
    return findings


def _plan(
    protocol: Protocol,
    opened: OpenedPairs,
    inspection: Inspection,
    instruments: Instruments,
    data: str | None,
    output: Path,
    options: EvaluationOptions,
) -> Plan:
    rules = protocol.reference
    wanted = rules is not None and bool(instruments.of_sets)
    separate = rules if wanted and rules is not None and rules.side != "targets" else None
    reference = open_reference(separate, protocol.pairs, opened.truths, options.reference) if separate else []
    return Plan(
        predictions=tuple(
            Prediction(
                truth=truth,
                path=inspection.matched[truth.identifier].path,
                name=inspection.matched[truth.identifier].path.relative_to(inspection.folder).as_posix(),
                sha256=inspection.matched[truth.identifier].sha256,
                cut=_cut(options.cut, inspection.matched[truth.identifier].path),
            )
            for truth in opened.truths
            if truth.identifier in inspection.matched
        ),
        reference=tuple(reference),
        targets_are_real=wanted and separate is None,
        rules=protocol.pictures,
        uses=protocol.metrics,
        batch_size=options.batch_size,
        regions=options.regions,
        backbones=options.backbones,
        device=options.device,
        folder=output.with_name(f"{output.name}.parts"),
    )


def _cut(folder: Path | None, prediction: Path) -> Path | None:
    if folder is None:
        return None
    path = folder / f"{prediction.stem}.png"
    if not path.is_file():
        raise ToileError(f"{path} is missing; each prediction needs its mask, as a PNG of the same name")
    return path


def _key(protocol: Protocol, plan: Plan, instruments: Instruments) -> str:
    """Changes whenever chunks of an earlier run could not be used in this one."""
    content: dict[str, Any] = {
        "toile": __version__,
        "protocol": asdict(protocol),
        "predictions": [[entry.truth.identifier, entry.sha256] for entry in plan.predictions],
        "cuts": [None if entry.cut is None else entry.cut.stat().st_mtime_ns for entry in plan.predictions],
        "reference": [entry.identifier for entry in plan.reference],
        "networks": sorted(instruments.extractors),
        "run": [plan.batch_size, plan.device, repr(plan.regions), repr(plan.backbones)],
    }
    return canonical_json(json.loads(json.dumps(content, default=str)))


def _found_while_measuring(plan: Plan) -> list[Finding]:
    """What only shows when predictions stand beside their truths."""
    items = [
        item for path in chunk_paths(plan, "pictures", len(plan.predictions)) for item in read_items(path)
    ]
    findings = []
    for reason, what in (
        ("equals-input", "predictions are what the method was given, unchanged"),
        ("equals-truth", "predictions are the truth itself, pixel for pixel"),
    ):
        names = [item["prediction"] for item in items if item[reason]]
        if names:
            findings.append(Finding(reason=reason, message=f"{some(names)} {what}"))
    wanted = plan.rules.repainted
    wrong = [item["prediction"] for item in items if item["repainted"] not in (None, wanted)]
    if wanted is not None and wrong:
        what = "are not pasted back into the photo" if wanted else "are pasted back into the photo"
        findings.append(Finding(reason="repainting", message=f"{some(wrong)} predictions {what}"))
    return findings


def _notes(
    opened: OpenedPairs, options: EvaluationOptions, conforming: bool, further: Collection[str]
) -> tuple[str, ...]:
    notes = [] if conforming else ["not the benchmark: something differs from the protocol, see the notes"]
    notes += opened.deviations
    if options.metrics:
        notes.append(f"metrics chosen by hand: {', '.join(options.metrics)}")
    if options.cut is not None:
        notes.append(f"the garment was cut out of each prediction by a mask of {options.cut.name}")
    if options.regions.folder or options.regions.parser:
        found = options.regions.folder.name if options.regions.folder else f"parser {options.regions.parser}"
        notes.append(f"regions of worn garments: {found}")
    return tuple([*notes, *further])


def _remove(folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
