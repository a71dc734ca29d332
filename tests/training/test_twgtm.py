"""TWGTM's task: each pair serves both directions, and the batch is what the paper says."""

from dataclasses import replace

import pytest
import torch
from torch.utils.data import default_collate

from toile.data.open import open_pairs
from toile.training.twgtm import TWGTMTask
from toile.training.twgtm_start import load_twgtm
from toile.training.two_way_pairs import TwoWayPairs
from toile.twgtm.panels import left_panel, right_panel
from toile.twgtm.recipes import TWGTMRecipe, tiny_stage_1, tiny_stage_2

SIZE = (64, 64)
CELLS = (8, 8)
SOURCE = "dolls:0:4"


def make_task(recipe: TWGTMRecipe) -> TWGTMTask:
    """The task of a recipe on a few small dolls."""
    torch.manual_seed(0)
    recipe = replace(recipe, size=SIZE)
    parts, model = load_twgtm(recipe)
    pairs = TwoWayPairs(open_pairs(SOURCE, size=SIZE), SIZE, recipe.tasks, points_at=CELLS)
    return TWGTMTask(recipe, model, parts, pairs, pairs)


def make_batch(task: TWGTMTask, count: int = 4) -> dict[str, torch.Tensor]:
    """The first items of its data."""
    return default_collate([task.dataset[index] for index in range(count)])


def seeded(seed: int = 0) -> torch.Generator:
    """A generator of its own."""
    return torch.Generator().manual_seed(seed)


def test_every_pair_serves_both_directions_half_and_half():
    pairs = TwoWayPairs(open_pairs(SOURCE, size=SIZE), SIZE)
    items = [pairs[index] for index in range(len(pairs))]
    assert [bool(item["taking_off"]) for item in items] == [False, True] * 4
    for one, other in zip(items[::2], items[1::2], strict=True):
        assert torch.equal(one["person"], other["person"]) and torch.equal(one["garment"], other["garment"])
    for tasks, expected in (("try_on", False), ("take_off", True)):
        single = TwoWayPairs(open_pairs(SOURCE, size=SIZE), SIZE, tasks)
        assert len(single) == 4 and all(bool(single[i]["taking_off"]) == expected for i in range(4))


def test_points_lead_from_the_targets_panel_into_the_references():
    assert "points" not in TwoWayPairs(open_pairs(SOURCE, size=SIZE), SIZE)[0]
    pairs = TwoWayPairs(open_pairs(SOURCE, size=SIZE), SIZE, points_at=CELLS)
    for index in range(len(pairs)):
        points = pairs[index]["points"]
        left, right = points[:, :8], points[:, 8:]
        known = ~left.isnan().any(dim=-1)
        assert points.shape == (8, 16, 2) and right.isnan().any(dim=-1).all() and known.sum() > 2
        assert (left[known][:, 0] >= 0.5).all() and (left[known] <= 1).all()
    off, on = pairs[1]["points"][:, :8], pairs[0]["points"][:, :8]
    row, column = (~off.isnan().any(dim=-1)).nonzero()[0].tolist()  # there and back again
    x, y = off[row, column]
    back = on[int(y * 8), int((x - 0.5) * 2 * 8)]
    there = torch.tensor([0.5 + (column + 0.5) / 16, (row + 0.5) / 8])
    torch.testing.assert_close(back, there, atol=0.15, rtol=0)


@pytest.mark.parametrize("recipe", [tiny_stage_1(), tiny_stage_2()], ids=["stage 1", "stage 2"])
def test_the_correspondence_is_asked_of_the_canvas_in_both_stages(recipe):
    task = make_task(replace(recipe, correspondence_weight=0.5))
    losses = task.loss(task.model, make_batch(task), seeded())
    assert 1 < losses["correspondence_loss"] < 12
    plain = make_task(recipe).loss(task.model, make_batch(task), seeded())
    torch.testing.assert_close(losses["loss"], plain["loss"] + 0.5 * losses["correspondence_loss"])


@pytest.mark.parametrize("recipe", [tiny_stage_1(), tiny_stage_2()], ids=["stage 1", "stage 2"])
def test_a_batch_is_panels_and_their_references(recipe):
    task = make_task(recipe)
    batch = make_batch(task)
    made = task.prepare(batch, seeded())
    person, garment = (batch[name].float() / 127.5 - 1 for name in ("person", "garment"))
    silhouette = batch["silhouette"].float() / 255
    for row in range(4):
        off = bool(batch["taking_off"][row])
        left, right = (garment, person) if off else (person, garment)
        torch.testing.assert_close(made["target"][row], left[row])
        torch.testing.assert_close(made["picture"][row], right[row])
        repaint = made["repaint"][row]
        if not off:
            assert torch.equal(repaint, batch["mask"][row].float() / 255)
        elif recipe.stage == 1:
            assert torch.equal(repaint, (silhouette[row] > 0.5).float())
        else:
            rows, columns = repaint[0].any(1).sum(), repaint[0].any(0).sum()
            assert int(repaint.sum()) == int(rows * columns)  # a rectangle
        known = made["known"][row : row + 1]
        assert torch.equal(left_panel(known)[0], 1 - repaint)
        assert right_panel(known).min() == 1
    wide = torch.cat([made["target"], made["picture"]], dim=-1)
    with torch.no_grad():
        expected = task.encoder.vae.encode(wide).latent_dist.mode() * task.encoder.vae.config.scaling_factor
    torch.testing.assert_close(made["target_latents"], expected, rtol=0.05, atol=0.05)  # bfloat16


def test_now_and_then_nothing_is_known_of_the_garments_place():
    task = make_task(replace(tiny_stage_2(), full_mask_probability=1.0))
    made = task.prepare(make_batch(task), seeded())
    assert made["repaint"][1::2].min() == 1  # taking off
    assert made["repaint"][::2].min() == 0  # trying on


def test_a_stage_has_its_losses():
    first, second = make_task(tiny_stage_1()), make_task(tiny_stage_2())
    assert set(first.loss(first.model, make_batch(first), seeded())) == {"loss", "noise_loss", "mask_loss"}
    assert set(second.loss(second.model, make_batch(second), seeded())) == {"loss", "noise_loss"}


def test_validation_tells_loss_and_silhouette():
    task = make_task(tiny_stage_1())
    task.model.eval()
    with torch.no_grad():
        figures = task.validate(task.model)
    assert set(figures) == {"unseen_loss", "silhouette_iou"}
    assert 0 <= figures["silhouette_iou"] < 1
    silhouettes = iter(default_collate([task.unseen[i]["silhouette"] for i in (1, 3, 5, 7)]).split(4))
    task.model.silhouette = lambda _: next(silhouettes).float() / 255
    assert task._silhouette_iou(task.model) == 1


def test_the_sample_shows_both_directions():
    task = make_task(replace(tiny_stage_2(), num_inference_steps=1))
    task.model.eval()
    with torch.no_grad():
        picture = task.sample(task.model)
    rows = 4  # persons, garments, tried on, taken off
    assert picture.size == (4 * (SIZE[1] + 4), rows * (SIZE[0] + 4))


def test_the_export_goes_on_in_the_second_stage(tmp_path):
    task = make_task(tiny_stage_1())
    task.export(task.model, tmp_path)
    parts, model = load_twgtm(replace(tiny_stage_2(), size=SIZE, initial_weights=str(tmp_path)))
    for name, tensor in task.model.state_dict().items():
        assert torch.equal(model.state_dict()[name], tensor), name
    assert parts.scheduler.config.prediction_type == "v_prediction"
