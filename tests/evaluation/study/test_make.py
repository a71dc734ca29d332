import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.evaluation.study.conftest import METHODS, NAMES

from toile.errors import ToileError
from toile.evaluation.study.files import read_key, read_study
from toile.evaluation.study.make import make_study, read_prompts


def test_every_picture_is_there_under_a_random_name_and_the_key_knows_it(folders, study_folder: Path) -> None:
    study, key = read_study(study_folder), read_key(study_folder)
    assert len(study.items) == 6 and key.methods == METHODS
    assert sorted(key.items.values()) == sorted(NAMES)
    for item in study.items:
        name = key.items[item.identifier]
        assert sorted(key.pictures[result] for result in item.results) == sorted(METHODS)
        sources = {result: folders[METHODS.index(key.pictures[result])] for result in item.results}
        sources[item.inputs[0]] = folders[3]
        for result, folder in sources.items():
            with (
                Image.open(study_folder / "pictures" / f"{result}.png") as copy,
                Image.open(folder / f"{name}.png") as original,
            ):
                assert np.array_equal(np.asarray(copy), np.asarray(original))
                assert copy.info == {}


def test_nothing_but_the_key_says_who_made_what(study_folder: Path) -> None:
    for path in study_folder.rglob("*"):
        if path.is_file() and path.name != "key.json":
            content = path.read_bytes()
            assert b"secret" not in content and b"zebra" not in content, path
            assert "secret" not in path.name and "zebra" not in path.name


def test_the_order_of_names_says_nothing_about_methods(folders, tmp_path: Path) -> None:
    firsts = set()
    for seed in range(12):
        study = make_study(folders[:3], tmp_path / f"study-{seed}", seed=seed)
        key = read_key(tmp_path / f"study-{seed}")
        firsts |= {key.pictures[item.results[0]] for item in study.items}
        assert [item.identifier for item in study.items] == sorted(item.identifier for item in study.items)
    assert firsts == set(METHODS)


def test_a_seed_makes_the_same_study_again(folders, tmp_path: Path) -> None:
    first, second, other = (
        make_study(folders[:3], tmp_path / f"{n}", seed=seed) for n, seed in enumerate((1, 1, 2))
    )
    assert first == second != other


def test_without_prompts_nobody_is_asked_about_them(folders, tmp_path: Path) -> None:
    study = make_study(folders[:3], tmp_path / "study")
    assert [question.criterion for question in study.questions] == [
        "Texture Consistency",
        "Image Quality",
        "Comprehensive Evaluation",
    ]


def test_what_does_not_match_is_refused_and_nothing_is_written(folders, tmp_path: Path) -> None:
    out = tmp_path / "study"
    (folders[1] / "multi" / "zebra-0.png").unlink()
    with pytest.raises(ToileError, match=r"secret-theirs has nothing for multi/zebra-0"):
        make_study([folders[0], folders[1]], out)
    with pytest.raises(ToileError, match="list of prompts has nothing for"):
        make_study([folders[0], folders[2]], out, prompts={NAMES[0]: "x"})
    with pytest.raises(ToileError, match="leave no choice"):
        make_study(folders[:1], out)
    with pytest.raises(ToileError, match="one name"):
        make_study([folders[0], folders[0]], out)
    with pytest.raises(ToileError, match="is no folder"):
        make_study([folders[0], tmp_path / "gone"], out)
    (folders[2] / "multi" / "zebra-1.png").write_bytes(b"no picture")
    with pytest.raises(ToileError):
        make_study([folders[0], folders[2]], out)
    assert not out.exists()


def test_a_study_is_never_written_over(folders, study_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ToileError, match="holds a study already"):
        make_study(folders[:3], study_folder)
    empty = tmp_path / "empty"
    empty.mkdir()
    assert make_study(folders[:2], empty).items
    shutil.rmtree(empty)


def test_prompts_are_read_from_either_form(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps({"x": "a park"}))
    (tmp_path / "a.jsonl").write_text('{"identifier": "x", "prompt": "a park", "garments": {}}\n')
    assert read_prompts(tmp_path / "a.json") == read_prompts(tmp_path / "a.jsonl") == {"x": "a park"}
    for text in ("[]", "{", '{"x": 3}', "{}"):
        (tmp_path / "b.json").write_text(text)
        with pytest.raises(ToileError, match="holds no prompts"):
            read_prompts(tmp_path / "b.json")
