"""The requests of the guide, sent to a service; a stand-in draws."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from PIL import Image
from tests.docs.blocks import ROOT, blocks
from tests.service.serving import serving
from tests.service.stand_in import StandIn

pytest.importorskip("fastapi", reason="the extra serve is not installed")

from toile.service.desk import Desk
from toile.service.metrics import OUTCOMES
from toile.service.settings import TASKS

GUIDE = ROOT / "docs" / "guide" / "service.md"
ADDRESS = "http://127.0.0.1:8000"


def texts(language: str, word: str) -> list[str]:
    return [block.text for block in blocks(GUIDE) if block.language == language and word in block.text]


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    for name in ("person.jpg", "other.jpg", "shirt.png"):
        Image.new("RGB", (24, 32), "red").save(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl on this computer")
def test_curl_gets_a_picture_of_every_task(folder):
    (text,) = texts("bash", "curl")
    with serving(Desk(StandIn())) as client:
        command = text.replace(ADDRESS, str(client.base_url)).replace("curl ", "curl -sSf --noproxy '*' ")
        subprocess.run(["bash", "-e", "-c", command], check=True, cwd=folder)
    assert set(re.findall(r"/v1/(\w+)", text)) == set(TASKS)
    for name in set(re.findall(r"-o (\S+)", text)):
        with Image.open(folder / name) as picture:
            assert picture.format == "PNG"


def test_the_client_of_the_guide_gets_its_job_done(folder):
    (text,) = texts("python", "/v1/jobs/")
    with serving(Desk(StandIn(seconds=0.01))) as client:
        exec(compile(text.replace(ADDRESS, str(client.base_url)), GUIDE.name, "exec"), {})
    with Image.open(folder / "garment.png") as picture:
        assert picture.getpixel((0, 0)) == (7, 0, 0)


def test_the_guide_names_every_field_and_every_outcome():
    from toile.service.forms import FORMS

    text = GUIDE.read_text(encoding="utf-8")
    for form in FORMS.values():
        assert [name for name in form.model_fields if f"`{name}`" not in text] == []
    assert [name for name in OUTCOMES.values() if f"`{name}`" not in text] == []
