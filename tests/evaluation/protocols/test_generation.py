import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.evaluation.protocols.small_folder import PROTOCOL, SIZE

from toile.errors import ToileError
from toile.evaluation.protocols import generation
from toile.evaluation.protocols.catalogue import find_protocol
from toile.evaluation.protocols.checks import inspect_predictions
from toile.evaluation.protocols.generation import generate, item_seed
from toile.evaluation.protocols.pairs import open_truths
from toile.evaluation.protocols.systems import Drawing, SystemName, parse_system
from toile.evaluation.protocols.truths import Truth


@pytest.fixture
def truths(small_data: Path) -> tuple[Truth, ...]:
    return open_truths(PROTOCOL, str(small_data), count=5).truths


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture)


def test_a_baseline_draws_once_and_its_folder_is_not_refused(
    truths: tuple[Truth, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = parse_system("colour-oracle")
    made = generate(system, PROTOCOL, truths, tmp_path, drawing=Drawing(size=SIZE))
    assert made.label == "colour-oracle" and len(list(made.folder.glob("*.png"))) == 5
    assert inspect_predictions(made.folder, truths, PROTOCOL.pictures).findings == ()
    monkeypatch.setattr(generation, "open_system", None)
    assert generate(system, PROTOCOL, truths, tmp_path, drawing=Drawing(size=SIZE)) == made


def test_the_same_persons_in_other_garments_are_drawn_anew(tmp_path: Path) -> None:
    system, drawing = parse_system("paste-flat"), Drawing(size=(256, 192))
    folders = []
    for name in ("dolls-tryon", "dolls-tryon-unpaired"):
        protocol = find_protocol(name)
        worn = open_truths(protocol, None, count=12).truths
        folders.append(generate(system, protocol, worn[:4], tmp_path, drawing=drawing).folder)
    own, others = ({path.stem: pixels(path) for path in folder.glob("*.png")} for folder in folders)
    assert own.keys() == others.keys() and len(own) == 4
    assert all((own[name] != others[name]).any() for name in own)


def test_a_stopped_run_draws_what_is_missing_damaged_or_of_other_settings(
    truths: tuple[Truth, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = parse_system("crop-and-paste")
    made = generate(system, PROTOCOL, truths, tmp_path, drawing=Drawing(size=SIZE))
    files = sorted(made.folder.glob("*.png"))
    before = [pixels(path) for path in files]
    files[0].unlink()
    files[1].write_bytes(files[1].read_bytes()[:100])
    Image.new("RGB", (SIZE[1], SIZE[0])).save(files[2])
    drawn = []
    opened = generation.open_system

    def counting(*arguments: object) -> object:
        draw = opened(*arguments)
        return lambda pairs, seeds: (drawn.extend(pair.identifier for pair in pairs), draw(pairs, seeds))[1]

    monkeypatch.setattr(generation, "open_system", counting)
    generate(system, PROTOCOL, truths, tmp_path, drawing=Drawing(size=SIZE))
    assert drawn == [path.stem for path in files[:3]]
    assert all((pixels(path) == old).all() for path, old in zip(files, before, strict=True))


def test_a_model_draws_from_its_own_seeds(
    truths: tuple[Truth, ...], tmp_path: Path, igr_folder: Path
) -> None:
    system = SystemName(name="igr", model=str(igr_folder))
    drawing = Drawing(size=(64, 32), steps=1, guidance=1.0)

    def draw(seed: int, batch_size: int = 8) -> Path:
        return generate(
            system,
            PROTOCOL,
            truths[:2],
            tmp_path / str(batch_size),
            drawing=drawing,
            seed=seed,
            batch_size=batch_size,
        ).folder

    zero, one, alone = draw(0), draw(1), draw(0, batch_size=1)
    assert zero != one and zero.name == alone.name
    settings = json.loads((zero / "settings.json").read_text())
    assert (settings["steps"], settings["guidance"], settings["seed"]) == (1, 1.0, 0) and settings["weights"]
    name = f"{truths[0].identifier}.png"
    assert (pixels(zero / name) != pixels(one / name)).any()
    assert np.abs(pixels(zero / name).astype(int) - pixels(alone / name)).max() <= 1


def test_item_seeds_differ_and_stay() -> None:
    seeds = {item_seed(name, seed) for name in ("a", "b") for seed in (0, 1)}
    assert len(seeds) == 4 and max(seeds) < 2**48 and item_seed("a", 0) == 0x9DF3C5FAB8EF


@pytest.mark.parametrize(
    ("text", "task", "said"),
    [
        ("nobody", "restore", "no system 'nobody'"),
        ("mean-garment:x", "restore", "has no model"),
        ("exact-warp-oracle", "restore", "not restore"),
        ("igr", "tryon", "not tryon"),
    ],
)
def test_what_cannot_be_drawn_is_refused(text: str, task: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ToileError, match=said):
        generate(
            parse_system(text),
            replace(PROTOCOL, task=task),
            (),
            tmp_path,
            drawing=Drawing(size=SIZE),
        )
    assert list(tmp_path.iterdir()) == []
