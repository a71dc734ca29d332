import ast
import inspect
import json
import shutil
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tests.twgtm.small_pipeline import SIZE, middle, small_pictures, small_pipeline

from toile.diffusion.noise import item_generators
from toile.diffusion.photos import prepare_pictures
from toile.errors import ToileError
from toile.twgtm import pipeline as pipeline_module
from toile.twgtm.panels import inference_panels, unet_input
from toile.twgtm.pipeline import TWGTMPipeline
from toile.twgtm.reference import make_reference

STEPS = 2
TASKS = ("try_on", "take_off")


@pytest.fixture(scope="module")
def pipeline() -> TWGTMPipeline:
    return small_pipeline()


@pytest.fixture(scope="module")
def folder(tmp_path_factory, pipeline) -> Path:
    """The same in its real layout. Copy it to change it."""
    saved = tmp_path_factory.mktemp("twgtm")
    pipeline.save_pretrained(saved)
    return saved


@pytest.fixture(scope="module")
def people() -> list[Image.Image]:
    return small_pictures(0, (64, 32), (50, 80), (90, 30))


@pytest.fixture(scope="module")
def garments() -> list[Image.Image]:
    return small_pictures(1, (70, 40), (64, 32), (40, 60))


@pytest.fixture(scope="module")
def masks(people) -> list[Image.Image]:
    return [middle(photo) for photo in people]


@pytest.fixture(scope="module")
def given(people, garments, masks):
    """The arguments of a task, for some of the items."""

    def choose(task: str, items: slice = slice(1)) -> dict:
        both = {"person": people[items], "category": ["upper", "lower", "dress"][items]}
        return both if task == "take_off" else {**both, "garment": garments[items], "mask": masks[items]}

    return choose


def run(pipeline: TWGTMPipeline, task: str, seeds=(0,), **options):
    defaults = {"output_type": "latent", "num_inference_steps": STEPS, "generator": item_generators(seeds)}
    return pipeline(task, **(defaults | options)).images


def loaded(name: Path | str) -> TWGTMPipeline:
    again = TWGTMPipeline.from_pretrained(name)
    again.set_progress_bar_config(disable=True)
    return again


def close(first: torch.Tensor, second: torch.Tensor) -> None:
    """Equal up to rounding, which depends on where the allocator puts things."""
    torch.testing.assert_close(first, second, rtol=0, atol=1e-4)


def noise(seed: int) -> torch.Tensor:
    return torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("task", TASKS)
def test_equals_the_loop_written_out(pipeline, people, garments, masks, task):
    """Two separate passes with the guidance's own formula, against the pipeline's one batch."""
    scale, model, trying_on = 2.2, pipeline.twgtm, task == "try_on"
    person, garment = (prepare_pictures(picture, SIZE) for picture in (people[0], garments[0]))
    mask = torch.tensor(np.asarray(masks[0]) / 255.0, dtype=torch.float32)[None, None]
    everything = torch.ones(1, 1, *SIZE)
    reference = garment if trying_on else person
    made = inference_panels(
        reference, mask if trying_on else everything, target=person if trying_on else None
    )
    with torch.no_grad():
        parts = pipeline.image_encoder, pipeline.feature_extractor, pipeline.tokenizer
        wardrobe = model.encode(make_reference(reference, ["dress"], *parts))
        guidance = pipeline.vae.encode(made.guidance).latent_dist.mode() * 0.7
        latents = noise(5)
        scheduler = type(pipeline.scheduler).from_config(pipeline.scheduler.config)
        scheduler.set_timesteps(STEPS)
        for timestep in scheduler.timesteps:
            seen = unet_input(latents, guidance, made.known)
            with_reference = model.denoise(seen, timestep, wardrobe)
            without = model.denoise(seen, timestep, wardrobe.for_rows([-1]))
            predicted = without + scale * (with_reference - without)
            latents = scheduler.step(predicted, timestep, latents).prev_sample
        picture = pipeline.vae.decode(latents / 0.7).sample[..., :32].clamp(-1, 1)
    arguments = {"person": people[0], "category": "dress", "guidance_scale": scale, "seeds": [5]}
    if trying_on:
        arguments |= {"garment": garments[0], "mask": masks[0]}
    torch.testing.assert_close(run(pipeline, task, **arguments), latents, rtol=1e-4, atol=1e-4)
    close(run(pipeline, task, **arguments, output_type="pt"), picture / 2 + 0.5)


