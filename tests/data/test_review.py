import http.client
import json
import re
import shutil
import threading
from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from tests.browser import DESKTOP, PHONE, browser, overflows

from toile.cli.data_review import open_review
from toile.data.curation_file import CurationSettings, decisions_path, read_curation
from toile.data.curation_run import curate
from toile.data.doll_pairs import DollPairs
from toile.data.review import Review, ReviewServer
from toile.data.review_decisions import Decisions
from toile.errors import ToileError

DOLLS = "dolls:10300100:6:mixed"


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    path = tmp_path_factory.mktemp("review") / "curation.jsonl"
    curate(CurationSettings(source=DOLLS, share=0.5), path, progress=False)
    return path


@pytest.fixture
def path(measured, tmp_path):
    return shutil.copy(measured, tmp_path / "curation.jsonl")


@pytest.fixture
def server(path):
    server = open_review(path)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def ask(server: ReviewServer, method: str, target: str, body: bytes | None = None, **headers: str):
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, target, body, named)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer, content


def post(server: ReviewServer, request: object, **headers: str):
    kind = {"Content_Type": "application/json"} | headers
    answer, content = ask(server, "POST", "/decisions", json.dumps(request).encode(), **kind)
    return answer.status, json.loads(content)


def test_the_page_and_the_list_of_pairs(server, path):
    answer, page = ask(server, "GET", "/")
    policy = answer.getheader("Content-Security-Policy")
    nonce = re.search(r"script-src 'nonce-([^']+)'", policy)[1]
    assert answer.status == 200 and f'nonce="{nonce}"'.encode() in page and b"NONCE" not in page
    assert not re.search(rb"(src|href)=\"(?!data:)", page)  # the page stands alone
    listing = json.loads(ask(server, "GET", "/pairs")[1])
    rows = read_curation(path).rows
    assert [pair["identifier"] for pair in listing["pairs"]] == [row.identifier for row in rows]
    assert [pair["keep"] for pair in listing["pairs"]] == [row.keep for row in rows]
    assert listing["thresholds"]["occlusion"] == 0.29


def test_pictures_by_number(server):
    for kind in ("person", "garment", "measured"):
        answer, content = ask(server, "GET", f"/picture/3/{kind}")
        assert (answer.status, answer.getheader("Content-Type")) == (200, "image/jpeg")
        picture = np.asarray(Image.open(BytesIO(content))).astype(int)
        wanted = np.asarray(DollPairs(10300100, 6, mode="mixed")[3].garment).astype(int)
        assert picture.shape == wanted.shape
        assert (np.abs(picture - wanted).mean() < 3) == (kind == "garment")


@pytest.mark.parametrize(
    "target",
    [
        "/etc/passwd", "/../../../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "//etc/passwd",
        "/picture/0/../../../etc/passwd", "/picture/6/person", "/picture/-1/person", "/picture/0/mask",
        "/picture/99999999999999999999/person", "/picture/0/person/", "/review_page.html", "/curation.jsonl",
        "/decisions", "/picture/0x1/person",
    ],
)  # fmt: skip
def test_nothing_else_of_this_computer_can_be_reached(server, target):
    answer, content = ask(server, "GET", target)
    assert answer.status == 404 and b"root:" not in content
    assert server.server_address[0] == "127.0.0.1"


def test_decisions_are_on_the_disk_at_once_and_taken_up_again(server, path):
    assert post(server, {"index": 1, "decision": "drop"}) == (200, {"index": 1, "decision": "drop"})
    assert post(server, {"index": 1, "decision": "keep"}) == (200, {"index": 1, "decision": "keep"})
    assert post(server, {"index": 4, "decision": "skip"})[0] == 200
    rows, log = read_curation(path).rows, decisions_path(path)
    assert Decisions(log).made == {rows[1].key: "keep", rows[4].key: "skip"}
    assert post(server, {"undo": True}) == (200, {"index": 4, "decision": None})
    assert post(server, {"undo": True}) == (200, {"index": 1, "decision": "drop"})
    again = Review(path).listing()["pairs"]
    assert [pair["decision"] for pair in again] == [None, "drop", None, None, None, None]
    assert post(server, {"undo": True})[1]["index"] == 1
    assert post(server, {"undo": True}) == (200, {"index": None, "decision": None})


