"""Which weights the metrics' networks are read from, and what stands in a result to tell them apart."""

import hashlib
from dataclasses import dataclass, fields
from pathlib import Path

from huggingface_hub import snapshot_download
from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

from toile.bundled import TINY, weights_folder
from toile.errors import ToileError
from toile.evaluation.doll_features import BUNDLED

WEIGHTS = ("*.safetensors", "*.bin", "*.pth", "*.pt")
"""What files of weights are called."""


@dataclass(frozen=True, kw_only=True)
class Backbones:
    """Where the weights of each network are: a file or a folder, or for CLIP and DINO also a hub name.

    Nothing is looked for before a metric asks for it, and no network ever takes another's place.
    """

    inception: Path | None = None
    """FID's Inception-v3: pt_inception-2015-12-05-6726825d.pth."""
    vgg16: Path | None = None
    """torchvision's VGG-16, for LPIPS (vgg) and DISTS: vgg16-397923af.pth."""
    alexnet: Path | None = None
    """torchvision's AlexNet, for LPIPS (alex): alexnet-owt-7be5be79.pth."""
    squeezenet: Path | None = None
    """torchvision's SqueezeNet 1.1, for LPIPS (squeeze): squeezenet1_1-b8a52dc0.pth."""
    lpips: Path | None = None
    """A folder with LPIPS's own alex.pth, vgg.pth and squeeze.pth; None takes torchmetrics' copies."""
    dists: Path | None = None
    """DISTS's own α and β; None takes torchmetrics' copy."""
    clip: str = "openai/clip-vit-base-patch32"
    """CLIP-T, CLIP-I, CLIP-I* and CLIP-FID; the default is the one that clean-fid's CLIP-FID takes."""
    clip_l: str = "openai/clip-vit-large-patch14"
    """What the aesthetic head was trained on."""
    dino: str = "facebook/dino-vits16"
    """DINO or DINOv2."""
    aesthetic: Path | None = None
    """LAION's aesthetic head: sac+logos+ava1-l14-linearMSE.pth."""
    twgtm: str = "tiny"
    """The TWGTM that takes off again for the round trip: `tiny`, a folder, or a hub name."""
    dolls: Path = BUNDLED
    """The network behind DISTS-dolls, FD-dolls and KD-dolls."""

    def source(self, name: str) -> str | None:
        """Where the weights of a network are, as given; None where nothing was.

        Raises:
            ToileError: when there is no network of that name.
        """
        known = [field.name for field in fields(self)]
        if name not in known:
            raise ToileError(f"there is no backbone {name!r}; there are {', '.join(known)}")
        given: Path | str | None = getattr(self, name)
        if name == "twgtm" and given == TINY:
            given = weights_folder() / "twgtm"
        return None if given is None else str(given)


def weights_hash(source: str | Path) -> str:
    """The SHA-256 of a file, or of all weights in a folder by name, or of a hub name's downloaded copy.

    Raises:
        ToileError: when there is nothing of that name on this machine, or a folder holds no weights.
    """
    path = Path(source)
    if path.is_file():
        return _hash([path])
    folder = path if path.is_dir() else _downloaded(str(source))
    own = sorted(file for pattern in WEIGHTS for file in folder.glob(pattern))
    files = own or sorted(file for pattern in WEIGHTS for file in folder.rglob(pattern))  # a pipeline's parts
    if not files:
        raise ToileError(f"{folder} holds no weights ({', '.join(WEIGHTS)})")
    return _hash(files)


def _downloaded(name: str) -> Path:
    """The folder of a hub name's copy; nothing is downloaded."""
    try:
        return Path(snapshot_download(name, local_files_only=True))
    except (LocalEntryNotFoundError, HFValidationError, OSError) as error:
        raise ToileError(
            f"{name} is no file or folder, and no hub name that was downloaded; give a path, or use it once"
        ) from error


def _hash(files: list[Path]) -> str:
    digest = hashlib.sha256()
    for path in files:
        if len(files) > 1:
            digest.update(path.name.encode() + b"\0")
        with path.open("rb") as file:
            while chunk := file.read(2**20):
                digest.update(chunk)
    return digest.hexdigest()
