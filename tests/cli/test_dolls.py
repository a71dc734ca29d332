import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from toile.cli.dolls import DollsMake, DollsShow
from toile.errors import ToileError


def test_make_writes_a_dataset(tmp_path, capsys):
    command = DollsMake(out=tmp_path, count=2, size="64x48", split="test")
    command.run()
    assert "2 dolls drawn" in capsys.readouterr().out
    assert len(list((tmp_path / "test/image").iterdir())) == 2
    command.run()
    assert "0 dolls drawn" in capsys.readouterr().out


def test_show_draws_a_sheet(tmp_path):
    DollsShow(output=tmp_path / "sheet.png", count=2, size="64x48", mode="street", category="dress").run()
    assert np.array(Image.open(tmp_path / "sheet.png")).std() > 10


@pytest.mark.parametrize("count", [0, 401])
def test_a_sheet_of_no_or_too_many_dolls_is_refused(count):
    with pytest.raises(ToileError, match=str(count)):
        DollsShow(count=count).run()


def test_the_command_line(tmp_path):
    def toile(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "toile.cli.main", "dolls", *arguments]
        return subprocess.run(command, capture_output=True, text=True)

    made = toile("make", str(tmp_path / "set"), "--count", "2", "--size", "64x48", "--layout", "dresscode")
    assert made.returncode == 0, made.stderr
    assert (tmp_path / "set" / "train_pairs_paired.txt").is_file()
    bad = toile("make", str(tmp_path / "other"), "--count", "2", "--size", "wide")
    assert bad.returncode == 2
    assert "256x192" in bad.stderr and "Traceback" not in bad.stderr
    assert not (tmp_path / "other").exists()