@pytest.mark.parametrize("task", TASKS)
def test_seeds_belong_to_items(pipeline, given, task):
    together = run(pipeline, task, **given(task, slice(3)), seeds=[7, 7, 8])
    assert together.shape == (3, 4, 8, 8)
    for index, seed in enumerate([7, 7, 8]):
        alone = run(pipeline, task, **given(task, slice(index, index + 1)), seeds=[seed])
        close(alone[0], together[index])


CHANGES = ("person", "category", "seeds", "guidance_scale")


@pytest.mark.parametrize(
    ("task", "change"),
    [*product(TASKS, CHANGES), ("try_on", "garment"), ("try_on", "mask"), ("take_off", "box")],
)
def test_everything_that_is_given_counts(pipeline, given, people, garments, masks, task, change):
    other = {
        "person": people[0].rotate(180),
        "garment": garments[1],
        "mask": masks[0].rotate(180),
        "category": "dress",
        "seeds": [1],
        "guidance_scale": 4.0,
        "box": (4, 4, 24, 40),
    }[change]
    arguments = given(task)
    difference = run(pipeline, task, **arguments) - run(pipeline, task, **(arguments | {change: other}))
    assert difference.abs().max() > 1e-4


def test_one_garment_for_all(pipeline, people, garments, masks):
    rest = {"mask": masks[:2], "person": people[:2], "seeds": [1, 2]}
    one, each = (run(pipeline, "try_on", garment=given, **rest) for given in (garments[0], garments[:1] * 2))
    close(one, each)


def test_without_guidance_nothing_unconditional_is_computed(pipeline, given):
    rows: list[int] = []
    hook = pipeline.unet.conv_in.register_forward_hook(lambda _, inputs, __: rows.append(len(inputs[0])))
    for scale in (1.0, 2.5):
        run(pipeline, "take_off", **given("take_off", slice(2)), guidance_scale=scale, seeds=[0, 1])
    hook.remove()
    assert rows == [2] * STEPS + [4] * STEPS


@pytest.mark.parametrize("task", TASKS)
def test_an_encoded_reference_serves_again(pipeline, given, task):
    arguments = given(task, slice(2))
    reference = arguments["garment" if task == "try_on" else "person"]
    wardrobe = pipeline.encode_reference(reference, arguments["category"])
    assert wardrobe.categories == ("upper", "lower")
    calls: list[int] = []
    hook = pipeline.spatial.register_forward_hook(lambda *_: calls.append(1))
    served = run(pipeline, task, **arguments, wardrobe=wardrobe, seeds=[1, 2])
    assert not calls
    close(served, run(pipeline, task, **arguments, seeds=[1, 2]))
    hook.remove()
    assert calls == [1]


def test_boxes_say_where_the_garment_lies(pipeline, given):
    arguments = given("take_off", slice(2)) | {"seeds": [1, 2]}
    everywhere = run(pipeline, "take_off", **arguments)
    close(run(pipeline, "take_off", **arguments, box=(0, 0, 32, 64)), everywhere)
    box = (4, 8, 20, 60)
    boxed = run(pipeline, "take_off", **arguments, box=box)
    mixed = run(pipeline, "take_off", **arguments, box=[None, box])
    close(mixed, torch.stack([everywhere[0], boxed[1]]))
    assert (boxed - everywhere).abs().amax(dim=(1, 2, 3)).min() > 1e-4


