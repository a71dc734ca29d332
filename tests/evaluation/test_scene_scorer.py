from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from toile.data.doll_pairs import mode_of
from toile.dolls import draw_doll
from toile.errors import ToileError
from toile.evaluation.scene_scorer import (
    ATTRIBUTES,
    BUNDLED,
    SIZE,
    SceneScorer,
    load_scene_scorer,
    scene_tensor,
)
from toile.evaluation.scene_scorer_task import UNKNOWN, scene_labels


def small() -> SceneScorer:
    torch.manual_seed(0)
    return SceneScorer(channels=(4, 6, 8)).eval()


def pictures(count: int, size: tuple[int, int] = (256, 192)) -> list[Image.Image]:
    random = np.random.default_rng(0)
    return [Image.fromarray(random.integers(0, 256, (*size, 3), dtype=np.uint8)) for _ in range(count)]


def test_every_attribute_gets_its_logits() -> None:
    logits = small()(torch.rand(2, 3, *SIZE))
    shapes = {name: tuple(found.shape) for name, found in logits.items()}
    assert shapes == {name: (2, len(values)) for name, values in ATTRIBUTES.items()}


def test_what_is_read_is_the_likeliest() -> None:
    model, given = small(), pictures(3)
    logits = model(scene_tensor(given))
    for row, answers in enumerate(model.read(given)):
        assert set(answers) == set(ATTRIBUTES)
        for name, value in answers.items():
            assert logits[name][row].argmax() == ATTRIBUTES[name].index(value)
    assert model.read([]) == []


def test_answers_do_not_depend_on_the_batch() -> None:
    model, given = small(), scene_tensor(pictures(3))
    together = model(given)
    alone = [model(given[row : row + 1]) for row in range(3)]
    for name, found in together.items():
        assert torch.allclose(found, torch.cat([answers[name] for answers in alone]), atol=1e-5)


def test_pictures_of_any_size_are_seen_at_one_size() -> None:
    plain = [Image.new("RGB", size, (51, 102, 204)) for size in ((192, 256), (96, 128), (300, 500))]
    seen = scene_tensor(plain)
    assert seen.shape == (3, 3, *SIZE)
    assert torch.allclose(seen, torch.tensor([0.2, 0.4, 0.8])[None, :, None, None].expand_as(seen))
    big = pictures(1)[0]
    means = torch.from_numpy(np.array(big)).float().reshape(128, 2, 96, 2, 3).mean((1, 3)) / 255
    assert (scene_tensor([big])[0].movedim(0, -1) - means).abs().max() < 0.005


def test_the_default_network_is_small() -> None:
    assert sum(weight.numel() for weight in SceneScorer().parameters()) <= 250_000


def test_save_and_load(tmp_path: Path) -> None:
    model = small().half()
    model.save_pretrained(tmp_path)
    loaded = load_scene_scorer(tmp_path)
    assert next(loaded.parameters()).dtype == torch.float32
    assert not any(weight.requires_grad for weight in loaded.parameters())
    given = scene_tensor(pictures(2))
    for name, found in loaded(given).items():
        assert torch.allclose(found, model.float()(given)[name], atol=1e-6)


def test_missing_and_damaged_weights_are_said(tmp_path: Path) -> None:
    with pytest.raises(ToileError, match="no weights of the scene scorer"):
        load_scene_scorer(tmp_path)
    small().save_pretrained(tmp_path)
    next(tmp_path.glob("*.safetensors")).write_bytes(b"damaged")
    with pytest.raises(ToileError, match="cannot be read"):
        load_scene_scorer(tmp_path)


@pytest.mark.skipif(not BUNDLED.is_dir(), reason="the bundled weights are not trained yet")
def test_the_bundled_network_knows_unseen_dolls() -> None:
    dolls = [draw_doll(seed, mode=mode_of(seed, "mixed")) for seed in range(13_000_000, 13_000_024)]
    seen = load_scene_scorer().read([Image.fromarray(doll.person) for doll in dolls])
    shares = {}
    for place, (name, values) in enumerate(ATTRIBUTES.items()):
        known = [(row, int(scene_labels(doll)[place])) for row, doll in enumerate(dolls)]
        right = [seen[row][name] == values[label] for row, label in known if label != UNKNOWN]
        shares[name] = float(np.mean(right))
    assert shares["place"] > 0.9
    assert shares["noun"] > 0.7
    assert shares["hair"] > 0.5
