import pytest
import torch
from tests.comfyui.calls import apart, call

from toile.errors import ToileError


def dolls(doll, count: int = 2) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    drawn = [doll(index) for index in range(count)]
    return tuple(torch.cat([one[number] for one in drawn]) for number in range(3))


def test_a_batch_is_tried_on(models, doll):
    persons, garments, masks = dolls(doll)
    worn, used, candidates, notes = call(
        "ToileTryOn", models=models, person=persons, garment=garments.flip(0), mask=masks, seed=7
    )
    assert worn.shape == (2, 64, 32, 3)
    assert torch.equal(used, masks) and torch.equal(candidates, worn) and notes == ""
    alone = call(
        "ToileTryOn", models=models, person=persons[1:], garment=garments[:1], mask=masks[1:], seed=8
    )[0]
    assert apart(worn[1:], alone) <= 1.01


def test_one_garment_serves_a_batch_of_persons_and_the_other_way_round(models, doll):
    persons, garments, masks = dolls(doll)
    one = call("ToileTryOn", models=models, person=persons, garment=garments[:1], mask=masks)[0]
    other = call("ToileTryOn", models=models, person=persons[:1], garment=garments, mask=masks[:1])[0]
    assert len(one) == len(other) == 2
    assert apart(one[0], other[0]) <= 1.01 and apart(one[1], other[1]) > 1


def test_what_is_not_masked_stays(models, doll):
    persons, garments, masks = dolls(doll, 1)
    arguments = {"models": models, "person": persons, "garment": garments, "mask": masks}
    kept = call("ToileTryOn", **arguments)[0]
    free = call("ToileTryOn", **arguments, repaint=False)[0]
    corner = (0, slice(0, 4), slice(4, 28))
    assert apart(kept[corner], torch.ones(())) < apart(free[corner], torch.ones(())) or apart(kept, free) > 1


def test_without_a_mask_the_usual_place_is_repainted(models, doll):
    persons, garments, _ = dolls(doll, 1)
    _, used, _, notes = call("ToileTryOn", models=models, person=persons, garment=garments, find_mask=False)
    assert 0 < float(used.mean()) < 1
    assert "a box over the usual place of the category (upper) is repainted" in notes


def test_the_best_candidate_is_kept(models, doll):
    persons, garments, masks = dolls(doll)
    worn, _, candidates, notes = call(
        "ToileTryOn", models=models, person=persons, garment=garments, mask=masks, candidates=2, seed=3
    )
    assert len(worn) == 2 and len(candidates) == 4
    lines = notes.splitlines()
    assert [line.split(":")[0] for line in lines] == ["picture 1"] * 2 + ["picture 2"] * 2
    seeds = [int(line.split("seed ")[1].split(":")[0]) for line in lines]
    distances = [float(line.rsplit(" ", 1)[1]) for line in lines]
    assert sorted(seeds[:2]) == [3, 4] and sorted(seeds[2:]) == [5, 6]
    assert distances[0] <= distances[1] and distances[2] <= distances[3]
    assert torch.equal(worn[0], candidates[seeds[0] - 3]) and torch.equal(worn[1], candidates[seeds[2] - 3])


def test_batches_that_do_not_go_together_are_refused(models, doll):
    persons, garments, _ = dolls(doll, 3)
    with pytest.raises(ToileError, match="the garment is a batch of 2 beside a batch of 3"):
        call("ToileTryOn", models=models, person=persons, garment=garments[:2])
