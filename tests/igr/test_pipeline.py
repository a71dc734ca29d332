import ast
import inspect
import json
import shutil

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from toile.diffusion.noise import item_generators
from toile.errors import ToileError
from toile.igr import pipeline as pipeline_module
from toile.igr.pipeline import IGRPipeline

STEPS = 3


@pytest.fixture(scope="module")
def pipeline(igr_folder) -> IGRPipeline:
    loaded = IGRPipeline.from_pretrained(igr_folder)
    loaded.set_progress_bar_config(disable=True)
    return loaded


@pytest.fixture(scope="module")
def photos() -> list[Image.Image]:
    random = np.random.default_rng(0)
    shapes = [(64, 32), (50, 80), (90, 30)]
    return [Image.fromarray(random.integers(0, 256, (*shape, 3), dtype=np.uint8)) for shape in shapes]


@pytest.fixture(scope="module")
def masks(photos) -> list[Image.Image]:
    made = []
    for photo in photos:
        mask = Image.new("L", photo.size)
        mask.paste(255, (photo.width // 4, photo.height // 4, photo.width, 3 * photo.height // 4))
        made.append(mask)
    return made


def restore(pipeline: IGRPipeline, *arguments, seeds=(0,), **options) -> torch.Tensor:
    options = {
        "output_type": "latent",
        "num_inference_steps": STEPS,
        "generator": item_generators(seeds),
    } | options
    return pipeline(*arguments, **options).images


def noise_of(pipeline: IGRPipeline, seed: int) -> torch.Tensor:
    shape = (1, pipeline.vae.config.latent_channels, 8, 4)
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def close(first: torch.Tensor, second: torch.Tensor) -> None:
    """Equal up to rounding, which depends on where the allocator puts things."""
    torch.testing.assert_close(first, second, rtol=0, atol=1e-4)


def test_equals_the_paper_s_loop_written_out(pipeline, photos, masks):
    """Eq. 2 with two separate passes and DDIM's step, against the pipeline's one batch."""
    scale, model = 1.7, pipeline.igr
    with torch.no_grad():
        wardrobe = pipeline.encode_garment(photos[1], masks[1], "lower")
        prompt, null = pipeline.encode_categories(["lower"]), pipeline.encode_texts([""])
        latents = noise_of(pipeline, 5)
        scheduler = type(pipeline.scheduler).from_config(pipeline.scheduler.config)
        scheduler.set_timesteps(STEPS)
        for timestep in scheduler.timesteps:
            with_garment = model.denoise(latents, timestep, prompt, wardrobe)
            without = model.denoise(latents, timestep, null, None)
            latents = scheduler.step(
                scale * with_garment + (1 - scale) * without, timestep, latents
            ).prev_sample
    got = restore(pipeline, photos[1], masks[1], "lower", guidance_scale=scale, seeds=[5])
    torch.testing.assert_close(got, latents, rtol=1e-4, atol=1e-4)


def test_seeds_belong_to_items(pipeline, photos, masks):
    categories = ["upper", "lower", "dress"]
    together = restore(pipeline, photos, masks, categories, seeds=[7, 7, 8])
    for index, seed in enumerate([7, 7, 8]):
        alone = restore(pipeline, photos[index], masks[index], categories[index], seeds=[seed])
        close(alone[0], together[index])
    turned = restore(pipeline, photos[::-1], masks[::-1], categories[::-1], seeds=[8, 7, 7])
    close(turned.flip(0), together)


@pytest.mark.parametrize("change", ["photo", "mask", "category", "seed", "guidance"])
def test_everything_that_is_given_counts(pipeline, photos, masks, change):
    arguments = {
        "person": photos[0],
        "mask": masks[0],
        "category": "upper",
        "guidance_scale": 1.5,
        "seeds": [0],
    }
    other = {
        "photo": {"person": photos[0].rotate(180)},
        "mask": {"mask": masks[0].rotate(180)},
        "category": {"category": "dress"},
        "seed": {"seeds": [1]},
        "guidance": {"guidance_scale": 3.0},
    }[change]
    difference = restore(pipeline, **arguments) - restore(pipeline, **(arguments | other))
    assert difference.abs().max() > 1e-4


def test_one_generator_serves_the_items_in_turn(pipeline, photos):
    generator = torch.Generator().manual_seed(3)
    together = restore(pipeline, photos[:2], generator=generator)
    first = restore(pipeline, photos[0], generator=torch.Generator().manual_seed(3))
    close(together[:1], first)


def test_no_generator_is_the_global_one(pipeline, photos):
    torch.manual_seed(1)
    first = restore(pipeline, photos[0], generator=None)
    second = restore(pipeline, photos[0], generator=None)
    torch.manual_seed(1)
    close(first, restore(pipeline, photos[0], generator=None))
    assert not torch.equal(first, second)


def test_without_guidance_nothing_unconditional_is_computed(pipeline, photos):
    rows: list[int] = []
    hook = pipeline.unet.conv_in.register_forward_hook(lambda _, inputs, __: rows.append(len(inputs[0])))
    restore(pipeline, photos[:2], guidance_scale=1.0, seeds=[0, 1])
    assert rows == [2] * STEPS
    rows.clear()
    restore(pipeline, photos[:2], guidance_scale=1.5, seeds=[0, 1])
    hook.remove()
    assert rows == [4] * STEPS


def test_the_garment_is_encoded_once(pipeline, photos):
    calls: list[int] = []
    hook = pipeline.garment_net.conv_in.register_forward_hook(lambda *_: calls.append(1))
    restore(pipeline, photos[0])
    hook.remove()
    assert calls == [1]


def test_an_encoded_garment_serves_again(pipeline, photos, masks):
    wardrobe = pipeline.encode_garment(photos[:2], masks[:2], ["upper", "dress"])
    assert wardrobe.categories == ("upper", "dress")
    for seeds in ([1, 2], [3, 4]):
        direct = restore(pipeline, photos[:2], masks[:2], ["upper", "dress"], seeds=seeds)
        close(restore(pipeline, wardrobe=wardrobe, seeds=seeds), direct)


def test_no_mask_is_the_whole_photo_without_the_padding(pipeline, photos):
    wide = photos[1]  # 80×50 pixels in a canvas of 32×64
    whole = Image.new("L", wide.size, 255)
    close(restore(pipeline, wide), restore(pipeline, wide, whole))


def test_arrays_are_photos(pipeline, photos, masks):
    arrays = np.asarray(photos[0]), np.asarray(masks[0])
    close(restore(pipeline, *arrays), restore(pipeline, photos[0], masks[0]))


def test_output_types(pipeline, photos):
    pil = restore(pipeline, photos[0], output_type="pil")
    array = restore(pipeline, photos[0], output_type="np")
    tensor = restore(pipeline, photos[0], output_type="pt")
    assert pil[0].size == (32, 64) and array.shape == (1, 64, 32, 3) and tensor.shape == (1, 3, 64, 32)
    assert array.min() >= 0 and array.max() <= 1
    np.testing.assert_allclose(np.asarray(pil[0]) / 255, array[0], atol=1 / 255)
    np.testing.assert_allclose(tensor[0].movedim(0, -1).numpy(), array[0], atol=1e-6)
    latents = restore(pipeline, photos[0])
    torch.testing.assert_close(pipeline.decode_latents(latents) / 2 + 0.5, tensor)
    plain = pipeline(photos[0], num_inference_steps=1, return_dict=False, generator=item_generators([0]))
    assert isinstance(plain, tuple) and plain[0][0].size == (32, 64)


def test_other_sizes(pipeline, photos):
    assert restore(pipeline, photos[0], height=96, width=64, output_type="pil")[0].size == (64, 96)
    assert pipeline.default_size == (64, 32)


def test_latents_to_start_from(pipeline, photos):
    noise = noise_of(pipeline, 2)
    close(restore(pipeline, photos[0], latents=noise), restore(pipeline, photos[0], seeds=[2]))


def test_callback_sees_and_changes_the_latents(pipeline, photos):
    seen = []

    def callback(pipe, step, timestep, tensors):
        seen.append((step, int(timestep), sorted(tensors)))
        return {"latents": torch.zeros_like(tensors["latents"])} if step == STEPS - 1 else {}

    result = restore(
        pipeline,
        photos[0],
        callback_on_step_end=callback,
        callback_on_step_end_tensor_inputs=["latents", "prompt_embeds"],
    )
    assert [step for step, _, _ in seen] == list(range(STEPS))
    assert [time for _, time, _ in seen] == sorted((time for _, time, _ in seen), reverse=True)
    assert seen[0][2] == ["latents", "prompt_embeds"]
    assert not result.any()


def test_a_callback_that_gives_nothing_back_changes_nothing(pipeline, photos):
    plain = restore(pipeline, photos[0])
    close(restore(pipeline, photos[0], callback_on_step_end=lambda *_: None), plain)


def test_saved_and_loaded(tmp_path, pipeline, photos, masks):
    pipeline.save_pretrained(tmp_path)
    again = IGRPipeline.from_pretrained(tmp_path)
    again.set_progress_bar_config(disable=True)
    assert again.default_size == (64, 32)
    close(restore(again, photos[0], masks[0]), restore(pipeline, photos[0], masks[0]))
    assert not list(tmp_path.rglob("*.bin"))


def test_half_precision_files_load_as_float32_unless_asked(tmp_path, igr_folder):
    IGRPipeline.from_pretrained(igr_folder).to(torch.float16).save_pretrained(tmp_path)

    def kinds(loaded: IGRPipeline) -> set[torch.dtype]:
        modules = [part for part in loaded.components.values() if isinstance(part, torch.nn.Module)]
        assert len(modules) == 6
        return {parameter.dtype for module in modules for parameter in module.parameters()}

    assert kinds(IGRPipeline.from_pretrained(tmp_path)) == {torch.float32}
    assert kinds(IGRPipeline.from_pretrained(tmp_path, torch_dtype=torch.bfloat16)) == {torch.bfloat16}
    assert kinds(IGRPipeline.from_pretrained(tmp_path, dtype=torch.float16)) == {torch.float16}


def test_works_in_bfloat16(igr_folder, photos, masks):
    loaded = IGRPipeline.from_pretrained(igr_folder, torch_dtype=torch.bfloat16)
    loaded.set_progress_bar_config(disable=True)
    assert restore(loaded, photos[0], masks[0], output_type="pil")[0].size == (32, 64)


def test_tiny_takes_the_shared_parts_from_the_base(tmp_path, monkeypatch, igr_folder, pipeline, photos):
    shutil.copytree(igr_folder, tmp_path / "igr")
    (tmp_path / "base").mkdir()
    for part in ("vae", "text_encoder", "tokenizer", "image_encoder", "feature_extractor", "scheduler"):
        (tmp_path / "igr" / part).rename(tmp_path / "base" / part)
    monkeypatch.setattr("toile.bundled.weights_folder", lambda: tmp_path)
    tiny = IGRPipeline.from_pretrained("tiny")
    tiny.set_progress_bar_config(disable=True)
    close(restore(tiny, photos[0]), restore(pipeline, photos[0]))


def test_without_garment_net(tmp_path, pipeline, photos):
    parts = {**pipeline.components, "garment_net": None}
    ablation = IGRPipeline(**parts, size=(64, 32))
    ablation.set_progress_bar_config(disable=True)
    result = restore(ablation, photos[0])
    assert not torch.equal(result, restore(pipeline, photos[0]))
    ablation.save_pretrained(tmp_path)
    again = IGRPipeline.from_pretrained(tmp_path)
    again.set_progress_bar_config(disable=True)
    assert again.garment_net is None
    close(restore(again, photos[0]), result)


def test_size_of_the_unet_when_none_is_kept(pipeline):
    assert IGRPipeline(**pipeline.components).default_size == (256, 192)


def test_the_model_s_own_steps_are_kept_and_taken(tmp_path, pipeline, photos):
    kept = IGRPipeline(**pipeline.components, size=[64, 32], num_inference_steps=3)
    kept.save_pretrained(tmp_path)
    again, taken = IGRPipeline.from_pretrained(tmp_path), []
    again.set_progress_bar_config(disable=True)
    again(photos[0], output_type="latent", callback_on_step_end=lambda *step: taken.append(step[1]))
    assert taken == [0, 1, 2]


def test_offloading_gives_the_same(igr_folder, pipeline, photos, masks):
    offloaded = IGRPipeline.from_pretrained(igr_folder)
    offloaded.set_progress_bar_config(disable=True)
    offloaded.enable_model_cpu_offload(device="cpu")  # the hooks of a GPU's, at work without one
    close(restore(offloaded, photos[0], masks[0]), restore(pipeline, photos[0], masks[0]))
    named = set(IGRPipeline.model_cpu_offload_seq.split("->"))
    assert named == {name for name, part in pipeline.components.items() if isinstance(part, torch.nn.Module)}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"person": None}, "nothing to work from"),
        ({"person": []}, "at least one photo"),
        ({"mask": [None, None]}, "1 photos and 2 masks"),
        ({"mask": Image.new("L", (5, 5), 255)}, "5×5"),
        ({"mask": Image.new("L", (32, 64))}, "empty"),
        ({"category": "shoe"}, "'shoe'.*upper, lower, dress"),
        ({"category": ["upper", "upper"]}, "2 values .* 1 items"),
        ({"generator": item_generators([1, 2])}, "2 values .* 1 items"),
        ({"height": 100}, "size 100×32.*multiples of 32.*96×32"),
        ({"width": 8}, "multiples of 32"),
        ({"num_inference_steps": 0}, "num_inference_steps is 0"),
        ({"output_type": "jpeg"}, "'jpeg'"),
        ({"latents": torch.zeros(1, 3, 8, 4)}, r"shape \(1, 3, 8, 4\); here it must be"),
        ({"callback_on_step_end_tensor_inputs": ["noise"]}, "'noise'"),
    ],
)
def test_what_makes_no_sense_is_refused(pipeline, photos, options, message):
    with pytest.raises(ToileError, match=message):
        restore(pipeline, **({"person": photos[0]} | options))


