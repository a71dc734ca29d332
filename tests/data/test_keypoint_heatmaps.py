import numpy as np
import pytest
from tests.data.layouts import picture
from transformers.models.vitpose.image_processing_pil_vitpose import VitPoseImageProcessorPil

from toile.data.keypoint_heatmaps import cut_window, locate, person_window
from toile.data.pretrained import Processor

SIZE = (64, 48)
BOX = (10.0, 20.0, 70.0, 90.0)
PROCESSOR = VitPoseImageProcessorPil(size={"height": 64, "width": 48})


def bumps(points: np.ndarray, size: tuple[int, int] = (16, 12)) -> np.ndarray:
    """Gaussian heatmaps whose peaks are at the points, (x, y) in cells."""
    rows, columns = np.mgrid[: size[0], : size[1]]
    apart = (columns - points[:, :1, None]) ** 2 + (rows - points[:, 1:, None]) ** 2
    return (0.9 * np.exp(-apart / 8)).astype(np.float32)


@pytest.mark.parametrize("box", [BOX, (5.0, 5.0, 90.0, 30.0)])
def test_the_network_sees_what_transformers_shows_it(box: tuple[float, float, float, float]) -> None:
    photo = picture(1, (120, 100)).resize((100, 120))
    left, top, right, bottom = box
    theirs = PROCESSOR(photo, boxes=[[[left, top, right - left, bottom - top]]], return_tensors="pt")
    window = person_window(box, SIZE)
    mine = Processor(size=SIZE).pixels([_view(np.array(photo), window)])
    # OpenCV knows places to 1/32 of a pixel only
    assert float((mine - theirs["pixel_values"]).abs().mean()) < 0.02


def _view(photo: np.ndarray, window: tuple[float, float, float, float]):
    from PIL import Image

    return Image.fromarray(cut_window(photo, window, SIZE))


def test_peaks_are_found_below_a_cell() -> None:
    cells = np.array([[3.3, 7.6], [8.8, 2.1], [5.0, 12.45]])
    found = locate(bumps(cells), (0, 0, 11, 15))
    np.testing.assert_allclose(found[:, :2], cells, atol=0.12)
    assert (found[:, 2] > 0.8).all()


def test_points_are_those_of_transformers() -> None:
    heatmaps = bumps(np.random.default_rng(0).uniform(1, 10, (17, 2)))
    heatmaps += np.random.default_rng(1).uniform(0, 0.02, heatmaps.shape).astype(np.float32)
    left, top, right, bottom = BOX
    boxes = np.array([[left, top, right - left, bottom - top]])
    from types import SimpleNamespace

    import torch

    output = SimpleNamespace(heatmaps=torch.from_numpy(heatmaps[None]))
    theirs = PROCESSOR.post_process_pose_estimation(output, boxes=[boxes])[0][0]
    mine = locate(heatmaps, person_window(BOX, SIZE))
    np.testing.assert_allclose(mine[:, :2], theirs["keypoints"].numpy(), atol=0.02)
    np.testing.assert_allclose(mine[:, 2], theirs["scores"].numpy(), atol=1e-6)


def test_a_flat_heatmap_gives_a_finite_point() -> None:
    assert np.isfinite(locate(np.zeros((2, 16, 12), np.float32), BOX)).all()
