"""Counts the valid forms of a study, as Table 2 of AnyDressing does, with intervals."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from toile.errors import ToileError
from toile.evaluation.bootstrap import bootstrap_mean
from toile.evaluation.protocols.result import Summary
from toile.evaluation.reports import latex, markdown
from toile.evaluation.reports.table import interval_text, number
from toile.evaluation.study.files import read_key, read_study
from toile.evaluation.study.forms import Form, invalid_forms, read_forms

DECIMALS = 2
"""Of a percentage. Source: Table 2."""


@dataclass(frozen=True, kw_only=True)
class Tally:
    """How often each method was preferred."""

    criteria: tuple[str, ...]
    """The columns."""
    shares: Mapping[str, tuple[Summary, ...]]
    """By method: the share of answers that chose it, in percent, with its interval, for each criterion."""
    valid: int
    """How many forms were counted."""
    invalid: Mapping[str, str]
    """The participants whose forms were not, and why."""


def tally_study(folder: Path) -> Tally:
    """Count a study's valid forms.

    The share is the mean over participants of the share of their sets. `Ours:` intervals resample
    participants, since one person's answers hang together.

    Raises:
        ToileError: when there is no study, or no valid form yet.
    """
    study, key = read_study(folder), read_key(folder)
    forms = read_forms(study, folder)
    invalid = invalid_forms(forms)
    valid = [form for form in forms if form.participant not in invalid]
    if not valid:
        said = "; ".join(f"{name}: {reason}" for name, reason in invalid.items()) or "nobody has answered"
        raise ToileError(f"{folder} has no valid form yet ({said}); fill some in with `toile study serve`")
    shares = {
        method: tuple(
            _share([_preferred(form, key.pictures, method, place) for form in valid])
            for place in range(len(study.questions))
        )
        for method in key.methods
    }
    criteria = tuple(question.criterion for question in study.questions)
    return Tally(criteria=criteria, shares=shares, valid=len(valid), invalid=invalid)


def _preferred(form: Form, pictures: Mapping[str, str], method: str, question: int) -> float:
    """The share of a participant's sets in which a method was chosen, in percent."""
    chosen = [pictures[choice] for (_, asked), choice in form.choices.items() if asked == question]
    return 100 * sum(found == method for found in chosen) / len(chosen)


def _share(shares: Sequence[float]) -> Summary:
    """The mean with its interval, which takes two participants."""
    if len(shares) < 2:
        return Summary(value=shares[0], low=math.nan, high=math.nan)
    found = bootstrap_mean(np.array(shares, np.float64))
    return Summary(value=found.mean, low=found.low, high=found.high)


def tally_to_markdown(tally: Tally) -> str:
    """The table as Markdown, the most preferred in bold."""
    head = ["Method", *(f"{markdown.escape(criterion)} ↑" for criterion in tally.criteria)]
    body = [
        [markdown.escape(method)]
        + [
            _markdown_cell(share, _leads(tally, place, share))
            for place, share in enumerate(tally.shares[method])
        ]
        for method in tally.shares
    ]
    return f"{markdown.markdown_table(head, body)}\n\n{markdown.escape(caption(tally))}\n"


def tally_to_latex(tally: Tally) -> str:
    """The table as LaTeX, the most preferred in bold."""
    head = ["Method", *(rf"{latex.escape(criterion)} $\uparrow$" for criterion in tally.criteria)]
    body = [
        [latex.escape(method)]
        + [
            _latex_cell(share, _leads(tally, place, share))
            for place, share in enumerate(tally.shares[method])
        ]
        for method in tally.shares
    ]
    return latex.latex_table(head, body, latex.escape(f"User study. {caption(tally)}"))


def caption(tally: Tally) -> str:
    """What stands below the table."""
    forms = f"{tally.valid:,} valid form{'s' if tally.valid != 1 else ''}"
    left_out = f", {len(tally.invalid):,} left out" if tally.invalid else ""
    return f"Share of answers, {forms}{left_out}. In brackets: 95% bootstrap intervals over participants."


def _leads(tally: Tally, place: int, share: Summary) -> bool:
    return share.value == max(of_method[place].value for of_method in tally.shares.values())


def _markdown_cell(share: Summary, leads: bool) -> str:
    text = f"{number(share.value, DECIMALS)}%"
    behind = markdown.escape(interval_text(share, DECIMALS))
    return " ".join(filter(None, (f"**{text}**" if leads else text, behind)))


def _latex_cell(share: Summary, leads: bool) -> str:
    text = latex.escape(f"{number(share.value, DECIMALS)}%")
    ends = interval_text(share, DECIMALS)
    behind = rf" {{\scriptsize {latex.escape(ends)}}}" if ends else ""
    return (rf"\textbf{{{text}}}" if leads else text) + behind