@pytest.mark.parametrize("damage", ["cut", "other", "shape"])
def test_damaged_weights(tmp_path, igr_folder, damage):
    folder = shutil.copytree(igr_folder, tmp_path / "model")
    weights = folder / "unet" / "diffusion_pytorch_model.safetensors"
    if damage == "cut":
        weights.write_bytes(weights.read_bytes()[:1000])
    elif damage == "shape":
        state = load_file(weights)
        save_file(state | {"conv_in.bias": torch.zeros(3)}, weights)
    else:
        shutil.copyfile(folder / "vae" / "diffusion_pytorch_model.safetensors", weights)
    with pytest.raises(ToileError, match="cannot be loaded") as error:
        IGRPipeline.from_pretrained(folder)
    assert "\n" not in str(error.value)


def test_another_pipeline_s_folder(tmp_path, igr_folder):
    index = json.loads((igr_folder / "model_index.json").read_text())
    (tmp_path / "model_index.json").write_text(json.dumps(index | {"_class_name": "StableDiffusionPipeline"}))
    with pytest.raises(ToileError, match="StableDiffusionPipeline"):
        IGRPipeline.from_pretrained(tmp_path)


def test_a_hub_name_that_cannot_be_reached():
    with pytest.raises(ToileError, match="someone/nothing"):
        IGRPipeline.from_pretrained("someone/nothing")


def test_the_call_is_short():
    tree = ast.parse(inspect.getsource(pipeline_module))
    call = next(
        node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == "__call__"
    )
    body = call.body[1:]  # without the docstring
    assert body[-1].end_lineno - body[0].lineno < 25
