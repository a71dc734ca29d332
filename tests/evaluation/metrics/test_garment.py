import numpy as np
import pytest
import torch
from scipy import ndimage
from skimage.color import deltaE_ciede2000, rgb2lab
from tests.evaluation.pictures import blurred, filled, silhouettes, textured

from toile.errors import ToileError
from toile.evaluation.metrics import delta_e_2000, edge_agreement, l1_within, silhouette_iou, sobel

TRUE = textured(4)
NOISY = (TRUE + 0.1 * torch.randn(TRUE.shape, generator=torch.Generator().manual_seed(1))).clamp(0, 1)


def as_array(picture: torch.Tensor) -> np.ndarray:
    return picture.double().movedim(0, -1).numpy()


def test_sobel_agrees_with_scipy() -> None:
    found = sobel(TRUE[:1])[0]
    for channel in range(3):
        plane = TRUE[0, channel].double().numpy()
        for axis, row in ((1, 0), (0, 1)):
            expected = ndimage.sobel(plane, axis=axis, mode="nearest") / 8
            assert np.allclose(found[2 * channel + row].numpy(), expected, atol=1e-6)


def test_l1_within_is_the_mean_inside_only() -> None:
    inside = silhouettes(4)
    outside_changed = torch.where(inside > 0, TRUE, torch.zeros(()))
    assert l1_within(outside_changed, TRUE, inside).tolist() == [0, 0, 0, 0]
    assert l1_within(TRUE + 0.25, TRUE, inside).tolist() == pytest.approx([0.25] * 4, abs=1e-6)
    mask = inside[1, 0].bool().numpy()
    expected = np.abs(as_array(NOISY[1]) - as_array(TRUE[1]))[mask].mean()
    assert float(l1_within(NOISY, TRUE, inside)[1]) == pytest.approx(expected, rel=1e-5)


def test_edges_of_equal_flat_unrelated_and_reversed_pictures() -> None:
    inside = silhouettes(4)
    assert edge_agreement(TRUE, TRUE, inside).tolist() == pytest.approx([1] * 4, abs=1e-5)
    assert edge_agreement(filled(TRUE), TRUE, inside).abs().max() < 0.01
    assert edge_agreement(torch.ones_like(TRUE), TRUE, inside).abs().max() < 0.01
    assert edge_agreement(textured(4, seed=9), TRUE, inside).abs().max() < 0.2
    assert edge_agreement(1 - TRUE, TRUE, inside).max() < -0.98


def test_edges_of_weaker_gradients_follow_the_formula() -> None:
    inside = silhouettes(4)
    weaker = 0.5 + 0.4 * (TRUE - 0.5)
    assert edge_agreement(weaker, TRUE, inside).tolist() == pytest.approx([0.8 / 1.16] * 4, abs=0.005)


def test_edges_fall_with_blur_and_with_shift() -> None:
    inside = silhouettes(4)
    scores = [edge_agreement(blurred(TRUE, grain), TRUE, inside).mean() for grain in (1, 3, 7, 15)]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] > 0.99 and scores[-1] < 0.5
    shifts = [edge_agreement(TRUE.roll(step, dims=3), TRUE, inside).mean() for step in (0, 1, 3)]
    assert shifts == sorted(shifts, reverse=True)


def test_edges_ignore_the_outline() -> None:
    inside = silhouettes(4)
    ground = torch.where(inside > 0, TRUE, torch.zeros(()))
    assert edge_agreement(ground, TRUE, inside).tolist() == pytest.approx([1] * 4, abs=1e-5)


def test_edges_of_a_plain_garment_ask_for_no_edges() -> None:
    inside = silhouettes(4)
    plain = filled(TRUE)
    assert edge_agreement(plain, plain, inside).tolist() == pytest.approx([1] * 4, abs=1e-5)
    assert edge_agreement(TRUE, plain, inside).max() < 0.1


def test_a_garment_too_thin_for_the_coarse_scales_is_scored_by_the_fine_one() -> None:
    inside = torch.zeros(1, 1, 64, 48)
    inside[:, :, :, 20:28] = 1
    score = edge_agreement(TRUE[:1], TRUE[:1], inside)
    assert float(score) == pytest.approx(1, abs=1e-5)


def test_silhouette_iou() -> None:
    inside = silhouettes(4)
    assert silhouette_iou(filled(TRUE) * 0.9 * inside + (1 - inside), inside).tolist() == [1, 1, 1, 1]
    assert silhouette_iou(torch.ones_like(TRUE), inside).tolist() == [0, 0, 0, 0]
    everything = silhouette_iou(torch.zeros_like(TRUE), inside)
    assert everything.tolist() == pytest.approx(inside.mean((1, 2, 3)).tolist())


def test_colour_error_agrees_with_scikit_image() -> None:
    inside = silhouettes(4)
    found = delta_e_2000(NOISY, TRUE, inside)
    for row in range(4):
        difference = deltaE_ciede2000(rgb2lab(as_array(TRUE[row])), rgb2lab(as_array(NOISY[row])))
        expected = difference[inside[row, 0].bool().numpy()].mean()
        assert float(found[row]) == pytest.approx(expected, rel=1e-5)  # its constants have four digits


def test_colour_error_looks_inside_only() -> None:
    inside = silhouettes(4)
    outside_changed = torch.where(inside > 0, TRUE, torch.zeros(()))
    assert delta_e_2000(outside_changed, TRUE, inside).tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("metric", [l1_within, edge_agreement, delta_e_2000])
def test_an_empty_silhouette_is_refused(metric) -> None:
    inside = silhouettes(4)
    inside[2] = 0
    with pytest.raises(ToileError, match=r"\[2\] are empty"):
        metric(TRUE, TRUE, inside)
