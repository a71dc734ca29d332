"""Every fault of a deliberately broken dataset is found and named; the healthy ones are called healthy."""

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.data.doctor.breaking import Break, codes, found
from tests.data.doctor.broken_files import FILES, cut_png, zero_bytes
from tests.data.doctor.broken_layouts import DRESSCODE, PLAIN
from tests.data.doctor.broken_masks import MASKS, nobody
from tests.data.doctor.broken_sets import SETS, copied

from toile.data.doctor.checkup import check_dataset
from toile.data.doctor.findings import KINDS
from toile.errors import ToileError

SAMPLES = Path(__file__).parents[3] / ".." / "shared" / "samples"
needs_samples = pytest.mark.skipif(
    not SAMPLES.is_dir(), reason="the sample photos are not beside the repository"
)


def assert_broken(root: Path, breaking: Break) -> None:
    code, file = breaking(root)
    report = check_dataset(root)
    assert (code, file) in found(report), found(report)
    assert (
        report.exit_code == {"fault": 2, "warning": 1, "note": 0}[KINDS[code].severity]
        or report.exit_code == 2
    )


@pytest.mark.parametrize("breaking", (*FILES, *MASKS, *SETS), ids=lambda breaking: breaking.__name__)
def test_each_fault_is_found_and_named(
    breaking: Break, viton_hd: Path, copy_of: Callable[[Path], Path]
) -> None:
    assert_broken(copy_of(viton_hd), breaking)


@pytest.mark.parametrize("breaking", DRESSCODE, ids=lambda breaking: breaking.__name__)
def test_each_fault_in_dresscode_is_found_and_named(
    breaking: Break, dresscode: Path, copy_of: Callable[[Path], Path]
) -> None:
    assert_broken(copy_of(dresscode), breaking)


@pytest.mark.parametrize("breaking", PLAIN, ids=lambda breaking: breaking.__name__)
def test_each_fault_in_a_plain_folder_is_found_and_named(breaking: Break, plain_folder: Path) -> None:
    assert_broken(plain_folder, breaking)


def test_healthy_dolls_are_called_healthy(viton_hd: Path, dresscode: Path, plain_folder: Path) -> None:
    for root, layout in ((viton_hd, "VITON-HD"), (dresscode, "DressCode"), (plain_folder, "plain folder")):
        report = check_dataset(root)
        assert (report.layout, report.recognised, codes(report), report.exit_code) == (layout, True, set(), 0)
        assert report.verdict() == "It can be used: nothing wrong was found."


def test_processes_find_the_same(viton_hd: Path, copy_of: Callable[[Path], Path], monkeypatch) -> None:
    root = copy_of(viton_hd)
    for breaking in (zero_bytes, cut_png, nobody, copied):
        breaking(root)
    alone = check_dataset(root)
    monkeypatch.setattr("toile.data.doctor.checkup.WORTH_IT", 2)
    monkeypatch.setattr("toile.data.doctor.checkup.BATCH", 2)
    assert found(check_dataset(root, workers=2)) == found(alone) != set()


def test_nothing_is_changed(viton_hd: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in viton_hd.rglob("*")}
    check_dataset(viton_hd)
    assert {path: path.stat().st_mtime_ns for path in viton_hd.rglob("*")} == before


@pytest.mark.parametrize(
    ("name", "workers", "message"), [("gone", 1, "does not exist"), (".", 0, "at least 1")]
)
def test_what_cannot_be_examined(tmp_path: Path, name: str, workers: int, message: str) -> None:
    with pytest.raises(ToileError, match=message):
        check_dataset(tmp_path / name, workers=workers)


@needs_samples
def test_real_samples() -> None:
    small = check_dataset(SAMPLES / "viton-256-mini")
    assert small.exit_code == 1
    assert found(small) == {  # its two silhouettes with holes, which are really there
        ("silhouette-mismatch", "test/cloth-mask/013410_00.jpg"),
        ("silhouette-mismatch", "test/cloth-mask/014939_00.jpg"),
    }
