from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from toile.data.doll_pairs import mode_of
from toile.dolls import draw_doll
from toile.dolls.captions import describe_person
from toile.dolls.scene import sample_scene
from toile.errors import ToileError
from toile.evaluation.dressing_pairs import dressing_items, dressing_pairs
from toile.evaluation.scene_scorer import ARMS, ATTRIBUTES, PRESENT, SIZE, load_scene_scorer
from toile.evaluation.scene_scorer_task import (
    UNKNOWN,
    SceneScorerRecipe,
    SceneScorerTask,
    balanced_accuracy,
    balancing_weights,
    moved,
    scene_attributes,
    scene_labels,
)
from toile.training.registry import find_training

RECIPE = SceneScorerRecipe(drawn_size=(64, 48), first_seed=0, count=8, validation_count=4)
NAMES = list(ATTRIBUTES)


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> SceneScorerTask:
    torch.manual_seed(0)
    return SceneScorerTask(RECIPE, tmp_path_factory.mktemp("cache"))


@pytest.mark.parametrize("seed", range(20))
def test_attributes_are_what_the_caption_says(seed: int) -> None:
    scene = sample_scene(seed, mode_of(seed, "mixed"), None)
    caption, found = describe_person(scene, "unnamed"), scene_attributes(scene)
    assert found["noun"] in caption.split(",")[0].split()
    assert (found["hair"] == "bald") == ("bald" in caption) == ("hair colour" not in found)
    assert found.get("hair colour", "") in caption
    assert (found["bag"] == PRESENT) == ("with a bag" in caption)
    assert ("studio" in caption) == (found["place"] == "studio")
    phrases = ("hip", "across", "raised", "waving", "pocket", "chin")
    for arm, phrase in zip(ARMS, phrases, strict=True):
        assert (found[arm] == PRESENT) == (phrase in caption.split(" hair")[-1])


def test_labels_name_the_values() -> None:
    doll = draw_doll(3, size=(64, 48))
    known = scene_attributes(sample_scene(3, "studio", None))
    for name, number in zip(NAMES, scene_labels(doll).tolist(), strict=True):
        if number != UNKNOWN:
            assert ATTRIBUTES[name][number] == known[name]


def test_nothing_is_asked_of_a_head_outside_the_frame() -> None:
    dolls = [draw_doll(seed, size=(32, 32), category="lower") for seed in range(8)]
    asked = [int(scene_labels(doll)[NAMES.index("hair")]) != UNKNOWN for doll in dolls]
    assert asked == [bool(doll.joints[0, 2]) for doll in dolls]
    assert {True, False} == set(asked)


def test_no_seed_is_used_by_another_training_or_the_benchmark() -> None:
    recipe = SceneScorerRecipe()
    seeds = range(recipe.first_seed, recipe.first_seed + recipe.count + recipe.validation_count)
    assert len({seeds.start // 1_000_000, seeds[-1] // 1_000_000, 6}) == 1
    assert all(item.seed not in seeds for item in dressing_items(dressing_pairs()))


def test_rare_values_weigh_more() -> None:
    weights = dict(zip(NAMES, balancing_weights(range(120)), strict=True))
    assert all(found.mean() == pytest.approx(1) for found in weights.values())
    assert weights["wave"][1] > 1.5 * weights["wave"][0]
    assert weights["place"][0] == pytest.approx(float(weights["place"][1]), rel=0.01)


def test_balanced_accuracy() -> None:
    labels = torch.zeros(4, len(NAMES), dtype=torch.long)
    labels[3, NAMES.index("bag")] = 1
    labels[:2, NAMES.index("hair")] = UNKNOWN
    answers = torch.zeros_like(labels)
    found = balanced_accuracy(answers, labels)
    assert found["bag"] == pytest.approx(0.5)
    assert found["hair"] == found["place"] == 1


def test_views_stay_pictures_and_differ() -> None:
    picture = draw_doll(0, size=SIZE).person
    views = [moved(picture, np.random.default_rng(seed)) for seed in range(6)]
    assert all(view.shape == picture.shape for view in views)
    assert len({view.tobytes() for view in views}) == 6
    mirrored = [np.abs(view[:, ::-1].astype(int) - picture).mean() for view in views]
    plain = [np.abs(view.astype(int) - picture).mean() for view in views]
    assert 0 < sum(a < b for a, b in zip(mirrored, plain, strict=True)) < 6


def test_items_repeat_with_the_generator(task: SceneScorerTask) -> None:
    torch.manual_seed(5)
    first = task.dataset[0]
    torch.manual_seed(5)
    assert torch.equal(first["picture"], task.dataset[0]["picture"])
    assert not torch.equal(first["picture"], task.dataset[0]["picture"])
    assert first["picture"].shape == (3, *SIZE)
    doll = draw_doll(0, size=RECIPE.drawn_size)
    assert torch.equal(first["labels"], scene_labels(doll))


def test_a_few_steps_learn_something(task: SceneScorerTask) -> None:
    torch.manual_seed(0)
    batch = next(iter(DataLoader(task.dataset, batch_size=8)))
    optimizer = torch.optim.AdamW(task.model.parameters(), lr=3e-3)
    losses = []
    for step in range(15):
        loss = task.loss(task.model, batch, torch.Generator().manual_seed(step))["loss"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert sum(losses[-3:]) < 0.7 * sum(losses[:3])


def test_validation_gives_shares(task: SceneScorerTask) -> None:
    figures = task.validate(task.model)
    assert set(figures) == {"accuracy", *ATTRIBUTES}
    assert 0 <= figures["place"] <= 1


def test_export_and_load(task: SceneScorerTask, tmp_path: Path) -> None:
    task.export(task.model, tmp_path)
    loaded = load_scene_scorer(tmp_path)
    given = torch.rand(1, 3, *SIZE)
    assert torch.allclose(loaded(given)["hair"], task.model(given)["hair"], atol=5e-2)
    with pytest.raises(ToileError, match="Linear"):
        task.export(torch.nn.Linear(1, 1), tmp_path)


def test_it_can_be_trained_by_name() -> None:
    assert find_training("scene-scorer").recipe() == SceneScorerRecipe()
