"""Values and features gathered batch by batch, in any order, by any number of processes, and stopped at will.

Legend: `B` pictures of a batch, `N` pictures so far, `D` numbers of a feature vector.
"""

import hashlib
import json
import math
from collections import Counter
from collections.abc import Container, Mapping, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float, Float32, Float64, Shaped
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from toile.errors import ToileError
from toile.files import whole_file

FOLD_ROWS = 256
"""Vectors are gathered to so many before they enter the moments: small batches cost no more than large."""


class PerImageAccumulator:
    """The value of every picture by its identifier; NaN means: not measured.

    Neither the order nor the size of the batches matters: `mean` sums exactly.
    """

    def __init__(self) -> None:
        """Start with no values."""
        self._values: dict[str, float] = {}

    def __len__(self) -> int:
        """How many pictures have a value, NaN included."""
        return len(self._values)

    @property
    def values(self) -> Mapping[str, float]:
        """Every picture's value, by identifier in sorted order."""
        return dict(sorted(self._values.items()))

    def add(self, identifiers: Sequence[str], values: Float64[np.ndarray, " B"]) -> None:
        """Take in a batch.

        Raises:
            ToileError: when there are not as many values as identifiers, or a picture already has a value.
        """
        if len(identifiers) != len(values):
            raise ToileError(
                f"{len(values)} values for {len(identifiers)} pictures; give one value a picture"
            )
        _refuse_twice(identifiers, self._values)
        self._values.update(zip(identifiers, values.tolist(), strict=True))

    def merge(self, other: "PerImageAccumulator") -> None:
        """Take in what another process has gathered about other pictures.

        Raises:
            ToileError: when both have a picture.
        """
        self.add(list(other._values), np.array(list(other._values.values()), dtype=np.float64))

    def mean(self) -> float:
        """The mean over the pictures that were measured, NaN when there are none."""
        measured = [value for value in self._values.values() if not math.isnan(value)]
        return math.fsum(measured) / len(measured) if measured else math.nan

    def state(self) -> dict[str, float]:
        """Everything there is to keep, for a file."""
        return dict(self.values)

    @classmethod
    def from_state(cls, state: Mapping[str, float]) -> "PerImageAccumulator":
        """Go on from what `state` gave."""
        accumulator = cls()
        accumulator._values = {identifier: float(value) for identifier, value in state.items()}
        return accumulator


