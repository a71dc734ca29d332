import subprocess
import sys

import pytest
from benchmarks.startup import STARTS, best_of, main

HEAVY = ("torch", "diffusers", "transformers", "numpy", "PIL", "cv2", "tyro", "rich")


@pytest.mark.parametrize("start", STARTS, ids=lambda start: start.name)
def test_a_start_takes_no_longer_than_promised(start):
    assert best_of(start.arguments, repeats=3) < 2 * start.seconds  # twice, for a busy machine


@pytest.mark.parametrize(
    "code",
    [
        "import toile",
        "from toile.cli.main import main; main(['--help'])",
        "from toile.cli.main import main; main(['--version'])",
        "from toile.cli.main import main; main(['sew'])",
    ],
)
def test_nothing_heavy_is_imported(code):
    check = f"{code}; import sys; print(sorted(set({HEAVY}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_script_measures_everything(capsys):
    main()
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[0].strip() for line in lines] == [start.name for start in STARTS]
