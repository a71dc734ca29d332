import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from toile.cli.data_check import Check, examine
from toile.dolls.writers import DatasetSettings, write_dataset
from toile.errors import ToileError


@pytest.fixture(scope="module")
def dolls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("dolls") / "set"
    for split, first in (("train", 0), ("test", 50)):
        write_dataset(
            DatasetSettings(out=root, count=2, first_seed=first, split=split, size=(64, 48)), progress=False
        )
    return root


@pytest.fixture
def leaking(dolls: Path, tmp_path: Path) -> Path:
    import shutil

    root = Path(shutil.copytree(dolls, tmp_path / "leaking"))
    shutil.copy(root / "test/image/00000050_00.jpg", root / "train/image/00000001_00.jpg")
    return root


def test_a_healthy_dataset(dolls: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert Check(path=dolls, workers=1).run() == 0
    out = capsys.readouterr().out
    assert "VITON-HD" in out and "nothing wrong was found" in out


def test_everything_that_is_written(
    leaking: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    check = Check(
        path=leaking,
        json=out / "report.json",
        page=out / "page",
        write_exclusions=out / "leaks.txt",
        workers=1,
    )
    assert check.run() == 2
    assert "fault leak" in capsys.readouterr().out
    assert json.loads((out / "report.json").read_text())["exit_code"] == 2
    assert (out / "leaks.txt").read_text() == "00000001_00\n"
    assert "leak" in (out / "page/index.html").read_text()


def test_warnings_alone_give_1(dolls: Path, tmp_path: Path) -> None:
    import shutil

    root = Path(shutil.copytree(dolls, tmp_path / "set"))
    (root / "train/agnostic-mask/00000001_00_mask.png").unlink()
    assert Check(path=root, workers=1).run() == 1


def test_json_alone_on_stdout(dolls: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert Check(path=dolls, json=Path("-"), workers=1).run() == 0
    assert json.loads(capsys.readouterr().out)["layout"] == "VITON-HD"


def test_mistakes_are_said_before_any_work(dolls: Path, tmp_path: Path) -> None:
    with pytest.raises(ToileError, match="does not exist"):
        examine(tmp_path / "gone")
    (tmp_path / "note.md").write_text("")
    with pytest.raises(ToileError, match="is no dataset"):
        examine(tmp_path / "note.md")
    with pytest.raises(ToileError, match="cannot be written"):
        Check(path=dolls, json=tmp_path / "note.md/report.json").run()


@pytest.mark.skipif(os.name == "nt", reason="signals differ")
def test_ctrl_c_ends_it_and_leaves_nothing(dolls: Path, tmp_path: Path) -> None:
    many = tmp_path / "many"
    for number in range(3000):
        target = many / f"persons/{number}.jpg"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.hardlink_to(dolls / "train/image/00000000_00.jpg")
    (many / "garments").mkdir()
    code = "import signal, sys; from pathlib import Path; from toile.cli.data_check import Check\n"
    code += "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # ignored by a job in the background
    code += "print('go', flush=True)\n"
    code += "try: Check(path=Path(sys.argv[1]), json=Path(sys.argv[2]), workers=2).run()\n"
    code += "except KeyboardInterrupt: sys.exit(130)"
    report = tmp_path / "report.json"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(many), str(report)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.readline()
        time.sleep(1.5)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
        assert "Traceback" not in process.stderr.read()
    assert not report.exists()
