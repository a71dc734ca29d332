import numpy as np
import pytest
import torch
from PIL import Image
from tests.twgtm.small_pipeline import small_pictures, small_pipeline

from toile.diffusion.noise import item_generators
from toile.errors import ToileError
from toile.twgtm.round_trip import RoundTrip, best_of, garment_distance

SETTINGS = {"num_inference_steps": 1, "guidance_scale": 1.0}
BOX = (4, 8, 28, 56)


@pytest.fixture(scope="module")
def pipeline():
    return small_pipeline()


@pytest.fixture(scope="module")
def given() -> dict[str, Image.Image]:
    """A person, a garment with white around it, and a mask, of the canvas's size."""
    person, noise = small_pictures(0, (64, 32), (48, 24))
    garment, mask = Image.new("RGB", (32, 64), "white"), Image.new("L", (32, 64))
    garment.paste(noise.point(lambda value: value // 2), BOX[:2])
    mask.paste(255, (8, 16, 24, 48))
    return {"person": person, "garment": garment, "mask": mask}


def as_tensor(picture: Image.Image) -> torch.Tensor:
    return torch.from_numpy(np.array(picture)).movedim(-1, 0)[None] / 255


def test_the_best_is_what_a_round_trip_by_hand_finds(pipeline, given):
    seeds = (7, 3, 5)
    found = best_of(pipeline, **given, category="dress", seeds=seeds, **SETTINGS)
    silhouette = torch.zeros(1, 1, 64, 32)
    silhouette[:, :, BOX[1] : BOX[3], BOX[0] : BOX[2]] = 1
    images, distances = {}, {}
    for seed in seeds:
        worn = pipeline.try_on(**given, category="dress", generator=item_generators([seed]), **SETTINGS)
        images[seed] = worn.images[0]
        back = pipeline.take_off(
            images[seed], "dress", box=BOX, generator=item_generators([7]), **SETTINGS
        ).images[0]
        distance = garment_distance(as_tensor(back), as_tensor(given["garment"]), silhouette)
        distances[seed] = distance.item()
    assert list(found.distances) == list(seeds)
    assert found.distances == pytest.approx(distances, rel=1e-3)
    assert len(set(distances.values())) == 3
    assert found.seed == min(distances, key=lambda seed: distances[seed])
    assert np.abs(np.asarray(found.image).astype(int) - np.asarray(images[found.seed])).max() <= 1
    assert found.gain == pytest.approx(
        1 - min(distances.values()) / np.mean(list(distances.values())), rel=0.01
    )
    assert found.gain > 0


def test_candidates_that_keep_the_photo_are_judged_so(pipeline, given):
    found = best_of(pipeline, **given, seeds=[3], repaint=True, **SETTINGS)
    kept, photo = np.asarray(found.image), np.asarray(given["person"])
    np.testing.assert_array_equal(kept[:10], photo[:10])
    assert found.gain == 0


def test_both_ways_call_back(pipeline, given):
    steps = []
    best_of(pipeline, **given, seeds=[0, 1], callback_on_step_end=lambda *_: steps.append(1), **SETTINGS)
    assert len(steps) == 4


def test_a_garment_that_cannot_be_told_from_its_ground(pipeline, given):
    white = given | {"garment": Image.new("RGB", (32, 64), "white")}
    found = best_of(pipeline, **white, seeds=[0], **SETTINGS)
    assert 0 < found.distances[0] <= 1


@pytest.mark.parametrize("seeds", [[], [1, 2, 1]])
def test_seeds_that_make_no_sense(pipeline, given, seeds):
    with pytest.raises(ToileError, match="each one once"):
        best_of(pipeline, **given, seeds=seeds, **SETTINGS)


def test_the_distance_by_hand():
    garment, silhouette = torch.ones(1, 3, 8, 8), torch.zeros(1, 1, 8, 8)
    garment[..., :4, :4] = 0.5
    silhouette[..., :4, :4] = 1
    assert garment_distance(garment, garment, silhouette).item() == 0
    assert garment_distance(torch.ones(1, 3, 8, 8), garment, silhouette).item() == pytest.approx(
        0.5
    )  # missing
    twice = garment.clone()
    twice[..., 4:, 4:] = 0.5  # as much too much
    assert garment_distance(twice, garment, silhouette).item() == pytest.approx(0.5)
    stripes = garment.clone()
    stripes[..., :4, 0:4:2], stripes[..., :4, 1:4:2] = 0.3, 0.7  # unseen with 4×4 pixels averaged
    assert garment_distance(stripes, garment, silhouette).item() == pytest.approx(0.1)


def test_the_distance_of_each_item_is_its_own():
    pictures, garments = torch.rand(3, 3, 16, 8), torch.rand(3, 3, 16, 8)
    silhouettes = (torch.rand(3, 1, 16, 8) > 0.5).float()
    together = garment_distance(pictures, garments, silhouettes)
    for row in range(3):
        alone = garment_distance(pictures[row, None], garments[row, None], silhouettes[row, None])
        torch.testing.assert_close(alone[0], together[row])
    with pytest.raises(ToileError, match="silhouette is empty"):
        garment_distance(pictures, garments, torch.zeros(3, 1, 16, 8))


def test_equal_distances_gain_nothing():
    picture = Image.new("RGB", (1, 1))
    assert RoundTrip(images={0: picture}, seed=0, distances={0: 0.0, 1: 0.0}).gain == 0
    assert RoundTrip(images={0: picture}, seed=0, distances={0: 0.1, 1: 0.3}).gain == pytest.approx(0.5)