@pytest.mark.parametrize(
    "request_",
    [
        {}, [], 3, {"index": 0}, {"index": 6, "decision": "keep"}, {"index": -1, "decision": "keep"},
        {"index": True, "decision": "keep"}, {"index": 0, "decision": "burn"},
        {"index": "0", "decision": "keep"},
        {"index": 0, "decision": "keep", "more": "x" * 2000},
    ],
)  # fmt: skip
def test_what_is_no_decision_changes_nothing(server, path, request_):
    status, answer = post(server, request_)
    assert status == 400 and answer["error"]
    assert decisions_path(path).read_bytes() == b""


def test_other_sites_can_neither_read_nor_decide(server, path):
    keep = {"index": 0, "decision": "keep"}
    assert post(server, keep, Origin="http://elsewhere.example")[0] == 403
    assert post(server, keep, Host=f"elsewhere.example:{server.server_port}")[0] == 403
    assert post(server, keep, Content_Type="text/plain")[0] == 404  # what a form can send unasked
    assert ask(server, "GET", "/pairs", Host="elsewhere.example")[0].status == 403
    assert decisions_path(path).read_bytes() == b""
    assert post(server, keep, Origin=server.url.rstrip("/"))[0] == 200


def test_another_dataset_is_refused(path):
    with pytest.raises(ToileError, match="begins with '10300200'"):
        Review(path, source="dolls:10300200:6:mixed")


def test_a_taken_port_is_refused(server, path):
    with pytest.raises(ToileError, match="cannot be used"):
        open_review(path, port=server.server_port)


def test_a_picture_that_cannot_be_read_says_so(tmp_path):
    from tests.data.layouts import write_viton_hd

    root, path = write_viton_hd(tmp_path / "data", ("a", "b")), tmp_path / "c.jsonl"
    curate(CurationSettings(source=str(root), split="test"), path, progress=False)
    (root / "test/cloth/a.jpg").write_bytes(b"no picture")
    review = Review(path)
    assert review.picture(0, "measured") == review.picture(0, "person")  # there is no parse map to show
    with pytest.raises(ToileError, match=r"a\.jpg"):
        review.picture(0, "garment")


def test_a_browser_with_keys_filters_and_a_reload(server, path):
    expect = pytest.importorskip("playwright.sync_api", reason="playwright is not installed").expect
    rows = read_curation(path).rows
    with browser() as opened:
        page, errors = opened.new_page(viewport=DESKTOP), []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        name = page.locator("#name")
        page.goto(server.url)
        expect(name).to_have_text(rows[0].identifier)
        for picture in ("#person", "#garment"):
            expect(page.locator(picture)).to_be_visible()  # it is hidden until it is there
        for key, identifier in (("k", rows[1]), ("d", rows[2]), ("s", rows[3]), ("u", rows[2])):
            page.keyboard.press(key)
            expect(name).to_have_text(identifier.identifier)
        assert Decisions(decisions_path(path)).made == {rows[0].key: "keep", rows[1].key: "drop"}
        page.keyboard.press("ArrowLeft")
        expect(name).to_have_text(rows[1].identifier)
        assert "dropped by hand" in page.inner_text("#verdict")
        page.keyboard.press("m")
        assert page.get_attribute("#person", "src") == "/picture/1/measured"
        page.reload()
        expect(name).to_have_text(rows[2].identifier)  # it goes on where the decisions end
        page.select_option("#state", "undecided")
        assert "4 shown" in page.inner_text("#counts") and "2 of 6 decided" in page.inner_text("#counts")
        page.select_option("#state", "all")
        page.select_option("#reason", "side_view")
        shown = sum("side_view" in row.reasons for row in rows)
        assert f"{shown} shown" in page.inner_text("#counts")
        page.set_viewport_size(PHONE)
        assert not overflows(page)
        assert errors == []
