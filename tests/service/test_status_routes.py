import pytest
from tests.service.serving import PHOTO, serving, wait_for
from tests.service.stand_in import StandIn

pytest.importorskip("fastapi", reason="the extra serve is not installed")
from prometheus_client.parser import text_string_to_metric_families

from toile import __version__
from toile.service.desk import Desk
from toile.service.limits import Limits
from toile.service.settings import Settings


def figures(text: str) -> dict[tuple[str, ...], float]:
    """Every sample by its name and the values of its labels."""
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_prometheus_reads_what_was_done():
    with serving(Desk(StandIn(seconds=0.01))) as client:
        assert client.post("/v1/restore", files=PHOTO, data={"steps": "3"}).status_code == 200
        assert client.post("/v1/restore", data={"x": "1"}).status_code == 415
        wait_for(lambda: client.get("/ready").status_code == 200)
        answer = client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    seen = figures(answer.text)
    assert seen["toile_requests_total", "200", "restore"] == 1
    assert seen["toile_requests_total", "415", "restore"] == 1
    assert seen["toile_settled_total", "done", "restore"] == 1
    assert seen["toile_pictures_total", "restore"] == 1
    assert seen["toile_step_seconds_count",] == 2  # from one step to the next
    assert seen["toile_work_seconds_sum", "restore"] >= 0.03
    assert seen["toile_batch_size_sum",] == 1
    assert seen["toile_queue_length",] == 0
    assert seen["process_resident_memory_bytes",] > 1e7


def test_two_services_of_one_process_count_by_themselves():
    one, other = Desk(StandIn()), Desk(StandIn())
    one.metrics.refused.labels("full").inc()
    assert other.metrics.registry.get_sample_value("toile_refused_total", {"reason": "full"}) is None


def test_the_offer_says_what_there_is():
    settings = Settings(tasks=("restore",), queue=5, limits=Limits(max_steps=7))
    with serving(Desk(StandIn(), settings)) as client:
        told = client.get("/v1").json()
        paths = client.get("/openapi.json").json()["paths"]
        assert client.post("/v1/dress", files=PHOTO).status_code == 404
    assert (told["version"], told["tasks"], told["queue"]) == (__version__, ["restore"], 5)
    assert told["limits"]["max_steps"] == 7
    assert "/v1/restore" in paths and "/v1/dress" not in paths
