"""`toile study`: AnyDressing's user study, made from folders of results, served here, and counted."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from toile.cli.positional import several
from toile.errors import ToileError

if TYPE_CHECKING:
    from toile.evaluation.study.server import StudyServer

Style = Literal["markdown", "latex"]


@dataclass(frozen=True, kw_only=True)
class StudyMake:
    """Make a blind study from folders of results: one folder a method, files of the same names.

    Pictures are written anew under random names. Which method drew which stays in key.json, which is never
    served. Files in subfolders form groups, of which every participant is shown equally many sets.
    """

    folders: Annotated[tuple[Path, ...], tyro.conf.Positional, several("FOLDER")]
    """Results, one folder a method; its name is the method's in the table."""
    output: Annotated[Path, tyro.conf.arg(aliases=["-o"], metavar="OUT")]
    """The study's folder, a new one."""
    inputs: Annotated[tuple[Path, ...], tyro.conf.arg(metavar="FOLDER [FOLDER...]")] = ()
    """Folders of reference garments, files named as the results; each shows one picture a set."""
    prompts: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None
    """What results were made from: a JSON object, or JSON lines with identifier and prompt, by file name."""
    questions: Annotated[tuple[str, ...], tyro.conf.arg(metavar="QUESTION [QUESTION...]")] = ()
    """Each as "CRITERION: TEXT"; {prompt} stands for the prompt. Left out: the paper's four."""
    sets: int = 50
    """Sets that each participant is shown, at most."""
    seed: int | None = None
    """Decides all names and orders. Left out: drawn."""

    def run(self) -> int:
        """Make the study, and say how to go on."""
        from toile.evaluation.study.make import make_study, read_prompts
        from toile.evaluation.study.questions import parse_questions

        asked = parse_questions(self.questions)
        study = make_study(
            self.folders,
            self.output,
            inputs=self.inputs,
            prompts=read_prompts(self.prompts) if self.prompts is not None else None,
            questions=asked,
            sets=self.sets,
            seed=self.seed,
        )
        for question in asked:
            if question not in study.questions:
                print(
                    f"note: {question.criterion!r} is not asked, since there are no --prompts",
                    file=sys.stderr,
                )
        each = min(study.sets, len(study.items))
        print(f"{self.output}: {len(study.items)} sets, {each} for each participant")
        print(f"toile study serve {self.output}")
        return 0


@dataclass(frozen=True, kw_only=True)
class StudyServe:
    """Serve a study's page on this computer until Ctrl-C; each answer is on the disk at once.

    Participants enter a name, and go on where they were when they enter it again.
    """

    study: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="OUT")]
    """What `toile study make` made."""
    port: int = 0
    """Port of the page; 0 takes a free one."""
    browser: bool = True
    """Whether to open the page in a browser."""

    def run(self) -> int:
        """Serve the page until Ctrl-C, and say how many have answered."""
        server = open_study(self.study, port=self.port)
        server.serve_until_interrupted(browser=self.browser)
        print(f"{len(server.study.answers)} participants, in {server.study.log.path}", file=sys.stderr)
        return 0


@dataclass(frozen=True, kw_only=True)
class StudyTally:
    """Print how often each method was preferred, as the paper's Table 2, with intervals over participants.

    Forms with one letter throughout, identical forms and unfinished ones are left out, and named.
    """

    study: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="OUT")]
    """What `toile study make` made, with answers."""
    style: Style = "markdown"
    """How the table is printed."""

    def run(self) -> int:
        """Print the table, and the forms that were left out."""
        from toile.evaluation.study.tally import tally_study, tally_to_latex, tally_to_markdown

        tally = tally_study(self.study)
        print(tally_to_markdown(tally) if self.style == "markdown" else tally_to_latex(tally))
        for participant, reason in tally.invalid.items():
            print(f"note: left out {participant}: {reason}", file=sys.stderr)
        return 0


@dataclass(frozen=True)
class Study:
    """The user study of AnyDressing: which of several methods' results do people prefer?"""

    command: (
        Annotated[StudyMake, tyro.conf.subcommand("make")]
        | Annotated[StudyServe, tyro.conf.subcommand("serve")]
        | Annotated[StudyTally, tyro.conf.subcommand("tally")]
    )
    """What to do."""

    def run(self) -> int:
        """Run the chosen command."""
        return self.command.run()


def open_study(folder: Path, *, port: int = 0) -> "StudyServer":
    """Open a study's page; the arguments are those of `StudyServe`.

    Returns:
        A server that listens already; its `serve_forever()` answers, its `url` is the page's.

    Raises:
        ToileError: when there is no study, or the port cannot be used.
    """
    from toile.evaluation.study.server import OpenStudy, StudyServer

    if not 0 <= port <= 65535:
        raise ToileError(f"port is {port}; it must lie between 0 and 65535")
    return StudyServer(OpenStudy(folder), port)