def test_the_predicted_box_is_that_of_the_predicted_silhouette(pipeline, given, monkeypatch):
    arguments = given("take_off", slice(2)) | {"seeds": [1, 2]}
    shape = torch.zeros(2, 1, *SIZE)
    shape[0, :, 8:60, 4:20] = 0.9  # of the second photo nothing is predicted
    monkeypatch.setattr(pipeline_module.TWGTMModel, "silhouette", lambda *_: shape)
    predicted = run(pipeline, "take_off", **arguments, box="predicted")
    close(predicted, run(pipeline, "take_off", **arguments, box=[(4, 8, 20, 60), None]))


def test_silhouettes(pipeline, given):
    arguments = given("take_off", slice(2)) | {"num_inference_steps": 1}
    assert pipeline.take_off(**arguments).silhouettes is None
    tensor = pipeline.take_off(**arguments, return_silhouette=True, output_type="pt").silhouettes
    assert tensor.shape == (2, 1, *SIZE) and 0 <= tensor.min() < tensor.max() <= 1
    with torch.no_grad():
        pictures = prepare_pictures(arguments["person"], SIZE)
        expected = pipeline.twgtm.silhouette(pipeline.look_at(pictures, arguments["category"]))
    close(tensor, expected)
    images, silhouettes = pipeline.take_off(**arguments, return_silhouette=True, return_dict=False)
    assert [picture.mode for picture in images] == ["RGB"] * 2
    assert [(picture.mode, picture.size) for picture in silhouettes] == [("L", (32, 64))] * 2
    np.testing.assert_allclose(np.asarray(silhouettes[1]) / 255, tensor[1, 0], atol=1 / 255)


def test_repainting_keeps_the_photo_outside_the_mask(pipeline, people, garments):
    hole = np.zeros((64, 32), dtype=np.uint8)
    hole[30:40, 10:20] = 255
    arguments = {"person": people[0], "garment": garments[0], "mask": hole, "output_type": "pil"}
    photo = np.asarray(people[0])
    plain = np.asarray(run(pipeline, "try_on", **arguments)[0])
    kept = np.asarray(run(pipeline, "try_on", **arguments, repaint=True)[0])
    far = np.ones((64, 32), dtype=bool)
    far[24:46, 4:26] = False  # the soft edge is narrower than six pixels here
    assert (kept[far] == photo[far]).all() and (plain[far] != photo[far]).any()
    np.testing.assert_array_equal(kept[30:40, 10:20], plain[30:40, 10:20])


@pytest.mark.parametrize("task", TASKS)
def test_output_types(pipeline, given, task):
    arguments = given(task)
    pil = run(pipeline, task, **arguments, output_type="pil")
    array = run(pipeline, task, **arguments, output_type="np")
    tensor = run(pipeline, task, **arguments, output_type="pt")
    assert pil[0].size == (32, 64) and array.shape == (1, 64, 32, 3) and tensor.shape == (1, 3, 64, 32)
    np.testing.assert_allclose(np.asarray(pil[0]) / 255, array[0], atol=1 / 255)
    np.testing.assert_allclose(tensor[0].movedim(0, -1).numpy(), array[0], atol=1e-6)
    plain = pipeline(task, **arguments, num_inference_steps=1, return_dict=False)
    assert isinstance(plain, tuple) and len(plain) == 1 and plain[0][0].size == (32, 64)


def test_other_sizes(pipeline, given):
    images = run(pipeline, "take_off", **given("take_off"), height=96, width=64, output_type="pil")
    assert images[0].size == (64, 96)
    assert pipeline.default_size == SIZE


def test_latents_to_start_from(pipeline, given):
    direct = run(pipeline, "take_off", **given("take_off"), seeds=[2])
    close(run(pipeline, "take_off", **given("take_off"), latents=noise(2)), direct)


