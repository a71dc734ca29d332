"""Limits as clients meet them; a stand-in draws, so that it can be slow."""

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from PIL import Image
from tests.service.serving import PHOTO, png_of, serving, wait_for
from tests.service.stand_in import StandIn

pytest.importorskip("fastapi", reason="the extra serve is not installed")

from toile.service.desk import Desk
from toile.service.limits import Limits
from toile.service.settings import Settings
from toile.tasks.models import Models


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wardrobe")
    (folder / "sunday.safetensors").write_bytes(b"")
    return StandIn(seconds=0.02, models=Models(wardrobe=folder))


@pytest.fixture(scope="module")
def service(stand_in):
    limits = Limits(
        max_work_seconds=0.4,
        max_queue_seconds=0.3,
        max_megabytes=0.1,
        max_megapixels=0.001,
        max_garments=2,
        max_candidates=2,
    )
    with serving(Desk(stand_in, Settings(limits=limits, batch=1))) as client:
        yield client


def test_work_that_takes_too_long_is_stopped_and_told_of(service, stand_in):
    before, began = stand_in.steps, time.monotonic()
    answer = service.post("/v1/restore", files=PHOTO, data={"steps": "100"})
    assert answer.status_code == 504 and "0.4 seconds" in answer.json()["detail"]
    assert time.monotonic() - began < 1.5 and stand_in.steps - before < 60


def test_who_waits_too_long_is_told_when_to_come_back(service):
    with ThreadPoolExecutor(2) as clients:
        first = clients.submit(service.post, "/v1/restore", files=PHOTO, data={"steps": "100"})
        wait_for(lambda: "toile_work_seconds" in service.get("/metrics").text)
        time.sleep(0.05)
        second = service.post("/v1/restore", files=PHOTO, data={"steps": "1"})
    assert first.result().status_code == 504
    assert second.status_code == 503 and int(second.headers["retry-after"]) >= 1


def test_a_body_that_is_too_large_is_refused_whether_or_not_it_says_so(service):
    large = png_of(Image.effect_noise((400, 400), 90))
    assert service.post("/v1/restore", files={"photo": large}).status_code == 413

    def parts():
        yield b'--x\r\nContent-Disposition: form-data; name="photo"; filename="a"\r\n\r\n'
        for _ in range(40):
            yield bytes(10_000)
        yield b"\r\n--x--\r\n"

    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = service.post("/v1/restore", content=parts(), headers=headers)
    assert answer.status_code == 413 and "100,000 bytes" in answer.json()["detail"]


def test_pixels_count_for_all_pictures_together(service):
    small = png_of(Image.new("RGB", (25, 25)))
    assert service.post("/v1/restore", files={"photo": small}, data={"steps": "1"}).status_code == 200
    both = {"photo": small, "mask": small}
    answer = service.post("/v1/restore", files=both, data={"steps": "1"})
    assert answer.status_code == 422
    assert "mask has 25×25 pixels, which makes 1,250 in all" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("task", "fields", "said"),
    [
        ("dress", ["upper", "upper", "lower"], "the number of garments is 3"),
        ("tryon", ["person", "garment"], "candidates is 3"),
    ],
)
def test_numbers_are_checked_before_a_request_is_accepted(service, task, fields, said):
    form = [(field, ("a.png", png_of())) for field in fields]
    data = {"dress": {"prompt": "a man"}, "tryon": {"candidates": "3"}}[task]
    answer = service.post(f"/v1/{task}", files=form, data=data)
    assert answer.status_code == 422 and said in answer.json()["detail"]


@pytest.mark.parametrize("name", ["monday", "../sunday", "sunday.safetensors", ""])
def test_outfits_are_known_by_name_alone(service, name, stand_in):
    answer = service.post("/v1/dress", files={"wear": (None, name), "prompt": (None, "a man")})
    assert answer.status_code == 422
    assert str(stand_in.models.wardrobe) not in answer.text


def test_an_outfit_that_is_kept_may_be_worn(service):
    data = {"wear": "sunday", "prompt": "a man", "steps": "1"}
    answer = service.post("/v1/dress", files={name: (None, value) for name, value in data.items()})
    assert answer.status_code == 200
