"""`toile data`: every command is there, and heavy libraries wait until one is run."""

import subprocess
import sys

import pytest

from toile.cli.main import main

COMMANDS = ("check", "curate", "review", "triplets", "caption", "shards", "cache")


def test_help_names_every_command(capsys) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["data"])
    assert stop.value.code == 0
    said = capsys.readouterr().out
    assert all(f"• {name}" in said for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str, capsys) -> None:
    try:
        assert main(["data", name, "--help"]) == 0
    except SystemExit as stop:
        assert stop.code == 0
    assert f"toile data {name}" in capsys.readouterr().out


def test_a_users_mistake_is_one_line(tmp_path, capsys) -> None:
    assert main(["data", "check", str(tmp_path / "nowhere")]) == 2
    assert main(["data", "shards", str(tmp_path / "nowhere"), "-o", str(tmp_path / "out")]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2 and all(line.startswith("toile: ") and "nowhere" in line for line in lines)


def test_the_list_of_commands_needs_no_torch() -> None:
    seen = "import sys, toile.cli.main; print('torch' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", seen], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"
