import os
import signal
import subprocess
import sys
import urllib.request

import pytest

from toile.cli.data_review import open_review
from toile.data.curation_file import CurationSettings, decisions_path
from toile.data.curation_run import curate
from toile.errors import ToileError

RUN = """
import signal
import sys
from pathlib import Path
from toile.cli.data_review import Review
signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it
sys.exit(Review(curation=Path(sys.argv[1]), browser=False).run())
"""


def test_the_page_is_served_until_it_is_interrupted(tmp_path):
    path = tmp_path / "curation.jsonl"
    curate(CurationSettings(source="dolls:10300400:1"), path, progress=False)
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, str(path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        url = process.stdout.readline().strip()
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=30) as answer:
            assert b"<title>toile: review</title>" in answer.read()
        os.kill(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 0
    assert err.strip() == f"0 pairs decided, in {decisions_path(path)}"


@pytest.mark.parametrize("port", [-1, 70000])
def test_a_port_that_is_none_is_refused(tmp_path, port):
    with pytest.raises(ToileError, match=str(port)):
        open_review(tmp_path / "curation.jsonl", port=port)


def test_no_curation_is_refused(tmp_path):
    with pytest.raises(ToileError, match="toile data curate"):
        open_review(tmp_path / "curation.jsonl")
    assert not list(tmp_path.iterdir())
