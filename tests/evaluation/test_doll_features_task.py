from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader

from toile.errors import ToileError
from toile.evaluation.doll_features import load_doll_features
from toile.evaluation.doll_features_task import (
    KINDS,
    PARTS,
    UNKNOWN,
    DollFeaturesRecipe,
    DollFeaturesTask,
    SeededDolls,
    attributes_of,
    label,
    part_map,
    random_crop,
    read_vocabulary,
)

RECIPE = DollFeaturesRecipe(size=(64, 48), crop=(40, 32), first_seed=0, count=6, validation_count=3)


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> DollFeaturesTask:
    torch.manual_seed(0)
    return DollFeaturesTask(RECIPE, tmp_path_factory.mktemp("cache"))


def test_vocabulary_and_labels() -> None:
    dolls = [SeededDolls(0, 4, (64, 48))[i] for i in range(4)]
    vocabulary = read_vocabulary(dolls)
    for doll in dolls:
        for kind in doll.garments:
            attributes = attributes_of(doll, kind)
            numbers = label(attributes, vocabulary)
            named = {name: vocabulary[name][number] for name, number in zip(vocabulary, numbers, strict=True)}
            assert named["category"] == kind
            assert all(named[name] == attributes.get(name, "-") for name in vocabulary)
    assert vocabulary["category"][
        label({"category": "kilt"}, vocabulary)[list(vocabulary).index("category")]
    ] == ("other")


def test_parts_follow_the_parse_map() -> None:
    doll = SeededDolls(0, 1, (64, 48))[0]
    parts = part_map(doll.parse)
    for kind, garment in doll.garments.items():
        assert ((parts == PARTS.index(kind)) == (garment.worn > 0)).mean() > 0.99
    assert ((parts == PARTS.index("skin")) == np.isin(doll.parse, (10, 13, 14, 15, 16, 17))).all()
    assert (parts[doll.parse == 0] == 0).all()


def test_encoded_dolls_know_their_garments(task: DollFeaturesTask) -> None:
    item = task.dataset[0]
    doll = SeededDolls(RECIPE.first_seed, 1, RECIPE.size)[0]
    assert item["garment"].shape == item["person"].shape == (4, 64, 48)
    assert set(item["garment"][3].unique().tolist()) == {0, PARTS.index(doll.category)}
    worn = [kind for kind, labels in zip(KINDS, item["labels"], strict=True) if labels[0] != UNKNOWN]
    assert set(worn) == set(doll.garments)
    colours = task.vocabulary["colour"]
    place = list(task.vocabulary).index("colour")
    for kind in worn:
        named = colours[item["labels"][KINDS.index(kind), place]]
        assert named in (doll.garments[kind].attributes["colour"], "other")


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
    for step in range(30):
        loss = task.loss(task.model, batch, torch.Generator().manual_seed(step))["loss"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert sum(losses[-5:]) < 0.8 * sum(losses[:5])


def test_the_loss_is_repeatable_and_leaves_the_batch_alone(task: DollFeaturesTask) -> None:
    batch = next(iter(DataLoader(task.dataset, batch_size=3)))
    before = batch["labels"].clone()
    losses = [task.loss(task.model, batch, torch.Generator().manual_seed(1))["loss"] for _ in range(2)]
    assert losses[0] == losses[1]
    assert (batch["labels"] == before).all()


def test_validation_gives_shares(task: DollFeaturesTask) -> None:
    figures = task.validate(task.model)
    assert {"accuracy", "garment/colour", "person/pattern"} <= set(figures)
    assert all(0 <= value <= 1 for value in figures.values())


def test_export_and_load(task: DollFeaturesTask, tmp_path: Path) -> None:
    task.export(task.model, tmp_path)
    loaded = load_doll_features(tmp_path)
    assert loaded.config.vocabulary == task.vocabulary
    pictures, regions = torch.rand(1, 3, 64, 48), torch.ones(1, 2, 64, 48)
    found, expected = (model(pictures, regions).attributes["category"] for model in (loaded, task.model))
    assert torch.allclose(found, expected, atol=3e-2)
    with pytest.raises(ToileError, match="Linear"):
        task.export(torch.nn.Linear(1, 1), tmp_path)


def test_every_set_of_dolls_has_its_own_cache(tmp_path: Path) -> None:
    for count in (2, 3, 3):
        task = DollFeaturesTask(replace(RECIPE, count=count, validation_count=1), tmp_path)
        assert len(task.dataset) == count
    assert len(list(tmp_path.iterdir())) == 4
