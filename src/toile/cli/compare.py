"""`toile compare`: results side by side, and whether chance explains their differences."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from toile.cli.positional import several
from toile.errors import ToileError

if TYPE_CHECKING:
    from toile.evaluation.protocols.result import EvaluationResult
    from toile.evaluation.reports.compare import Comparison

Style = Literal["markdown", "latex"]


@dataclass(frozen=True, kw_only=True)
class Compare:
    """Print results side by side, and what the first gains on each other one, on the same pictures.

    Differences come with paired bootstrap intervals and the p-value of a sign-flip test. Results that were
    not measured alike are refused unless `--different-protocols` is given; then what differs is said first.
    """

    results: Annotated[tuple[Path, ...], tyro.conf.Positional, several("RESULT")]
    """JSON files that `toile evaluate` wrote, the one to look at first."""
    different_protocols: bool = False
    """Compare results that were not measured alike."""
    style: Style = "markdown"
    """How tables are printed."""
    output: Annotated[Path | None, tyro.conf.arg(aliases=["-o"], metavar="FOLDER")] = None
    """Write a page there too, with the systems' pictures side by side, sorted by difference."""
    predictions: Annotated[tuple[Path, ...], tyro.conf.arg(metavar="FOLDER [FOLDER...]")] = ()
    """The folders of predictions, for the page. Left out: the folders that the results name, beside them."""
    data: Annotated[str | None, tyro.conf.arg(metavar="PATH")] = None
    """The dataset, for inputs and targets on the page. Left out: the dolls that the protocol prescribes."""

    def run(self) -> int:
        """Print the tables, write the page, and say where it is."""
        folders = prediction_folders(self) if self.output is not None else []
        comparisons = compare_results(self.results, different_protocols=self.different_protocols)
        print(tables(comparisons, self.style))
        for remark in dict.fromkeys(remark for one in comparisons for remark in one.remarks):
            print(f"note: {remark}", file=sys.stderr)
        if self.output is not None:
            from toile.evaluation.reports.compare_page import write_comparison
            from toile.evaluation.reports.truths import truths_of

            truths = truths_of(comparisons[0].first, self.data)
            print(write_comparison(comparisons, self.output, predictions=folders, truths=truths))
        return 0


def compare_results(paths: tuple[Path, ...], *, different_protocols: bool = False) -> "list[Comparison]":
    """Read results and compare the first with each other one.

    Raises:
        ToileError: when there are not two, one cannot be read, or they were not measured alike.
    """
    from toile.evaluation.protocols.result import read_result
    from toile.evaluation.reports.compare import compare

    if len(paths) < 2:
        raise ToileError(f"{len(paths)} results were given; name at least two files of `toile evaluate`")
    first, *others = [read_result(path) for path in paths]
    return [compare(first, other, different_protocols=different_protocols) for other in others]


def tables(comparisons: "list[Comparison]", style: Style = "markdown") -> str:
    """Everything that is printed: what differs between protocols, figures, and differences."""
    from toile.evaluation.reports import differences
    from toile.evaluation.reports.compare import protocol_differences
    from toile.evaluation.reports.latex import to_latex
    from toile.evaluation.reports.markdown import to_markdown

    results = [comparisons[0].first, *(comparison.second for comparison in comparisons)]
    if style == "latex":
        return f"{to_latex(results)}\n{differences.differences_to_latex(comparisons)}"
    parts = []
    for comparison in comparisons:
        differing = protocol_differences(comparison.first, comparison.second)
        if differing:
            names = comparison.first.system, comparison.second.system
            parts.append(differences.fields_to_markdown(differing, *names))
    return "\n".join([*parts, to_markdown(results), differences.differences_to_markdown(comparisons)])


def prediction_folders(arguments: Compare) -> list[Path]:
    """Where the predictions of each result lie: as given, or beside the result, or below `pictures` there.

    Raises:
        ToileError: when one cannot be found.
    """
    from toile.evaluation.protocols.result import read_result

    if arguments.predictions:
        if len(arguments.predictions) != len(arguments.results):
            raise ToileError(
                f"{len(arguments.results)} results need as many folders of predictions, "
                f"not {len(arguments.predictions)}"
            )
        missing = next((path for path in arguments.predictions if not path.is_dir()), None)
        if missing is not None:
            raise ToileError(f"{missing} is no folder of predictions; check the name")
        return list(arguments.predictions)
    return [_beside(path, read_result(path)) for path in arguments.results]


def _beside(path: Path, result: "EvaluationResult") -> Path:
    for folder in (path.parent / result.predictions, path.parent / "pictures" / result.predictions):
        if folder.is_dir():
            return folder
    raise ToileError(
        f"the predictions of {path}, {result.predictions}, are not beside it; "
        "name every folder with --predictions"
    )