def test_callback_sees_and_changes_the_tensors(pipeline, given):
    seen = []

    def callback(pipe, step, timestep, tensors):
        seen.append((step, sorted(tensors)))
        return {"latents": torch.zeros_like(tensors["latents"])} if step == STEPS - 1 else None

    names = ["latents", "guidance_latents"]
    options = {"callback_on_step_end": callback, "callback_on_step_end_tensor_inputs": names}
    assert not run(pipeline, "try_on", **given("try_on"), **options).any()
    assert seen == [(step, sorted(names)) for step in range(STEPS)]

    def blind(pipe, step, timestep, tensors):
        return {"guidance_latents": torch.zeros_like(tensors["latents"])}

    changed = run(pipeline, "try_on", **given("try_on"), callback_on_step_end=blind)
    assert not torch.equal(changed, run(pipeline, "try_on", **given("try_on")))


def test_saved_and_loaded(folder, pipeline, given):
    again = loaded(folder)
    assert again.default_size == SIZE and again.warp is None
    for task in TASKS:
        close(run(again, task, **given(task)), run(pipeline, task, **given(task)))
    assert not list(folder.rglob("*.bin"))


def test_tiny_takes_the_shared_parts_from_the_base(tmp_path, monkeypatch, folder, pipeline, given):
    shutil.copytree(folder, tmp_path / "twgtm")
    (tmp_path / "base").mkdir()
    for part in ("vae", "image_encoder", "feature_extractor", "tokenizer", "scheduler"):
        (tmp_path / "twgtm" / part).rename(tmp_path / "base" / part)
    monkeypatch.setattr("toile.bundled.weights_folder", lambda: tmp_path)
    arguments = given("take_off")
    close(run(loaded("tiny"), "take_off", **arguments), run(pipeline, "take_off", **arguments))


@pytest.mark.parametrize("fusion", ["none", "concatenated", "decoupled"])
def test_other_fusions(tmp_path, given, fusion):
    pipeline, arguments = small_pipeline(fusion), given("try_on")
    result = run(pipeline, "try_on", **arguments)
    pipeline.save_pretrained(tmp_path)
    again = loaded(tmp_path)
    assert again.twgtm.fusion == fusion and (again.extended is None) == (fusion != "decoupled")
    close(run(again, "try_on", **arguments), result)


def test_one_panel_with_the_warped_reference(tmp_path, given):
    """Variant 2: the canvas is one panel wide, and what is generated starts from the warped reference."""
    pipeline = small_pipeline(warp=True)
    pipeline.save_pretrained(tmp_path)
    for task in TASKS:
        result = run(pipeline, task, **given(task))
        assert result.shape == (1, 4, 8, 4)
        close(run(loaded(tmp_path), task, **given(task)), result)
    before = run(pipeline, "take_off", **given("take_off"))
    pipeline.warp.displacements.bias.data.add_(1)
    assert (run(pipeline, "take_off", **given("take_off")) - before).abs().max() > 1e-4
    assert run(pipeline, "take_off", **given("take_off"), output_type="pil")[0].size == (32, 64)


def test_works_in_bfloat16(folder, given):
    half = TWGTMPipeline.from_pretrained(folder, torch_dtype=torch.bfloat16)
    half.set_progress_bar_config(disable=True)
    assert half.unet.dtype == torch.bfloat16
    for task in TASKS:
        assert run(half, task, **given(task), output_type="pil")[0].size == (32, 64)
    assert half.take_off(**given("take_off"), box="predicted", return_silhouette=True).silhouettes


def test_offloading_gives_the_same(folder, pipeline, given):
    offloaded = loaded(folder)
    offloaded.enable_model_cpu_offload(device="cpu")  # the hooks of a GPU's, at work without one
    for task in TASKS:
        close(run(offloaded, task, **given(task)), run(pipeline, task, **given(task)))
    named = set(TWGTMPipeline.model_cpu_offload_seq.split("->"))
    modules = {name for name, part in pipeline.components.items() if isinstance(part, torch.nn.Module)}
    assert named - modules == {"warp"} and modules < named


