import http.client
import json
import os
import re
from io import BytesIO
from pathlib import Path
from urllib.parse import quote

import pytest
from PIL import Image
from tests.browser import DESKTOP, PHONE, broken_pictures, browser, overflows

from toile.errors import ToileError
from toile.evaluation.study.files import read_key, read_study
from toile.evaluation.study.forms import read_forms
from toile.evaluation.study.server import OpenStudy, StudyServer
from toile.evaluation.study.tally import tally_study


def ask(server: StudyServer, method: str, target: str, body: bytes | None = None, **headers: str):
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    connection.request(method, target, body, {name.replace("_", "-"): text for name, text in headers.items()})
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer, content


def form_of(server: StudyServer, participant: str):
    return json.loads(ask(server, "GET", f"/form?participant={quote(participant)}")[1])


def post(server: StudyServer, request: object, **headers: str) -> int:
    kind = {"Content_Type": "application/json"} | headers
    return ask(server, "POST", "/answers", json.dumps(request).encode(), **kind)[0].status


def first_answer(form, place: int = 0):
    shown = form["sets"][0]
    return {
        "participant": form["participant"],
        "item": shown["item"],
        "question": 0,
        "choice": shown["results"][place],
    }


def test_nothing_that_is_served_says_who_made_what(serve, study_folder: Path) -> None:
    server = serve()
    answer, page = ask(server, "GET", "/")
    form = form_of(server, "Ann")
    assert answer.status == 200 and len(form["sets"]) == 4
    for content in (page, json.dumps(form).encode(), str(answer.headers).encode()):
        assert b"secret" not in content and b"zebra" not in content and b"multi" not in content
    for name in (*form["sets"][0]["inputs"], *form["sets"][0]["results"]):
        answer, content = ask(server, "GET", f"/pictures/{name}.png")
        assert answer.status == 200 and b"secret" not in content
        with Image.open(BytesIO(content)) as picture:
            assert picture.size == (24, 32)


@pytest.mark.parametrize(
    "target",
    [
        "/key.json",
        "/study.json",
        "/answers.jsonl",
        "/pictures/../key.json",
        "/pictures/000000000000.png",
        "/x",
    ],
)
def test_nothing_else_can_be_asked_for(target: str, serve) -> None:
    assert ask(serve(), "GET", target)[0].status == 404


def test_the_page_stands_alone_under_a_policy(serve) -> None:
    answer, page = ask(serve(), "GET", "/")
    nonce = re.search(r"script-src 'nonce-([^']+)'", answer.getheader("Content-Security-Policy"))
    assert nonce and f'nonce="{nonce[1]}"'.encode() in page and b"NONCE" not in page
    assert not re.search(rb"(src|href)=\"(?!data:)", page)


def test_an_answer_is_on_the_disk_at_once_and_survives_a_restart(serve, study_folder: Path) -> None:
    server = serve()
    form = form_of(server, "Ann")
    assert post(server, first_answer(form)) == 200
    (line,) = (study_folder / "answers.jsonl").read_text().splitlines()
    assert json.loads(line)["choice"] == form["sets"][0]["results"][0]
    with (study_folder / "answers.jsonl").open("a") as file:
        file.write('{"participant": "Ann", "it')  # a process that was killed while it wrote
    again = form_of(serve(), " Ann ")
    assert again["sets"][0]["answers"] == [form["sets"][0]["results"][0], None, None, None]
    assert [shown["item"] for shown in again["sets"]] == [shown["item"] for shown in form["sets"]]
    assert form_of(serve(), "Bob")["sets"][0]["answers"] == [None] * 4


def test_bad_answers_are_refused_and_not_kept(serve, study_folder: Path) -> None:
    server = serve()
    good = first_answer(form_of(server, "Ann"))
    assert post(server, {**good, "choice": "x"}) == 400
    assert post(server, [good]) == 400
    assert ask(server, "POST", "/answers", b"{", Content_Type="application/json")[0].status == 400
    assert ask(server, "POST", "/answers", b"x" * 3000, Content_Type="application/json")[0].status == 400
    assert (
        ask(server, "POST", "/answers", json.dumps(good).encode(), Content_Type="text/plain")[0].status == 404
    )
    assert post(server, good, Origin="http://elsewhere.example") == 403
    assert post(server, good, Host="elsewhere.example") == 403
    assert ask(server, "GET", "/form?participant=")[0].status == 400
    assert (study_folder / "answers.jsonl").read_bytes() == b""


def test_only_this_computer_is_served(serve) -> None:
    assert serve().server_address[0] == "127.0.0.1"


def test_a_taken_port_and_a_missing_study_are_said(serve, study_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ToileError, match="cannot be used"):
        StudyServer(OpenStudy(study_folder), serve().server_port)
    with pytest.raises(ToileError, match="does not exist"):
        OpenStudy(tmp_path)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_said(study_folder: Path) -> None:
    study_folder.chmod(0o500)
    with pytest.raises(ToileError, match="cannot be written"):
        OpenStudy(study_folder)
    study_folder.chmod(0o700)


def test_a_form_is_filled_in_by_keys_and_by_taps(serve, study_folder: Path) -> None:
    server, key = serve(), read_key(study_folder)
    with browser() as opened:
        for name, window in (("Ann", DESKTOP), ("Bea", PHONE)):
            page = opened.new_context(viewport=window).new_page()
            said: list[str] = []
            page.on("console", lambda message, said=said: said.append(message.text))
            page.on("pageerror", lambda error, said=said: said.append(str(error)))
            page.goto(server.url)
            page.fill("#name", name)
            page.click("text=Begin")
            page.wait_for_selector("#results img")
            assert broken_pictures(page) == [] and not overflows(page)
            assert "secret" not in page.content() and "zebra" not in page.content()
            assert page.is_disabled("#next")
            by_keys(page) if name == "Ann" else by_taps(page, server, key.pictures)
            page.wait_for_selector("#thanks:visible")
            assert said == []
    forms = {form.participant: form for form in read_forms(read_study(study_folder), study_folder)}
    assert forms["Ann"].letters == (0, 1, 2, 0) * 4 and forms["Bea"].complete
    tally = tally_study(study_folder)
    assert tally.valid == 2 and tally.shares["secret-ours"][0].value >= 50


def by_keys(page) -> None:
    """The letters answer question after question; a reload in the middle goes on at the first open set."""
    for number in range(4):
        for letter in ("a", "b", "3", "A"):
            page.keyboard.press(letter)
        page.wait_for_selector("text=saved >> visible=true")
        if number == 1:
            page.wait_for_function("document.getElementById('saved').textContent === 'saved'")
            page.reload()
            page.wait_for_selector("#results img")
            assert page.inner_text("#place") == "3 of 4"
        else:
            page.keyboard.press("Enter")


def by_taps(page, server: StudyServer, methods) -> None:
    """Always the first method; a tap on a picture shows it large."""
    page.click("#results img >> nth=1")
    assert page.is_visible("#large")
    page.click("#large")
    for number in range(4):
        assert page.inner_text("#place") == f"{number + 1} of 4"
        shown = form_of(server, "Bea")["sets"][number]
        place = [methods[name] for name in shown["results"]].index("secret-ours")
        for field in page.locator("#questions fieldset").all():
            field.locator("input").nth(place).check(force=True)
        page.click("#next")
