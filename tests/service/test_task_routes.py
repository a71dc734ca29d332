"""The tasks over HTTP, with a real model: the bundled one, a step or two."""

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import httpx
import numpy as np
import pytest
from PIL import Image
from tests.service.serving import pixels, png_of, serving

pytest.importorskip("fastapi", reason="the extra serve is not installed")

from toile.dolls import draw_doll
from toile.images import METADATA_KEY
from toile.service.desk import Desk
from toile.service.settings import TASKS, Settings
from toile.tasks.atelier import Atelier
from toile.tasks.drawing import Drawing
from toile.tasks.restore import RestoreRequest

STEPS = {"steps": "1", "guidance": "1"}


@pytest.fixture(scope="module")
def atelier():
    return Atelier()


@pytest.fixture(scope="module")
def desk(atelier):
    return Desk(atelier, Settings(batch=4, wait_ms=2000))


@pytest.fixture(scope="module")
def service(desk):
    with serving(desk) as client:
        yield client


@pytest.fixture(scope="module")
def doll():
    return draw_doll(10_000_001, category="upper")


@pytest.fixture(scope="module")
def files(doll):
    """What each task is sent."""
    person, garment = png_of(Image.fromarray(doll.person)), png_of(Image.fromarray(doll.garment))
    mask = png_of(Image.fromarray(doll.agnostic_mask))
    return {
        "restore": {"photo": person, "mask": mask},
        "takeoff": {"photo": person},
        "tryon": {"person": person, "garment": garment, "mask": mask},
        "swap": {"wearer": person, "target": person, "target_mask": mask},
        "dress": {"upper": garment},
    }


@pytest.mark.parametrize("task", TASKS)
def test_every_task_draws_a_picture_that_carries_its_settings(service, files, task):
    prompt = {"prompt": "a woman in a park"} if task == "dress" else {}
    answer = service.post(f"/v1/{task}", files=files[task], data=STEPS | prompt | {"seed": "7"})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "image/png"
    with Image.open(BytesIO(answer.content)) as picture:
        assert picture.size == (192, 256) and picture.mode == "RGB"
        told = json.loads(picture.text[METADATA_KEY])
    assert (told["task"], told["seed"], told["steps"], told["model"]) == (task, 7, 1, "tiny")


def test_json_brings_the_other_pictures_and_the_notes(service, files):
    data = STEPS | {"candidates": "2"}
    answer = service.post(
        "/v1/tryon", files=files["tryon"], data=data, headers={"Accept": "application/json"}
    )
    told = answer.json()
    pictures = {one["name"]: base64.b64decode(one["data"]) for one in told["pictures"]}
    assert list(pictures) == ["worn", "mask", "candidate-0", "candidate-1"]
    kept = told["settings"]["seed"]
    assert told["scores"][str(kept)] == min(told["scores"].values())
    assert np.array_equal(pixels(pictures["worn"]), pixels(pictures[f"candidate-{kept}"]))


def test_what_arrives_together_is_drawn_together_and_as_if_alone(service, desk, atelier, files, doll):
    drawing = Drawing(steps=1, guidance=1.0)
    alone = [
        atelier.run(
            [
                RestoreRequest(
                    photo=Image.fromarray(doll.person),
                    mask=Image.fromarray(doll.agnostic_mask),
                    seed=seed,
                    drawing=drawing,
                )
            ]
        )[0].main
        for seed in range(3)
    ]
    before = desk.metrics.registry.get_sample_value("toile_batch_size_count")

    def ask(seed: int) -> httpx.Response:
        return service.post("/v1/restore", files=files["restore"], data=STEPS | {"seed": str(seed)})

    blocker = {"files": files["takeoff"], "data": STEPS | {"steps": "2"}}
    with ThreadPoolExecutor(4) as clients:
        first = clients.submit(lambda: service.post("/v1/takeoff", **blocker))
        answers = list(clients.map(ask, range(3)))
    assert first.result().status_code == 200
    for picture, answer in zip(alone, answers, strict=True):
        assert np.abs(np.asarray(picture).astype(int) - pixels(answer.content)).max() <= 1
    after = desk.metrics.registry.get_sample_value("toile_batch_size_count")
    assert after - before < 4, "four requests, each by itself"


@pytest.mark.parametrize(
    ("data", "status", "said"),
    [
        ({"size": "99x99"}, 422, "multiples of"),
        ({"steps": "500"}, 422, "steps is 500; this service allows at most 100"),
        ({"steps": "5000"}, 422, "steps is 5000; this service allows at most 100"),
        ({"size": "2048x2048"}, 422, "at most 1.1 megapixels"),
        ({"category": "hat"}, 422, "'category'"),
        ({"seed": "-1"}, 422, "'seed'"),
        ({"colour": "red"}, 422, "field 'colour' is unknown"),
        ({"url": "http://127.0.0.1/x.png"}, 422, "field 'url' is unknown"),
        ({"photo": "/etc/passwd"}, 422, "field 'photo' is no file"),
        ({}, 422, "field 'photo' is missing"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(service, files, data, status, said):
    sent = {} if data == {} or "photo" in data else {"photo": files["takeoff"]["photo"]}
    form = {name: (None, value) for name, value in (STEPS | data).items()} | {
        name: (f"{name}.png", content) for name, content in sent.items()
    }
    answer = service.post("/v1/takeoff", files=form)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert set(told) == {"title", "status", "detail"} and told["status"] == status
    assert said in told["detail"] and "\n" not in told["detail"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty file"),
        (b"GIF89a" + bytes(40), "JPEG, PNG, WebP or TIFF"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\n", "JPEG, PNG, WebP or TIFF"),
        (png_of(Image.effect_noise((40, 40), 90))[:600], "photo is damaged or cut short"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\xff\xff\0\0\xff\xff\x08\2\0\0\0", "photo"),
    ],
)
def test_a_file_that_is_no_sound_picture_is_refused(service, content, said):
    answer = service.post("/v1/takeoff", files={"photo": ("a.png", content)}, data=STEPS)
    assert answer.status_code == 422 and said in answer.json()["detail"]


def test_an_outfit_that_the_service_does_not_keep_is_refused(service, files):
    data = STEPS | {"prompt": "a man", "wear": "../../etc/passwd"}
    answer = service.post("/v1/dress", files=files["dress"], data=data)
    assert answer.status_code == 422 and "this service keeps none" in answer.json()["detail"]


def test_kinds_and_garments_have_to_fit(service, files):
    form = [("garment", ("a.png", files["dress"]["upper"])), ("prompt", (None, "a man"))]
    answer = service.post("/v1/dress", files=form)
    assert answer.status_code == 422 and "send a kind for each" in answer.json()["detail"]


def test_no_answer_can_be_had_as_a_web_page(service, files):
    answer = service.post("/v1/takeoff", files=files["takeoff"], data=STEPS, headers={"Accept": "text/html"})
    assert answer.status_code == 406
