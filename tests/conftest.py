"""What every test shares: one thread each, since they run side by side, and a small model."""

import os

os.environ["OMP_NUM_THREADS"] = "1"
os.environ["HF_HUB_OFFLINE"] = "1"

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def igr_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An IGR model with random weights and `tiny`'s shapes, in its real layout. Copy it to change it."""
    from toile.diffusion import tiny
    from toile.igr.model import CATEGORY_PROMPTS, IGRModel
    from toile.igr.pipeline import IGRPipeline

    torch.manual_seed(0)
    model = IGRModel.from_base(tiny.unet(), tiny.EMBEDDING)
    torch.nn.init.normal_(model.garment_net.conv_in.weight, std=0.1)  # the mask's channel would start at zero
    folder = tmp_path_factory.mktemp("igr")
    IGRPipeline(
        vae=tiny.vae(),
        text_encoder=tiny.text_encoder(),
        tokenizer=tiny.tokenizer(CATEGORY_PROMPTS.values()),
        image_encoder=tiny.image_encoder(),
        feature_extractor=tiny.feature_extractor(),
        garment_net=model.garment_net,
        unet=model.unet,
        low_level_extractor=model.extractor,
        scheduler=tiny.scheduler(),
        size=(64, 32),
    ).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def twgtm_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A TWGTM with random weights in its real layout, for panels of 64×32. Copy it to change it."""
    from tests.twgtm.small_pipeline import small_pipeline

    folder = tmp_path_factory.mktemp("twgtm")
    small_pipeline().save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def anydressing_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An AnyDressing with random weights in its real layout, for pictures of 64×32. Copy it to change it."""
    from tests.anydressing.small_pipeline import small_pipeline

    folder = tmp_path_factory.mktemp("anydressing")
    small_pipeline().save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def parser_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A parser that can tell the clothes of `tests.data.small_parser.figure`, in its real layout."""
    from tests.data.small_parser import overfitted_parser

    return overfitted_parser(tmp_path_factory.mktemp("parser"), steps=50)


@pytest.fixture
def picture_file(tmp_path: Path) -> Callable[..., Path]:
    """Make picture files: `picture_file("a.png", size=(40, 60), color="red", mode="RGB")`."""
    from PIL import Image

    def make(name: str, size: tuple[int, int] = (40, 60), color: object = "red", mode: str = "RGB") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new(mode, size, color).save(path)
        return path

    return make
