"""Jobs over HTTP; a stand-in draws, so that it can be held back and told how long to take."""

import time

import pytest
from tests.service.serving import PHOTO, pixels, serving, wait_for
from tests.service.stand_in import UNKNOWN_SEED, StandIn

pytest.importorskip("fastapi", reason="the extra serve is not installed")

from toile.service.desk import Desk
from toile.service.settings import Settings


@pytest.fixture(scope="module")
def stand_in():
    return StandIn()


@pytest.fixture(scope="module")
def desk(stand_in):
    return Desk(stand_in, Settings(queue=3))


@pytest.fixture(scope="module")
def service(desk):
    with serving(desk) as client:
        yield client


@pytest.fixture(autouse=True)
def afterwards_nothing_is_left(stand_in, desk):
    stand_in.seconds = 0.0
    yield
    stand_in.go.set()
    wait_for(lambda: not desk.worker.current and not len(desk.line))


def start(service, **data: str):
    answer = service.post("/v1/jobs/restore", files=PHOTO, data={"steps": "2"} | data)
    assert answer.status_code == 202, answer.text
    assert answer.headers["location"] == f"/v1/jobs/{answer.json()['id']}"
    return answer.headers["location"], answer.json()


def state(service, job: str) -> dict:
    return service.get(job).json()


def test_a_job_goes_from_the_queue_to_its_result(service, stand_in):
    stand_in.go.clear()
    first, told = start(service)
    assert told["task"] == "restore" and told["total_steps"] == 2 and told["result"] is None
    wait_for(lambda: state(service, first)["state"] == "running")
    second, told = start(service, seed="9")
    assert (told["state"], told["position"], told["progress"]) == ("queued", 1, 0)
    early = service.get(f"{second}/result")
    assert early.status_code == 409 and int(early.headers["retry-after"]) >= 1
    stand_in.go.set()
    done = wait_for(lambda: (told := state(service, second))["state"] == "done" and told)
    assert done["progress"] == 1 and done["result"] == f"{second}/result" and done["problem"] is None
    for _ in range(2):  # it may be fetched again
        picture = service.get(done["result"])
        assert picture.status_code == 200 and pixels(picture.content)[0, 0].tolist() == [9, 0, 0]
    assert service.get(done["result"], headers={"Accept": "application/json"}).json()["notes"] == ["a note"]
    assert service.delete(second).status_code == 204
    assert service.get(second).status_code == service.get(f"{second}/result").status_code == 404


def test_progress_is_told_step_by_step(service, stand_in):
    stand_in.seconds = 0.02
    job, _ = start(service, steps="20")
    seen = set()
    wait_for(lambda: seen.add((told := state(service, job))["progress"]) or told["state"] == "done")
    assert len(seen) > 3 and max(seen) == 1


def test_a_job_that_is_deleted_stops(service, stand_in, desk):
    stand_in.seconds = 0.02
    before = stand_in.steps
    job, _ = start(service, steps="100")
    wait_for(lambda: state(service, job)["progress"] > 0)
    assert service.delete(job).status_code == 204
    wait_for(lambda: not desk.worker.current, 1)
    assert stand_in.steps - before < 50
    cancelled = {"task": "restore", "outcome": "cancelled"}
    assert desk.metrics.registry.get_sample_value("toile_settled_total", cancelled) >= 1


def test_a_job_that_waits_and_is_deleted_leaves_the_queue(service, stand_in, desk):
    stand_in.go.clear()
    start(service)
    wait_for(lambda: desk.worker.current)
    job, _ = start(service, seed="77")
    assert len(desk.line) == 1
    service.delete(job)
    assert len(desk.line) == 0
    stand_in.go.set()
    wait_for(lambda: not desk.worker.current)
    assert not any(77 in batch for batch in stand_in.batches)


def test_a_job_that_fails_says_why(service):
    job, _ = start(service, seed=str(UNKNOWN_SEED))
    told = wait_for(lambda: (told := state(service, job))["state"] == "failed" and told)
    assert told["problem"]["status"] == 422 and "remains" in told["problem"]["detail"]
    answer = service.get(f"{job}/result")
    assert answer.status_code == 422 and answer.json() == told["problem"]


def test_a_full_queue_is_polite(service, stand_in, desk):
    stand_in.go.clear()
    start(service)
    wait_for(lambda: desk.worker.current)
    waiting = [start(service)[0] for _ in range(3)]
    for path in ("/v1/jobs/restore", "/v1/restore"):
        refused = service.post(path, files=PHOTO)
        assert refused.status_code == 429 and int(refused.headers["retry-after"]) >= 1
        assert refused.headers["content-type"] == "application/problem+json"
    assert service.get("/ready").status_code == 503 and service.get("/health").status_code == 200
    stand_in.go.set()
    assert all(wait_for(lambda job=job: state(service, job)["state"] == "done") for job in waiting)
    assert service.get("/ready").status_code == 200


def test_a_client_that_goes_away_cancels_its_request(service, stand_in, desk):
    import httpx

    stand_in.seconds = 0.02
    before = stand_in.steps
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(
            f"{service.base_url}/v1/restore", files=PHOTO, data={"steps": "100"}, timeout=0.3, trust_env=False
        )
    began = time.monotonic()
    wait_for(lambda: not desk.worker.current)
    assert time.monotonic() - began < 1 and stand_in.steps - before < 70


@pytest.mark.parametrize("job", ["restore", "1", "0b8f8a4e-4a4e-4b5c-9d1e-3f1d2c7a9b60", "../../etc/passwd"])
def test_an_unknown_job_is_not_found(service, job):
    answer = service.get(f"/v1/jobs/{job}/result")
    assert answer.status_code == 404 and answer.headers["content-type"] == "application/problem+json"
