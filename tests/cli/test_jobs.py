from pathlib import Path

import pytest
from PIL import Image
from tests.data.small_parser import figure

from toile.cli.automatic_masks import NotedMasks
from toile.cli.jobs import check_not_inputs, load_job, load_region, output_paths, plan_jobs
from toile.errors import ToileError


def test_jobs(tmp_path):
    a, b, mask = tmp_path / "a.jpg", tmp_path / "b.jpg", tmp_path / "m.png"
    for path in (a, b, mask):
        path.touch()
    assert [job.output for job in plan_jobs([a, b])] == [Path("a-garment.png"), Path("b-garment.png")]
    assert plan_jobs([a], what="mask")[0].output == Path("a-mask.png")
    assert plan_jobs([a], output=tmp_path)[0].output == tmp_path / "a-garment.png"
    assert plan_jobs([a], output=tmp_path / "x.PNG", mask=mask)[0].mask == mask
    for photos, options, message in [
        ([], {}, "no photo"),
        ([a, b], {"output": tmp_path / "x.png"}, "one file for 2 photos"),
        ([a, b], {"mask": mask}, "one file for 2 photos"),
        ([a], {"output": tmp_path / "x.jpg"}, r"ends in \.jpg"),
        ([a, tmp_path / "other" / "a.png"], {}, "would both be written"),
        ([mask], {"output": mask}, "is one of the photos"),
        ([a], {"mask": tmp_path / "gone.png"}, "does not exist"),
    ]:
        with pytest.raises(ToileError, match=message):
            plan_jobs(photos, **options)


def test_a_folder_of_masks_as_toile_mask_writes_them(tmp_path):
    for name in ("a.png", "b-mask.png"):
        (tmp_path / name).touch()
    jobs = plan_jobs([Path("a.jpg"), Path("b.jpg"), Path("c.jpg")], output=tmp_path / "out", mask=tmp_path)
    assert [job.mask.name for job in jobs] == ["a.png", "b-mask.png", "c.png"]


def test_where_results_go(tmp_path):
    assert output_paths(["a.png"], None) == [Path("a.png")]
    assert output_paths(["a.png", "b.png"], tmp_path / "new") == [
        tmp_path / "new/a.png",
        tmp_path / "new/b.png",
    ]
    assert output_paths(["a.png"], tmp_path / "x.png") == [tmp_path / "x.png"]


def test_what_is_read_is_not_written_over(tmp_path):
    check_not_inputs([tmp_path / "a.png"], [tmp_path / "b.png"])
    with pytest.raises(ToileError, match="one of the photos"):
        check_not_inputs([tmp_path / "a.png"], [tmp_path / "b.png", tmp_path / "new" / ".." / "a.png"])


def test_a_region_remains_at_the_size_that_is_worked_at(mask_file):
    photo = Image.new("RGB", (40, 60))
    assert load_region(mask_file(), photo, (64, 32)).getbbox() == (10, 10, 30, 50)
    with pytest.raises(ToileError, match="nothing remains at 64×32"):
        load_region(mask_file(box=(3, 3, 4, 4)), photo, (64, 32))


def test_where_a_mask_is_from(picture_file, mask_file, parser_folder, tmp_path):
    figure()[0].save(tmp_path / "ann.png")
    finder = NotedMasks("upper", parser=str(parser_folder))
    photo = picture_file("a.png", color=(230, 230, 230))
    for path, mask, origin in (
        (photo, mask_file(), True),
        (tmp_path / "ann.png", None, "automatic"),
        (photo, None, False),
    ):
        (job,) = plan_jobs([path], output=tmp_path / "out", mask=mask)
        loaded = load_job(job, (96, 64), finder)
        assert loaded.mask_origin == origin and (loaded.mask is None) == (origin is False)
    assert load_job(job, (96, 64)).mask is None and finder.missed == ["a.png"]
