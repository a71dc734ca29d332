from pathlib import Path

import numpy as np
import pytest

from toile.cli.data_shards import MakeShards
from toile.data.open import open_pairs
from toile.errors import ToileError


def test_any_dataset_becomes_shards(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec = "dolls:0:3:mixed"
    assert MakeShards(data=spec, output=tmp_path / "out", size="64x48", split="test").run() == 0
    assert "3 pairs in 1 shards" in capsys.readouterr().out
    read, drawn = open_pairs(f"{tmp_path / 'out'}:test"), open_pairs(spec, size=(64, 48))
    assert [pair.identifier for pair in read] == [pair.identifier for pair in drawn]
    assert (np.asarray(read[2].person) == np.asarray(drawn[2].person)).all()


def test_unpaired_shards_are_opened_as_such(tmp_path: Path) -> None:
    MakeShards(data="dolls:0:2", output=tmp_path, size="64x48", unpaired=True).run()
    assert not open_pairs(f"shards:{tmp_path}", paired=False)[0].paired
    with pytest.raises(ToileError, match="hold unpaired pairs"):
        open_pairs(f"shards:{tmp_path}")


def test_bad_input_is_a_toile_error(tmp_path: Path) -> None:
    with pytest.raises(ToileError, match="no dataset at"):
        MakeShards(data=str(tmp_path / "gone"), output=tmp_path / "out").run()
    with pytest.raises(ToileError, match="shard-mebibytes"):
        MakeShards(data="dolls:0:1", output=tmp_path / "out", shard_mebibytes=0).run()
    assert not (tmp_path / "out").exists()
