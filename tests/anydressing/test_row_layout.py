import pytest
from diffusers import StableDiffusionPipeline

from toile.anydressing.row_layout import PIPELINES, RowLayout, running_layout
from toile.errors import ToileError


def layout(unconditional=True, perturbed=False, images_per_prompt=1):
    return RowLayout(unconditional=unconditional, perturbed=perturbed, images_per_prompt=images_per_prompt)


@pytest.mark.parametrize(
    ("rows", "outfits", "batch", "expected"),
    [
        (layout(), [(0, 1)], 2, (-1, (0, 1))),
        (layout(unconditional=False), [(0, 1)], 2, ((0, 1), (0, 1))),
        (layout(), [(0, 1), -1, (2,)], 6, (-1, -1, -1, (0, 1), -1, (2,))),
        (layout(images_per_prompt=2), [0, 1], 8, (-1, -1, -1, -1, 0, 0, 1, 1)),
        (layout(images_per_prompt=2), [0, 1, 2, 3], 8, (-1, -1, -1, -1, 0, 1, 2, 3)),
        (layout(perturbed=True), [0, 1], 6, (-1, -1, 0, 1, 0, 1)),
        (layout(unconditional=False, perturbed=True, images_per_prompt=2), [0], 4, (0, 0, 0, 0)),
    ],
)
def test_rows_of_groups_and_of_images_a_prompt(rows, outfits, batch, expected):
    assert rows.owners(outfits, batch) == expected


@pytest.mark.parametrize(
    ("rows", "outfits", "batch", "told"),
    [
        (layout(), [0], 3, "a batch of 3 rows is not 2 times"),
        (layout(images_per_prompt=2), [0], 6, "not 2 times 2 images"),
        (layout(), [0, 1], 8, "2 outfits do not fit 4 prompts"),  # it would divide, by accident
        (layout(), [0, 1, 2], 4, "3 outfits do not fit 2 prompts"),
        (layout(), [], 2, "0 outfits"),
    ],
)
def test_what_does_not_divide_is_refused(rows, outfits, batch, told):
    with pytest.raises(ToileError, match=told):
        rows.owners(outfits, batch)


def test_without_a_pipeline_there_is_no_layout():
    with pytest.raises(ToileError, match="for_rows"):
        running_layout()


def test_every_known_pipeline_says_what_is_asked():
    for pipeline in PIPELINES:
        assert "do_classifier_free_guidance" in dir(pipeline)
        assert ("do_perturbed_attention_guidance" in dir(pipeline)) == ("PAG" in pipeline.__name__)


class Wrapped(StableDiffusionPipeline):
    def __call__(self, *arguments, **keywords):
        return super().__call__(*arguments, **keywords)


class Rewritten(StableDiffusionPipeline):
    def __call__(self, *arguments, **keywords):
        return running_layout()


def test_a_pipeline_that_derives_counts_only_if_the_known_call_runs():
    from tests.anydressing.stock_pipelines import outfit, paint, pipeline

    from toile.anydressing.plug_in import install

    pipe = pipeline(Wrapped)
    install(pipe)
    paint(pipe, outfit())
    with pytest.raises(ToileError, match="for_rows"):
        pipeline(Rewritten)()
