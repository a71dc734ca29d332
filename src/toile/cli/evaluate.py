"""`toile evaluate`: a folder of predictions in, figures that can be trusted out."""

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

if TYPE_CHECKING:
    from toile.evaluation.protocols.options import EvaluationOptions
    from toile.evaluation.protocols.result import EvaluationResult

TaskOption = Annotated[
    Literal["restore", "tryon", "takeoff", "dress"] | None,
    tyro.conf.arg(metavar="{restore,tryon,takeoff,dress}"),
]


@dataclass(frozen=True, kw_only=True)
class WeightOptions:
    """Where the weights of published networks lie: files, or folders; none is ever downloaded unasked."""

    inception: Path | None = None
    """FID's Inception-v3: pt_inception-2015-12-05-6726825d.pth."""
    vgg16: Path | None = None
    """VGG-16 of ImageNet, for LPIPS (vgg) and DISTS: vgg16-397923af.pth."""
    alexnet: Path | None = None
    """AlexNet of ImageNet, for LPIPS (alex): alexnet-owt-7be5be79.pth."""
    squeezenet: Path | None = None
    """SqueezeNet 1.1 of ImageNet, for LPIPS (squeeze): squeezenet1_1-b8a52dc0.pth."""
    lpips: Path | None = None
    """A folder with LPIPS's heads. Left out: torchmetrics' copies."""
    dists: Path | None = None
    """DISTS's α and β. Left out: torchmetrics' copy."""
    clip: str | None = None
    """CLIP, as a folder or a hub name."""
    clip_l: str | None = None
    """The CLIP that the aesthetic head stands on, as a folder or a hub name."""
    dino: str | None = None
    """DINO or DINOv2, as a folder or a hub name."""
    aesthetic: Path | None = None
    """The aesthetic head: sac+logos+ava1-l14-linearMSE.pth."""
    twgtm: str | None = None
    """The TWGTM that takes off again for the round trip. Left out: the bundled one."""
    dolls: Path | None = None
    """The network that has looked at Paper Dolls. Left out: the bundled one."""


