from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch.utils.data import DataLoader

from toile.errors import ToileError
from toile.evaluation.doll_features import DollFeatures, load_doll_features
from toile.evaluation.doll_features_task import (
    DollFeaturesRecipe,
    DollFeaturesTask,
    SeededDolls,
    attributes_of,
    label,
    random_crop,
    read_vocabulary,
)

RECIPE = DollFeaturesRecipe(size=(64, 48), crop=(40, 32), first_seed=0, count=6, validation_count=3)


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> DollFeaturesTask:
    return DollFeaturesTask(RECIPE, tmp_path_factory.mktemp("cache"))


def test_vocabulary_and_labels() -> None:
    dolls = [SeededDolls(0, 4, (64, 48))[i] for i in range(4)]
    vocabulary = read_vocabulary(dolls)
    assert vocabulary["view"] == ["garment", "person"]
    for doll in dolls:
        attributes = attributes_of(doll)
        numbers = label(attributes, vocabulary)
        named = {name: vocabulary[name][number] for name, number in zip(vocabulary, numbers, strict=True)}
        assert named["category"] == doll.category
        assert all(named[name] == attributes.get(name, "-") for name in vocabulary if name != "view")
    assert vocabulary["category"][
        label({"category": "kilt"}, vocabulary)[list(vocabulary).index("category")]
    ] == ("other")


def test_dolls_take_both_modes_in_turn() -> None:
    assert [SeededDolls(4, 2, (64, 48))[i].mode for i in range(2)] == ["studio", "street"]


def test_crops_stay_inside() -> None:
    pictures = torch.arange(2 * 10 * 8).reshape(2, 1, 10, 8).float()
    for seed in range(20):
        crop = random_crop(pictures, (4, 3), torch.Generator().manual_seed(seed))
        assert crop.shape == (2, 1, 4, 3)
        assert (crop[1] - crop[0] == 80).all()


def test_a_few_steps_learn_something(task: DollFeaturesTask, tmp_path: Path) -> None:
    torch.manual_seed(0)
    batch = next(iter(DataLoader(task.dataset, batch_size=6)))
    optimizer = torch.optim.AdamW(task.model.parameters(), lr=2e-3)
    losses = []
    for step in range(60):
        loss = task.loss(task.model, batch, torch.Generator().manual_seed(step))["loss"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert sum(losses[-5:]) < 0.7 * sum(losses[:5])


def test_the_loss_is_repeatable_and_leaves_the_batch_alone(task: DollFeaturesTask) -> None:
    batch = next(iter(DataLoader(task.dataset, batch_size=3)))
    before = batch["labels"].clone()
    losses = [task.loss(task.model, batch, torch.Generator().manual_seed(1))["loss"] for _ in range(2)]
    assert losses[0] == losses[1]
    assert (batch["labels"] == before).all()


def test_validation_gives_shares(task: DollFeaturesTask) -> None:
    figures = task.validate(task.model)
    assert {"accuracy", "accuracy/view", "accuracy/category"} <= set(figures)
    assert all(0 <= value <= 1 for value in figures.values())


def test_export_and_load(task: DollFeaturesTask, tmp_path: Path) -> None:
    task.export(task.model, tmp_path)
    loaded = load_doll_features(tmp_path)
    assert loaded.config.vocabulary == task.vocabulary
    pictures = torch.rand(1, 3, 64, 48)
    assert torch.allclose(loaded(pictures)["category"], task.model(pictures)["category"], atol=2e-2)
    with pytest.raises(ToileError, match="Linear"):
        task.export(torch.nn.Linear(1, 1), tmp_path)


def test_another_vocabulary_does_not_use_the_same_cache(task: DollFeaturesTask, tmp_path: Path) -> None:
    DollFeaturesTask(replace(RECIPE, count=2, validation_count=1), tmp_path)
    with pytest.raises(ToileError, match="give another folder"):
        DollFeaturesTask(replace(RECIPE, count=3, validation_count=1), tmp_path)
    assert isinstance(task.model, DollFeatures)