def test_a_wardrobe_holds_no_weights_that_may_move_away(pipeline, given):
    wardrobe = pipeline.encode_reference(given("take_off")["person"])
    weights = [layer.output.weight for layer in wardrobe.layers.values()]
    assert weights and not any(isinstance(weight, torch.nn.Parameter) for weight in weights)


@pytest.mark.parametrize(
    ("task", "options", "message"),
    [
        ("wear", {}, "task 'wear' is unknown; write try_on or take_off"),
        ("take_off", {"person": []}, "at least one"),
        ("try_on", {"mask": None}, "needs a mask"),
        ("try_on", {"mask": [None]}, "needs a mask"),
        ("try_on", {"mask": Image.new("L", (5, 5), 255)}, "5×5"),
        ("try_on", {"garment": small_pictures(1, (64, 32), (64, 32))}, "2 values .* 1 items"),
        ("take_off", {"category": "shoe"}, "'shoe'.*upper, lower, dress"),
        ("take_off", {"category": ["upper", "upper"]}, "2 values .* 1 items"),
        ("take_off", {"generator": item_generators([1, 2])}, "2 values .* 1 items"),
        ("take_off", {"height": 100}, "size 100×32.*multiples of 32.*96×32"),
        ("take_off", {"num_inference_steps": 0}, "num_inference_steps is 0"),
        ("take_off", {"output_type": "jpeg"}, "'jpeg'"),
        (
            "take_off",
            {"latents": torch.zeros(1, 4, 8, 4)},
            r"4\); here it must be \(1, 4, 8, 8\)",
        ),
        ("take_off", {"callback_on_step_end_tensor_inputs": ["noise"]}, "'noise'"),
        ("take_off", {"box": "guessed"}, "'guessed'"),
        ("take_off", {"box": (0, 0, 40, 10)}, r"box \(0, 0, 40, 10\) does not fit"),
        ("try_on", {"repaint": True}, "repaint=True works on pictures"),
    ],
)
def test_what_makes_no_sense_is_refused(pipeline, given, task, options, message):
    arguments = {"output_type": "latent", "num_inference_steps": STEPS}
    arguments |= given("try_on" if task == "try_on" else "take_off")
    with pytest.raises(ToileError, match=message):
        pipeline(task, **(arguments | options))


def test_a_wardrobe_of_other_pictures_is_refused(pipeline, given):
    wardrobe = pipeline.encode_reference(given("take_off", slice(2))["person"])
    with pytest.raises(ToileError, match="2 items in the wardrobe for 1 photos"):
        run(pipeline, "take_off", **given("take_off"), wardrobe=wardrobe)


def test_damaged_weights(tmp_path, folder):
    copy = shutil.copytree(folder, tmp_path / "model")
    (weights,) = (copy / "semantic").glob("*.safetensors")
    (other,) = (copy / "spatial").glob("*.safetensors")
    shutil.copyfile(other, weights)
    with pytest.raises(ToileError, match="cannot be loaded"):
        TWGTMPipeline.from_pretrained(copy)


def test_another_pipeline_s_folder(tmp_path, folder):
    index = json.loads((folder / "model_index.json").read_text())
    (tmp_path / "model_index.json").write_text(json.dumps(index | {"_class_name": "IGRPipeline"}))
    with pytest.raises(ToileError, match="IGRPipeline"):
        TWGTMPipeline.from_pretrained(tmp_path)


def test_the_calls_are_short():
    tree = ast.parse(inspect.getsource(pipeline_module))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name in TASKS]
    assert len(calls) == 2
    for call in calls:
        body = call.body[1:]  # without the docstring
        assert body[-1].end_lineno - body[0].lineno < 30