@dataclass(frozen=True, kw_only=True)
class Evaluate:
    """Check a folder of predicted pictures, measure it under a protocol, and write the result as JSON.

    Every prediction is named after its pair, as IDENTIFIER.png. A folder with something wrong is refused,
    with the reasons. A run that was stopped goes on where it was. `--protocol list` says which there are.
    Exit code: 0 when the result was written, 2 when the folder was refused.
    """

    predictions: Annotated[Path | None, tyro.conf.Positional, tyro.conf.arg(metavar="PREDICTIONS")] = None
    """The folder of pictures."""
    protocol: str
    """How to measure, as dolls-restore or igr-viton-hd-paired; `list` prints all."""
    data: Annotated[str | None, tyro.conf.arg(metavar="PATH")] = None
    """The dataset with the truth. Left out: the dolls that the protocol prescribes."""
    task: TaskOption = None
    """What made the pictures, where the protocol's name leaves it open."""
    output: Annotated[Path | None, tyro.conf.arg(aliases=["-o"], metavar="OUT")] = None
    """The JSON to write. Left out: PREDICTIONS-PROTOCOL.json beside the folder."""
    name: str = ""
    """What the system is called in tables. Left out: the folder's name."""
    reference: Annotated[str | None, tyro.conf.arg(metavar="PATH")] = None
    """Where the real set lies, when it is of another dataset: a dataset, or a folder of pictures."""
    cut: Annotated[Path | None, tyro.conf.arg(metavar="MASKS")] = None
    """A folder of masks, named as the predictions, that cut the garment out first."""
    regions: Annotated[Path | None, tyro.conf.arg(metavar="MASKS")] = None
    """A folder of masks IDENTIFIER-KIND.png: where each garment is worn in a prediction (CLIP-I*)."""
    parser: str | None = None
    """A parser that finds those regions instead: tiny, a folder, or a hub name."""
    exclude: Annotated[Path | None, tyro.conf.arg(metavar="LIST")] = None
    """A list of pairs to leave out, one identifier a line, as `toile data check` writes it."""
    metrics: Annotated[tuple[str, ...], tyro.conf.arg(metavar="NAME [NAME...]")] = ()
    """Compute these instead of the protocol's metrics; the result says so."""
    count: int | None = None
    """Only the first so many pairs (of dolls: of each mode); the result says so."""
    allow: Annotated[tuple[str, ...], tyro.conf.arg(metavar="REASON [REASON...]")] = ()
    """Reasons for refusal to overlook; the result says so."""
    batch: int = 8
    """Pictures measured at a time."""
    workers: int = 0
    """Processes that share the work; 0 measures in this one."""
    device: str = "cpu"
    """Where networks run: cpu, cuda, cuda:1."""
    keep: bool = False
    """Keep the values and features of every picture, in OUT.parts."""
    report: bool = True
    """Write a Markdown and a LaTeX table and a page with pictures too, beside the result."""
    weights: Annotated[WeightOptions, tyro.conf.arg(name="weights")] = field(default_factory=WeightOptions)
    """Weights of published networks."""

    def run(self) -> int:
        """Evaluate, print the figures, and say where the result is."""
        if self.protocol == "list":
            print(protocol_list())
            return 0
        result, path = evaluate_folder(self)
        print(figures(result))
        for note in result.notes:
            print(f"note: {note}", file=sys.stderr)
        print(path)
        if self.report:
            from toile.evaluation.reports.writing import report_files

            print(report_files(path).folder / "index.html")
        return 0

    def options(self) -> "EvaluationOptions":
        """The same as the library's function takes it."""
        from toile.data.exclusions import read_exclusions
        from toile.evaluation.metrics.backbones import Backbones
        from toile.evaluation.protocols.options import EvaluationOptions
        from toile.evaluation.protocols.regions import Regions

        given = {name: value for name, value in vars(self.weights).items() if value is not None}
        return EvaluationOptions(
            allowed=self.allow,
            metrics=self.metrics,
            exclusions=() if self.exclude is None else tuple(sorted(read_exclusions(self.exclude))),
            count=self.count,
            reference=self.reference,
            cut=self.cut,
            regions=Regions(folder=self.regions, parser=self.parser, device=self.device),
            backbones=Backbones(**given),
            device=self.device,
            batch_size=self.batch,
            workers=self.workers,
            keep=self.keep,
            name=self.name,
        )


def evaluate_folder(arguments: Evaluate) -> "tuple[EvaluationResult, Path]":
    """Do what the command does, and return the result and where it was written.

    Raises:
        ToileError: when the folder is refused, or something cannot be read.
    """
    from toile.errors import ToileError
    from toile.evaluation.protocols.catalogue import find_protocol
    from toile.evaluation.protocols.evaluate import evaluate

    if arguments.predictions is None:
        raise ToileError(
            "no folder of predictions was given; write toile evaluate PREDICTIONS --protocol NAME"
        )
    folder = arguments.predictions
    protocol = find_protocol(arguments.protocol, arguments.task)
    path = arguments.output or folder.parent / f"{folder.resolve().name}-{protocol.name}.json"
    if path.is_dir():
        path = path / f"{folder.resolve().name}-{protocol.name}.json"
    if arguments.report:
        from toile.evaluation.reports.writing import check_report_files, write_reports

        check_report_files(path)
    result = evaluate(
        folder, protocol, path, data=arguments.data, task=arguments.task, options=arguments.options()
    )
    if arguments.report:
        write_reports(result, path, predictions=folder, data=arguments.data)
    return result, path


def protocol_list() -> str:
    """Every protocol, one a line."""
    from toile.evaluation.protocols.catalogue import PROTOCOLS

    width = max(map(len, PROTOCOLS))
    return "\n".join(f"{name:{width}}  {protocol.title}" for name, protocol in PROTOCOLS.items())


def figures(result: "EvaluationResult") -> str:
    """The figures of a result, one metric a line: mean or set's figure, and interval."""
    lines = []
    for name, metric in result.metrics.items():
        found = result.sets[name] if metric.of_sets else result.summary[name]
        arrow = "↑" if metric.higher_is_better else "↓"
        lines.append(f"{metric.name} {arrow}  {found.value:.4f} [{found.low:.4f}, {found.high:.4f}]")
    return "\n".join(lines)
