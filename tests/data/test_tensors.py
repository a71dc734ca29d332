import numpy as np
import torch

from toile.data.doll_pairs import DollPairs
from toile.data.tensors import pair_tensors, to_tensor


def test_shapes_types_and_values() -> None:
    pair = DollPairs(1, 1, size=(64, 48))[0]
    tensors = pair_tensors(pair, (64, 48))
    assert {name: tuple(tensor.shape) for name, tensor in tensors.items()} == {
        "person": (3, 64, 48),
        "garment": (3, 64, 48),
        "mask": (1, 64, 48),
        "silhouette": (1, 64, 48),
    }
    assert all(tensor.dtype == torch.uint8 for tensor in tensors.values())
    assert set(tensors["mask"].unique().tolist()) == {0, 255}
    assert (tensors["person"].movedim(0, -1).numpy() == np.asarray(pair.person)).all()


def test_another_size_pads_with_white() -> None:
    tensors = pair_tensors(DollPairs(1, 1, size=(64, 48))[0], (64, 96))
    assert (tensors["garment"][:, :, :24] == 255).all()
    assert (tensors["mask"][:, :, :24] == 0).all()


def test_tensors_do_not_share_memory_with_the_picture() -> None:
    picture = DollPairs(1, 1, size=(64, 48))[0].mask
    to_tensor(picture).zero_()
    assert picture.getextrema()[1] == 255
