import pickle
from pathlib import Path

import pytest
import torch
from torch import Tensor

from toile.data.latent_cache import LatentCache, write_cache
from toile.errors import ToileError


class Encoder:
    """Encodes numbers; counts them, and stops at one when told to."""

    def __init__(self, stop_at: int | None = None) -> None:
        self.seen: list[int] = []
        self.stop_at = stop_at

    def __call__(self, items: list[int]) -> dict[str, Tensor]:
        if self.stop_at in items:
            raise KeyboardInterrupt
        self.seen += items
        numbers = torch.tensor(items)
        return {
            "latent": numbers[:, None, None].half().expand(-1, 2, 3),
            "mask": (numbers % 250).byte(),
            "tokens": numbers[:, None],
        }


def write(folder: Path, encoder: Encoder, *, count: int = 23, key: str = "k") -> LatentCache:
    return write_cache(folder, range(count), encoder, key=key, batch_size=4, shard_size=10)


@pytest.mark.parametrize("memory", [2**30, 0])
def test_items_come_back_in_their_dtypes(tmp_path: Path, memory: int) -> None:
    write(tmp_path / "cache", Encoder())
    cache = LatentCache(tmp_path / "cache", memory=memory)
    assert (len(cache), cache.key) == (23, "k")
    for index in (0, 9, 10, 22, 3):
        item = cache[index]
        assert (item["latent"] == index).all()
        assert item["latent"].shape == (2, 3)
        assert (item["mask"], item["tokens"].tolist()) == (index, [index])
        assert [item[name].dtype for name in ("latent", "mask", "tokens")] == [
            torch.float16,
            torch.uint8,
            torch.int64,
        ]
    assert cache[-1]["mask"] == 22
    with pytest.raises(IndexError):
        cache[23]


def test_an_item_can_be_changed_without_changing_the_cache(tmp_path: Path) -> None:
    cache = write(tmp_path, Encoder())
    cache[4]["latent"].zero_()
    assert (cache[4]["latent"] == 4).all()


def test_a_stopped_run_goes_on_where_it_was(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path, Encoder(stop_at=15))
    with pytest.raises(ToileError, match=r"not complete: shard-00001\.safetensors"):
        LatentCache(tmp_path)
    second = Encoder()
    cache = write(tmp_path, second)
    assert second.seen == list(range(10, 23))
    assert [int(cache[index]["mask"]) for index in range(23)] == list(range(23))
    third = Encoder()
    write(tmp_path, third)
    assert third.seen == []
    assert not list(tmp_path.glob("*.part"))


def test_another_key_or_count_is_refused(tmp_path: Path) -> None:
    write(tmp_path, Encoder())
    with pytest.raises(ToileError, match="key k, not other"):
        write(tmp_path, Encoder(), key="other")
    with pytest.raises(ToileError, match="count 23, not 24"):
        write(tmp_path, Encoder(), count=24)


def test_a_shard_of_another_cache_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "a", Encoder())
    write(tmp_path / "b", Encoder(), key="other")
    name = "shard-00001.safetensors"
    (tmp_path / "a" / name).write_bytes((tmp_path / "b" / name).read_bytes())
    cache = LatentCache(tmp_path / "a")
    assert cache[0]["mask"] == 0
    with pytest.raises(ToileError, match="belongs to another cache"):
        cache[10]


def test_damage_is_named(tmp_path: Path) -> None:
    write(tmp_path, Encoder())
    (tmp_path / "shard-00000.safetensors").write_bytes(b"damaged")
    with pytest.raises(ToileError, match=r"shard-00000\.safetensors is damaged"):
        LatentCache(tmp_path)[0]
    (tmp_path / "cache.json").write_text("{")
    with pytest.raises(ToileError, match=r"cache\.json is damaged"):
        LatentCache(tmp_path)
    with pytest.raises(ToileError, match="no latent cache"):
        LatentCache(tmp_path / "nothing")


@pytest.mark.parametrize("memory", [2**30, 0])
def test_a_cache_travels_to_a_worker(tmp_path: Path, memory: int) -> None:
    write(tmp_path, Encoder())
    cache = LatentCache(tmp_path, memory=memory)
    assert cache[7]["mask"] == 7
    assert pickle.loads(pickle.dumps(cache))[8]["mask"] == 8


def test_an_encoder_that_drops_items_is_a_bug(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="gave 3 rows"):
        write_cache(tmp_path, range(5), lambda items: {"a": torch.zeros(1)}, key="k", batch_size=2)
