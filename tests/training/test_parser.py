from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader

from toile.data.parsing import Parser
from toile.errors import ToileError
from toile.training.chain import bundle
from toile.training.order import SeededItems
from toile.training.parser import (
    ParserRecipe,
    ParserTask,
    ParserViews,
    parser_config,
)
from toile.training.parser_network import predicted
from toile.training.registry import find_training
from toile.training.settings import RunSettings
from toile.training.sources import Sources

RECIPE = ParserRecipe(
    size=(64, 48),
    hidden_sizes=(8, 16, 16, 16),
    depths=(1, 1, 1, 1),
    heads=(1, 1, 2, 2),
    decoder_hidden_size=32,
    first_seed=0,
    count=6,
    validation_count=4,
)


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> ParserTask:
    torch.manual_seed(0)
    return ParserTask(RECIPE, tmp_path_factory.mktemp("cache"))


def test_one_batch_is_learnt(task: ParserTask) -> None:
    assert isinstance(task.dataset, ParserViews)
    items = [task.dataset.dolls[number] for number in range(4)]
    batch = {name: torch.stack([item[name] for item in items]) for name in items[0]}
    optimizer = torch.optim.AdamW(task.model.train().parameters(), lr=5e-3)
    losses = []
    for step in range(100):
        loss = task.loss(task.model, batch, torch.Generator().manual_seed(step))["loss"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[0] > 1.5
    assert losses[-1] < 0.4


def test_views_follow_their_seed(task: ParserTask) -> None:
    items = SeededItems(task.dataset)
    first, again, other = items[(0, 5)], items[(0, 5)], items[(0, 6)]
    assert torch.equal(first["picture"], again["picture"]) and torch.equal(first["parse"], again["parse"])
    assert not torch.equal(first["picture"], other["picture"])
    assert first["picture"].shape == (3, 64, 48) and first["parse"].shape == (64, 48)


def test_without_a_cache_the_same_dolls_are_drawn(task: ParserTask) -> None:
    drawn = ParserTask(RECIPE, None)
    assert torch.equal(drawn.validation[1]["parse"], task.validation[1]["parse"])
    batch = next(iter(DataLoader(drawn.dataset, batch_size=3)))
    assert batch["picture"].shape == (3, 3, 64, 48)


def test_validation_and_samples(task: ParserTask) -> None:
    figures = task.validate(task.model.eval())
    assert {"mean_iou", "iou/upper", "iou/lower", "iou/dress", "iou/hat"} == set(figures)
    assert 0 <= figures["mean_iou"] <= 1
    picture = task.sample(task.model)
    assert picture is not None and picture.size == (4 * 52, 3 * 68)


def test_the_export_is_a_parser(task: ParserTask, tmp_path: Path) -> None:
    task.export(task.model.eval(), tmp_path / "export")
    parser = Parser.from_pretrained(tmp_path / "export")
    assert parser.processor.pads and parser.processor.size == (64, 48)
    item = task.validation[0]
    photo = Image.fromarray(item["picture"].movedim(0, -1).numpy())
    with torch.no_grad():
        expected = predicted(task.model, item["picture"][None])[0].numpy()
    assert (np.asarray(parser([photo])[0]) == expected).mean() > 0.999
    bundle(tmp_path / "export", tmp_path / "bundled")
    halved = Parser.from_pretrained(tmp_path / "bundled")([photo])[0]
    assert (np.asarray(halved) == expected).mean() > 0.98
    with pytest.raises(ToileError, match="Linear"):
        task.export(torch.nn.Linear(1, 1), tmp_path)


def test_the_parser_is_small() -> None:
    from transformers import SegformerForSemanticSegmentation

    model = SegformerForSemanticSegmentation(parser_config(ParserRecipe()))
    assert sum(parameter.numel() for parameter in model.parameters()) <= 2_000_000


def test_it_trains_by_name(tmp_path: Path) -> None:
    training = find_training("parser")
    recipe = replace(
        RECIPE, optimization=replace(training.recipe().optimization, steps=2, batch_size=2, warmup_steps=0)
    )
    run = RunSettings(folder=tmp_path / "run", validate_every=2, sample_every=2, device="cpu")
    export = training.start(recipe, Sources(cache=tmp_path / "cache"), run)
    assert len(Parser.from_pretrained(export).labels) == 20
    assert (tmp_path / "run" / "samples" / "step_000002.png").is_file()
