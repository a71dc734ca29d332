"""Serves a study on this computer alone, and keeps each answer as it is given.

Only what this file names can be asked for: the page, a participant's form, pictures by their random names,
and answers. The key is never opened.
"""

import re
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from toile.data.json_lines import GrowingLines
from toile.errors import ToileError
from toile.evaluation.study.files import ANSWERS, PICTURES, read_study
from toile.evaluation.study.forms import check_answer, check_participant, letter, read_forms, shown_sets
from toile.local_page import LocalRequest, LocalServer

PICTURE_PATH = re.compile(r"/pictures/([0-9a-f]{12})\.png")


class OpenStudy:
    """A study that is being answered.

    Raises:
        ToileError: when there is none in the folder, its answers belong to another, or cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        """Take up what was answered before."""
        self.folder = folder
        self.study = read_study(folder)
        forms = read_forms(self.study, folder)
        self.answers = {form.participant: dict(form.choices) for form in forms}
        self.log = GrowingLines(folder / ANSWERS)
        self.pictures = {name for item in self.study.items for name in (*item.inputs, *item.results)}
        self.lock = threading.Lock()

    def form(self, participant: str) -> dict[str, Any]:
        """What a participant is shown, and has answered: random names alone."""
        answered = self.answers.get(participant, {})
        questions = range(len(self.study.questions))
        return {
            "participant": participant,
            "criteria": [question.criterion for question in self.study.questions],
            "sets": [
                {
                    "item": shown.item.identifier,
                    "inputs": list(shown.item.inputs),
                    "prompt": shown.item.prompt,
                    "results": list(shown.results),
                    "letters": [letter(place) for place in range(len(shown.results))],
                    "questions": [question.about(shown.item.prompt) for question in self.study.questions],
                    "answers": [answered.get((shown.item.identifier, number)) for number in questions],
                }
                for shown in shown_sets(self.study, participant)
            ],
        }

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Keep an answer; it is on the disk when this returns.

        Raises:
            ToileError: when it answers nothing that this participant is asked, or the disk refuses it.
        """
        answer = check_answer(self.study, request)
        with self.lock:
            self.log.append({**answer, "time": datetime.now(UTC).isoformat(timespec="milliseconds")})
            of_one = self.answers.setdefault(str(answer["participant"]), {})
            of_one[str(answer["item"]), int(str(answer["question"]))] = str(answer["choice"])
        return answer


class StudyServer(LocalServer):
    """Serves one study on this computer; `url` says where.

    Raises:
        ToileError: when the port is not free.
    """

    def __init__(self, study: OpenStudy, port: int = 0) -> None:
        """Take the port; 0 takes any that is free."""
        self.study = study
        super().__init__(StudyRequest, port)


class StudyRequest(LocalRequest):
    """Answers with the page, a participant's form, a picture, or what was kept of an answer."""

    server: StudyServer
    post_path = "/answers"

    def answer_get(self) -> None:
        """The page, a participant's form, or a picture."""
        address = urlsplit(self.path)
        if address.path == "/":
            self.send_page("toile.evaluation.study", "study_page.html")
        elif address.path == "/form":
            self._form(parse_qs(address.query).get("participant", [""])[0])
        elif (found := PICTURE_PATH.fullmatch(address.path)) and found[1] in self.server.study.pictures:
            self._picture(found[1])
        else:
            self.send_nothing()

    def answer_post(self, request: dict[str, Any]) -> dict[str, Any]:
        """An answer."""
        return self.server.study.answer(request)

    def _form(self, participant: str) -> None:
        try:
            form = self.server.study.form(check_participant(participant))
        except ToileError as error:
            self.send_json(400, {"error": str(error)})
        else:
            self.send_json(200, form)

    def _picture(self, name: str) -> None:
        try:
            content = (self.server.study.folder / PICTURES / f"{name}.png").read_bytes()
        except OSError:
            self.send_json(404, {"error": "the picture has been removed"})
        else:
            self.send_picture("image/png", content)
