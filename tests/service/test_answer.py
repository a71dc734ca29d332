import base64
import json
from email import message_from_bytes
from io import BytesIO

import pytest
from PIL import Image

pytest.importorskip("fastapi", reason="the extra serve is not installed")

from toile.images import METADATA_KEY
from toile.service.answer import JSON, MIXED, PNG, encode, respond, wanted_kind
from toile.service.private_paths import PrivatePaths
from toile.service.problems import Problem
from toile.tasks.models import Models
from toile.tasks.result import Result


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        (None, PNG),
        ("*/*", PNG),
        ("image/*", PNG),
        ("application/json", JSON),
        ("Application/JSON; charset=utf-8", JSON),
        ("multipart/mixed", MIXED),
        ("image/png;q=0.5, application/json", JSON),
        ("application/json;q=0.1, */*;q=0.5", PNG),
        ("text/html, */*;q=0.1", PNG),
        ("image/png;q=0, */*", JSON),
    ],
)
def test_a_client_gets_what_it_would_rather_have(accept, kind):
    assert wanted_kind(accept) == kind


@pytest.mark.parametrize("accept", ["text/html", "image/jpeg, image/webp", "image/png;q=0", "image/png;q=x"])
def test_a_client_that_takes_nothing_of_it_is_told_so(accept):
    with pytest.raises(Problem, match="image/png, application/json") as refused:
        wanted_kind(accept)
    assert refused.value.status_code == 406


@pytest.fixture
def answer(tmp_path):
    model = tmp_path / "secret" / "our-igr"
    model.mkdir(parents=True)
    result = Result(
        pictures={"worn": Image.new("RGB", (4, 6), "red"), "mask": Image.new("L", (4, 6), 255)},
        metadata={"model": str(model), "seed": 3, "restorer": {"model": str(model)}},
        notes=(f"the parser {model} found it",),
        scores={3: 0.25, 4: 0.5},
        candidates={3: Image.new("RGB", (4, 6), "red"), 4: Image.new("RGB", (4, 6), "blue")},
    )
    return encode(result, PrivatePaths(Models(igr=str(model))))


def test_the_png_carries_its_settings_and_no_path_of_the_machine(answer):
    response = respond(answer, PNG)
    with Image.open(BytesIO(response.body)) as picture:
        assert picture.getpixel((0, 0)) == (255, 0, 0)
        assert json.loads(picture.text[METADATA_KEY]) == answer.settings
    assert answer.settings == {"model": "our-igr", "seed": 3, "restorer": {"model": "our-igr"}}
    assert answer.notes == ("the parser our-igr found it",)


def test_json_has_every_picture_once(answer):
    told = json.loads(respond(answer, JSON).body)
    names = [picture["name"] for picture in told["pictures"]]
    assert names == ["worn", "mask", "candidate-3", "candidate-4"]
    with Image.open(BytesIO(base64.b64decode(told["pictures"][3]["data"]))) as blue:
        assert blue.getpixel((0, 0)) == (0, 0, 255)
        assert json.loads(blue.text[METADATA_KEY])["seed"] == 4
    assert told["scores"] == {"3": 0.25, "4": 0.5}


def test_the_parts_of_multipart_are_read_by_somebody_elses_parser(answer):
    response = respond(answer, MIXED)
    kind = f"Content-Type: {response.headers['content-type']}\r\n\r\n"
    described, *pictures = message_from_bytes(kind.encode() + response.body).get_payload()
    assert json.loads(described.get_payload(decode=True)) == {
        "settings": answer.settings,
        "notes": list(answer.notes),
        "scores": {"3": 0.25, "4": 0.5},
    }
    assert [part.get_filename() for part in pictures][:2] == ["worn.png", "mask.png"]
    assert [part.get_payload(decode=True) for part in pictures] == list(answer.pictures.values())