class FeatureAccumulator:
    """Count, mean and scatter of feature vectors in float64; the vectors themselves on disk where asked for.

    Memory holds D² numbers, however many pictures there are. Moments are merged as Chan et al. do, about the
    mean, so that nothing cancels when the mean is large.

    Source: Chan, Golub and LeVeque 1979, "Updating formulae and a pairwise algorithm for computing sample
    variances".
    """

    def __init__(self, dimension: int, *, folder: Path | None = None) -> None:
        """Start with no vectors.

        Args:
            dimension: how many numbers a vector has.
            folder: where the vectors are kept, a safetensors file a batch; None keeps the moments alone.
        """
        self._folder = folder
        self._count = 0
        self._mean = np.zeros(dimension)
        self._scatter = np.zeros((dimension, dimension))
        self._pending: list[np.ndarray] = []
        self._chunks: list[int] = []

    def __len__(self) -> int:
        """How many vectors there are."""
        return self._count + sum(map(len, self._pending))

    @property
    def dimension(self) -> int:
        """How many numbers a vector has."""
        return len(self._mean)

    @property
    def mean(self) -> Float64[np.ndarray, " D"]:
        """The mean vector."""
        self._fold()
        return self._mean.copy()

    @property
    def covariance(self) -> Float64[np.ndarray, "D D"]:
        """The sample covariance, divided by N - 1.

        Raises:
            ToileError: when there are fewer than two vectors.
        """
        self._fold()
        if self._count < 2:
            raise ToileError(f"a covariance needs at least two pictures, not {self._count}")
        covariance: np.ndarray = self._scatter / (self._count - 1)
        return covariance

    def add(self, identifiers: Sequence[str], features: Float32[np.ndarray, "B D"]) -> None:
        """Take in a batch, and write it to the folder if there is one.

        Raises:
            ToileError: when the vectors have another length, one is not finite, there are not as many as
                identifiers, a picture or the batch comes twice, or the batch's file cannot be written.
        """
        self._check(identifiers, features)
        if not len(features):
            return
        if self._folder is not None:
            chunk = _chunk_number(identifiers)
            if chunk in self._chunks:
                raise ToileError(f"the batch of {identifiers[0]} was added twice; every picture counts once")
            with whole_file(_chunk_path(self._folder, chunk)) as beside:
                save_file(
                    {"features": np.ascontiguousarray(features)},
                    beside,
                    metadata={"identifiers": json.dumps(list(identifiers))},
                )
            self._chunks.append(chunk)
        self._pending.append(features.astype(np.float64))
        if sum(map(len, self._pending)) >= FOLD_ROWS:
            self._fold()

    def merge(self, other: "FeatureAccumulator") -> None:
        """Take in what another process has gathered about other pictures, in the same folder if in any.

        Raises:
            ToileError: when the vectors have another length, or the two share a batch or not the folder.
        """
        if other.dimension != self.dimension:
            raise ToileError(
                f"vectors of {other.dimension} numbers cannot join vectors of {self.dimension}; "
                "gather the features of each network apart"
            )
        if other._folder != self._folder or set(other._chunks) & set(self._chunks):
            raise ToileError(
                f"features kept in {other._folder} cannot join those in {self._folder}; "
                "processes keep theirs in one folder, and each picture counts once"
            )
        self._fold()
        other._fold()
        self._join(other._count, other._mean, other._scatter)
        self._chunks += other._chunks

    def features(self) -> Float32[np.ndarray, "N D"]:
        """Every vector kept on disk, sorted by identifier, so that no order of batches shows.

        Raises:
            ToileError: when none were kept, a file is missing or damaged, or a picture occurs twice.
        """
        if self._folder is None:
            raise ToileError("no features were kept; give the accumulator a folder to keep them in")
        rows: dict[str, np.ndarray] = {}
        for chunk in self._chunks:
            identifiers, features = _read_chunk(_chunk_path(self._folder, chunk))
            _refuse_twice(identifiers, rows)
            rows.update(zip(identifiers, features, strict=True))
        if not rows:
            return np.zeros((0, self.dimension), np.float32)
        return np.stack([rows[identifier] for identifier in sorted(rows)])

    def state(self) -> dict[str, Shaped[np.ndarray, "..."]]:
        """Everything there is to keep besides the folder: count, mean, scatter, and which files count."""
        self._fold()
        return {
            "count": np.array(self._count, np.int64),
            "mean": self._mean.copy(),
            "scatter": self._scatter.copy(),
            "chunks": np.array(self._chunks, np.uint64),
        }

    @classmethod
    def from_state(
        cls, state: Mapping[str, Shaped[np.ndarray, "..."]], *, folder: Path | None = None
    ) -> "FeatureAccumulator":
        """Go on from what `state` gave, with the same folder. Files that are not of the state don't count."""
        accumulator = cls(len(state["mean"]), folder=folder)
        accumulator._count = int(state["count"])
        accumulator._mean, accumulator._scatter = state["mean"].copy(), state["scatter"].copy()
        accumulator._chunks = [int(chunk) for chunk in state["chunks"]]
        return accumulator

    def _check(self, identifiers: Sequence[str], features: np.ndarray) -> None:
        if features.shape != (len(identifiers), self.dimension):
            raise ToileError(
                f"features of the shape {features.shape} do not fit {len(identifiers)} pictures "
                f"of {self.dimension} numbers each"
            )
        if not np.isfinite(features).all():
            row = int((~np.isfinite(features)).any(axis=1).argmax())
            raise ToileError(f"the features of {identifiers[row]} are not finite; look at the picture")
        _refuse_twice(identifiers, ())

    def _fold(self) -> None:
        """Let the gathered vectors enter the moments."""
        if not self._pending:
            return
        rows: Float[np.ndarray, "B D"] = np.concatenate(self._pending)
        self._pending = []
        mean = rows.mean(axis=0)
        centred = rows - mean
        self._join(len(rows), mean, centred.T @ centred)

    def _join(self, count: int, mean: np.ndarray, scatter: np.ndarray) -> None:
        """Chan et al.'s update of count, mean and scatter by those of other vectors."""
        if not count:
            return
        total = self._count + count
        shift = mean - self._mean
        self._scatter += scatter + np.outer(shift, shift) * (self._count * count / total)
        self._mean += shift * (count / total)
        self._count = total


def _refuse_twice(identifiers: Sequence[str], known: Container[str]) -> None:
    """Refuse a batch with a picture that is known already, or is in it twice."""
    twice = [name for name, times in Counter(identifiers).items() if times > 1 or name in known]
    if twice:
        raise ToileError(f"{twice[0]} was measured twice; every picture counts once")


def _chunk_number(identifiers: Sequence[str]) -> int:
    """The same for the same pictures, in whatever process; 64 bits."""
    return int.from_bytes(hashlib.sha256(json.dumps(list(identifiers)).encode()).digest()[:8], "big")


def _chunk_path(folder: Path, chunk: int) -> Path:
    return folder / f"features-{chunk:016x}.safetensors"


def _read_chunk(path: Path) -> tuple[list[str], Float32[np.ndarray, "B D"]]:
    try:
        with safe_open(path, framework="numpy") as file:
            identifiers: list[str] = json.loads(file.metadata()["identifiers"])
            features: np.ndarray = file.get_tensor("features")
            return identifiers, features
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise ToileError(f"the features in {path} cannot be read ({error}); measure them again") from error
