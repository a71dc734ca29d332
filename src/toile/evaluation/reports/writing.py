"""Writes everything about a result that is to be read, beside its JSON."""

from dataclasses import dataclass
from pathlib import Path

from toile.errors import ToileError
from toile.evaluation.protocols.result import EvaluationResult
from toile.evaluation.reports.html import write_report
from toile.evaluation.reports.latex import to_latex
from toile.evaluation.reports.markdown import to_markdown
from toile.evaluation.reports.page import check_page_folder
from toile.evaluation.reports.truths import truths_of
from toile.files import write_text


@dataclass(frozen=True, kw_only=True)
class ReportFiles:
    """Where the reports of a result lie."""

    markdown: Path
    """The table as Markdown."""
    latex: Path
    """The table as LaTeX."""
    folder: Path
    """The page's folder."""


def report_files(result_path: Path) -> ReportFiles:
    """Where the reports of a result are written: beside its JSON, named after it."""
    return ReportFiles(
        markdown=result_path.with_suffix(".md"),
        latex=result_path.with_suffix(".tex"),
        folder=result_path.with_name(f"{result_path.stem}-report"),
    )


def write_reports(
    result: EvaluationResult, result_path: Path, *, predictions: Path, data: str | None = None
) -> Path:
    """Write the Markdown and LaTeX tables and the page of a result.

    Args:
        result: what was measured.
        result_path: its JSON.
        predictions: the folder of predictions.
        data: the dataset, as the evaluation was given it; None for the protocol's own dolls.

    Returns:
        The page's file.

    Raises:
        ToileError: when something cannot be written, or the page's folder holds something else.
    """
    files = report_files(result_path)
    check_page_folder(files.folder)
    write_text(to_markdown([result]), files.markdown)
    write_text(to_latex([result]), files.latex)
    return write_report(result, files.folder, predictions=predictions, truths=truths_of(result, data))


def check_report_files(result_path: Path) -> None:
    """See before an evaluation begins that its reports can be written.

    Raises:
        ToileError: when the page's folder holds something else, or the JSON is named as one of them.
    """
    files = report_files(result_path)
    if result_path in (files.markdown, files.latex):
        raise ToileError(f"{result_path} is the name of a table; give the result a name in .json")
    check_page_folder(files.folder)
