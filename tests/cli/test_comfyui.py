import pytest

from toile.cli.main import main


@pytest.fixture
def comfyui(tmp_path):
    (tmp_path / "custom_nodes").mkdir()
    return tmp_path


def test_nodes_are_installed_and_removed(comfyui, capsys):
    folder = comfyui / "custom_nodes" / "toile-nodes"
    assert main(["comfyui", "install", str(comfyui)]) == 0
    assert capsys.readouterr().out == f"{folder}\n" and folder.is_dir()
    assert main(["comfyui", "remove", str(comfyui)]) == 0
    assert capsys.readouterr().out == f"{folder}\n" and not folder.exists()


def test_a_wrong_folder_is_one_line(tmp_path, capsys):
    assert main(["comfyui", "install", str(tmp_path / "none")]) == 2
    err = capsys.readouterr().err
    assert err.startswith("toile: ") and err.count("\n") == 1


def test_nodes_are_listed(capsys):
    assert main(["comfyui", "list"]) == 0
    assert "Restore Garment (toile)" in capsys.readouterr().out
