"""Where each file of a WebDataset shard is, so that a pair is read without the ones before it.

A shard is a tar file. Its index is made once, by walking over the headers, and kept beside it as
`NAME.tar.index`: for each sample and each of `FIELDS` the place and the length of its bytes.
"""

import tarfile
from pathlib import Path, PurePosixPath

import numpy as np
from jaxtyping import Int64
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from toile.data.dataset_folder import checked_name
from toile.data.tar_members import MEMBER_LIMIT, tar_members
from toile.errors import ToileError
from toile.files import whole_file

FIELDS = ("json", "person", "garment", "mask", "silhouette", "parse")
"""What a sample is made of: `KEY.json` and `KEY.person.jpg`, `KEY.mask.png` and so on."""
NEEDED = ("json", "person", "garment")
VERSION = "1"

Index = Int64[np.ndarray, "samples fields 2"]
"""First byte and length of each file; (-1, 0) where a sample lacks it."""


def shard_index(path: Path) -> Index:
    """The index of a shard: the one beside it, or a new one, written beside it where that is allowed.

    Raises:
        ToileError: when the shard is missing, damaged, cut short or compressed, or holds links, names that
            lead elsewhere, or files too large.
    """
    try:
        stamp = {"version": VERSION, "size": str(path.stat().st_size)}
    except OSError as error:
        raise ToileError(f"the shard {path} cannot be read ({error.strerror or error})") from error
    beside = path.with_name(f"{path.name}.index")
    kept = _read(beside, stamp)
    if kept is not None:
        return kept
    index = build_index(path)
    try:
        with whole_file(beside) as part:
            save_file({"index": index}, part, metadata=stamp)
    except ToileError:  # a folder that is read only: the index is made again next time
        pass
    return index


def build_index(path: Path) -> Index:
    """Walk over a shard's headers. Samples keep their order.

    Raises:
        ToileError: as `shard_index`.
    """
    samples: dict[str, dict[str, tuple[int, int]]] = {}
    for member in tar_members(path):
        key, field = _key_and_field(path, member)
        if field not in FIELDS:
            continue
        sample = samples.setdefault(key, {})
        if field in sample:
            raise ToileError(f"the shard {path} holds {key}.{field} twice; write it again")
        sample[field] = member.offset_data, member.size
    _check_whole(path, samples)
    rows = [[sample.get(field, (-1, 0)) for field in FIELDS] for sample in samples.values()]
    return np.array(rows, np.int64).reshape(len(rows), len(FIELDS), 2)


def _key_and_field(path: Path, member: tarfile.TarInfo) -> tuple[str, str]:
    """`a/0001.person.jpg` is the person of the sample `a/0001`: WebDataset's keys end at the first dot."""
    name = PurePosixPath(checked_name(member.name, f"the shard {path}"))
    stem, _, rest = name.name.partition(".")
    return str(name.parent / stem), rest.partition(".")[0]


def _check_whole(path: Path, samples: dict[str, dict[str, tuple[int, int]]]) -> None:
    if not samples:
        raise ToileError(f"the shard {path} holds no pair; its files are named KEY.person.jpg and so on")
    for key, sample in samples.items():
        missing = next((field for field in NEEDED if field not in sample), None)
        if missing is not None:
            raise ToileError(f"the shard {path} lacks {key}.{missing}; write it again")


def _read(beside: Path, stamp: dict[str, str]) -> Index | None:
    """A kept index, unless it is another shard's, damaged or impossible."""
    try:
        with safe_open(beside, "np") as file:
            index: np.ndarray = file.get_tensor("index")
            same = file.metadata() == stamp
    except (SafetensorError, OSError):
        return None
    shaped = index.dtype == np.int64 and index.ndim == 3 and index.shape[1:] == (len(FIELDS), 2)
    if not same or not shaped or not len(index):
        return None
    starts, lengths = index[..., 0], index[..., 1]
    present = starts >= 0
    fits = (lengths >= 0) & (lengths <= MEMBER_LIMIT) & (starts <= int(stamp["size"]) - lengths)
    whole = present[:, [FIELDS.index(field) for field in NEEDED]].all()
    return index if whole and (fits | ~present).all() else None
