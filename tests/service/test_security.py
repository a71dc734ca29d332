import pytest
from tests.service.stand_in import StandIn

pytest.importorskip("fastapi", reason="the extra serve is not installed")
from starlette.testclient import TestClient

from toile.service.application import application
from toile.service.desk import Desk
from toile.service.security import SECURITY_HEADERS
from toile.service.settings import Settings

TOKEN = "correct-horse-battery"


def client(**settings: object) -> TestClient:
    return TestClient(application(Desk(StandIn(), Settings(**settings))), base_url="http://localhost:8000")


@pytest.mark.parametrize(
    "authorization", [None, "", "Bearer", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x", f"{TOKEN}"]
)
@pytest.mark.parametrize("path", ["/v1", "/metrics", "/openapi.json", "/v1/jobs/x", "/nowhere"])
def test_without_the_token_there_is_nothing_to_see(path, authorization):
    headers = {} if authorization is None else {"Authorization": authorization}
    answer = client(token=TOKEN).get(path, headers=headers)
    assert answer.status_code == 401 and answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.json()["detail"].startswith("the token is missing or wrong")
    assert TOKEN not in answer.text


def test_with_the_token_there_is():
    assert client(token=TOKEN).get("/v1", headers={"Authorization": f"bearer {TOKEN}"}).status_code == 200


def test_a_picture_without_the_token_is_not_even_read():
    desk = Desk(StandIn(), Settings(token=TOKEN))
    answer = TestClient(application(desk)).post("/v1/restore", files={"photo": b"x"})
    assert answer.status_code == 401
    assert desk.metrics.registry.get_sample_value("toile_refused_total", {"reason": "full"}) is None
    assert not list(desk.metrics.requests.collect()[0].samples)


def test_health_is_open():
    answer = client(token=TOKEN).get("/health")
    assert answer.status_code == 503  # nothing was started
    assert "token" not in answer.text


def test_pages_of_other_sites_are_kept_out():
    own = client().get("/v1", headers={"Origin": "http://localhost:8000"})
    other = client().get("/v1", headers={"Origin": "http://elsewhere.example"})
    assert (own.status_code, other.status_code) == (200, 403)
    assert not [name for name in own.headers if name.startswith("access-control")]


@pytest.mark.parametrize(
    ("host", "status"),
    [("127.0.0.1:8000", 200), ("[::1]:8000", 200), ("LOCALHOST", 200), ("bent.example", 403)],
)
def test_a_foreign_name_cannot_be_bent_to_this_machine(host, status):
    names = ("127.0.0.1", "localhost", "[::1]")
    assert client(hosts=names).get("/v1", headers={"Host": host}).status_code == status


@pytest.mark.parametrize("path", ["/v1", "/nowhere", "/ready"])
def test_every_answer_tells_browsers_to_be_careful(path):
    headers = client().get(path).headers
    assert {name: headers[name] for name in SECURITY_HEADERS} == dict(SECURITY_HEADERS)
    assert "server" not in headers
