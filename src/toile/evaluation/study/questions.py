"""What participants are asked, and which answers make a form invalid."""

from collections.abc import Sequence
from dataclasses import dataclass

from toile.errors import ToileError

PROMPT = "{prompt}"
"""Stands in a question for the text that the picture was made from."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """One question about a set of results."""

    criterion: str
    """The head of its column in the table."""
    text: str
    """What is asked; may contain `{prompt}`."""

    @property
    def needs_prompt(self) -> bool:
        """Whether it speaks of the text that the picture was made from."""
        return PROMPT in self.text

    def about(self, prompt: str) -> str:
        """The question about one item."""
        return self.text.replace(PROMPT, prompt)


QUESTIONS = (
    Question(
        criterion="Texture Consistency",
        text="Which result appears to have the highest consistency with the reference garments?",
    ),
    Question(criterion="Align with Prompt", text="Which result best matches the prompt “{prompt}”?"),
    Question(criterion="Image Quality", text="Which result appears to have the highest image quality?"),
    Question(
        criterion="Comprehensive Evaluation",
        text="Which result matches your best choice based on comprehensive considerations?",
    ),
)
"""The four of the paper. Source: AnyDressing (arXiv 2412.04146), Sec. 7.3; the columns of its Table 2."""


def parse_questions(texts: Sequence[str]) -> tuple[Question, ...]:
    """Read questions written as "CRITERION: TEXT"; none at all means the paper's four.

    Raises:
        ToileError: when one is written otherwise, or two have one criterion.
    """
    if not texts:
        return QUESTIONS
    questions = []
    for text in texts:
        criterion, colon, question = (part.strip() for part in text.partition(":"))
        if not colon or not criterion or not question:
            raise ToileError(
                f"{text!r} is no question; write CRITERION: TEXT, as 'Quality: Which looks best?'"
            )
        questions.append(Question(criterion=criterion, text=question))
    if len({question.criterion for question in questions}) < len(questions):
        raise ToileError("two questions have one criterion; give each a name of its own")
    return tuple(questions)
