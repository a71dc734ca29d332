import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionPipeline
from PIL import Image
from tests.anydressing.small_anydressing import small_anydressing, small_image_prompt
from tests.anydressing.small_pipeline import SIZE, small_pipeline

from toile.anydressing.pipeline import AnyDressingPipeline
from toile.diffusion.noise import item_generators
from toile.errors import ToileError

STEPS = 2
PROMPTS = ["a woman in a park", "a man at the sea"]


@pytest.fixture(scope="module")
def made() -> AnyDressingPipeline:
    return small_pipeline()


@pytest.fixture(scope="module")
def folder(tmp_path_factory, made) -> Path:
    path = tmp_path_factory.mktemp("anydressing")
    made.save_pretrained(path)
    return path


def load(folder: Path, **options) -> AnyDressingPipeline:
    pipeline = AnyDressingPipeline.from_pretrained(folder, **options)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


@pytest.fixture(scope="module")
def pipeline(folder) -> AnyDressingPipeline:
    return load(folder)


@pytest.fixture(scope="module")
def pictures() -> list[Image.Image]:
    random = np.random.default_rng(0)
    shapes = [(64, 32), (50, 80), (90, 30), (40, 40)]
    return [Image.fromarray(random.integers(0, 256, (*shape, 3), dtype=np.uint8)) for shape in shapes]


@pytest.fixture(scope="module")
def outfit(pictures) -> dict[str, Image.Image]:
    return {"upper": pictures[0], "lower": pictures[1]}


def dress(pipeline: AnyDressingPipeline, prompt=PROMPTS[0], garments=None, *, seeds=(0,), **options):
    options = {
        "output_type": "latent",
        "num_inference_steps": STEPS,
        "generator": item_generators(seeds),
    } | options
    return pipeline(prompt, garments, **options).images


def close(first: torch.Tensor, second: torch.Tensor) -> None:
    """Equal up to rounding, which depends on where the allocator puts things."""
    torch.testing.assert_close(first, second, rtol=0, atol=1e-4)


@contextmanager
def passes(pipeline: AnyDressingPipeline) -> Iterator[list[int]]:
    """The garments of each pass of GarmentsNet."""
    counted: list[int] = []
    net = pipeline.garments_net
    hook = net.unet.conv_in.register_forward_hook(lambda _, inputs, __: counted.append(len(inputs[0])))
    yield counted
    hook.remove()


def noise_of(seed: int) -> torch.Tensor:
    return torch.randn((1, 4, SIZE[0] // 8, SIZE[1] // 8), generator=torch.Generator().manual_seed(seed))


def test_equals_the_paper_s_loop_written_out(pipeline, outfit):
    """Eq. 16 with two separate passes and DDIM's step, against the pipeline's one batch."""
    omega, scale = 4.0, 0.6
    with torch.no_grad():
        wardrobe = pipeline.encode_garments(outfit, scale=scale)
        embeds, null = pipeline.encode_prompt(PROMPTS[0], "cpu", 1, True, "blurred")
        latents = noise_of(5)
        scheduler = type(pipeline.scheduler).from_config(pipeline.scheduler.config)
        scheduler.set_timesteps(STEPS)
        unet = pipeline.anydressing.unet
        for timestep in scheduler.timesteps:
            arguments = {"wardrobe": wardrobe.for_rows([(0, 1)])}
            worn = unet(latents, timestep, embeds, cross_attention_kwargs=arguments).sample
            plain = unet(latents, timestep, null).sample
            guided = omega * worn + (1 - omega) * plain
            latents = scheduler.step(guided, timestep, latents).prev_sample
    options = {"guidance_scale": omega, "scale": scale, "negative_prompt": "blurred"}
    torch.testing.assert_close(
        dress(pipeline, garments=outfit, seeds=[5], **options), latents, rtol=1e-4, atol=1e-4
    )


def test_by_the_prompt_alone_it_is_stable_diffusion(pipeline, outfit):
    dress(pipeline, garments=outfit)  # so that all is installed
    parts = {name: part for name, part in pipeline.components.items() if name not in pipeline.trained_parts}
    plain = StableDiffusionPipeline(**parts, requires_safety_checker=False)
    plain.set_progress_bar_config(disable=True)
    options = {"num_inference_steps": STEPS, "guidance_scale": 6.0, "output_type": "latent"}
    size = {"height": SIZE[0], "width": SIZE[1]}
    expected = plain(PROMPTS[0], generator=item_generators([0]), **options, **size).images
    assert torch.equal(dress(pipeline), expected)
    assert torch.equal(dress(pipeline, garments=outfit, scale=0.0), expected)


def test_seeds_belong_to_pictures(pipeline, pictures, outfit):
    outfits = [outfit, {"hat": pictures[2]}, {"upper": [pictures[3], pictures[0]]}]
    prompts = [*PROMPTS, "somebody who waves"]
    together = dress(pipeline, prompts, outfits, seeds=[7, 7, 8])
    for index, seed in enumerate([7, 7, 8]):
        close(dress(pipeline, prompts[index], outfits[index], seeds=[seed])[0], together[index])
    turned = dress(pipeline, prompts[::-1], outfits[::-1], seeds=[8, 7, 7])
    close(turned.flip(0), together)


@pytest.mark.parametrize("batch", [1, 2, 3])
def test_the_noise_is_bit_equal_in_any_batch(pipeline, batch):
    seeds, cpu = [4, 5, 6][:batch], torch.device("cpu")
    noise = pipeline.prepare_latents(batch, 4, *SIZE, torch.float32, cpu, item_generators(seeds))
    assert torch.equal(noise, torch.cat([noise_of(seed) for seed in seeds]))
    halved = pipeline.prepare_latents(batch, 4, *SIZE, torch.bfloat16, cpu, item_generators(seeds))
    assert torch.equal(halved, noise.bfloat16())


@pytest.mark.parametrize(
    "change", ["garment", "kind", "prompt", "negative", "seed", "guidance", "scale", "weight"]
)
def test_everything_that_is_given_counts(pipeline, pictures, outfit, change):
    other = {
        "garment": {"garments": outfit | {"lower": pictures[2]}},
        "kind": {"garments": {"upper": pictures[0], "hat": pictures[1]}},
        "prompt": {"prompt": PROMPTS[1]},
        "negative": {"negative_prompt": "blurred"},
        "seed": {"seeds": [1]},
        "guidance": {"guidance_scale": 3.0},
        "scale": {"scale": 0.2},
        "weight": {"weights": {"lower": 0.0}},
    }[change]
    arguments = {"garments": outfit}
    assert (dress(pipeline, **arguments) - dress(pipeline, **(arguments | other))).abs().max() > 1e-4


def test_the_paper_s_lambda_is_what_is_taken(pipeline, outfit):
    close(dress(pipeline, garments=outfit), dress(pipeline, garments=outfit, scale=0.7))


def test_the_order_of_garments_does_not_matter(pipeline, outfit):
    turned = dict(reversed(outfit.items()))
    close(dress(pipeline, garments=outfit), dress(pipeline, garments=turned))


def test_garments_net_runs_once_for_all(pipeline, pictures, outfit):
    with passes(pipeline) as counted:
        dress(pipeline, garments=outfit)
        assert counted == [2]
        dress(pipeline, PROMPTS, [outfit, {"hat": pictures[2]}], num_images_per_prompt=2, seeds=range(4))
        assert counted == [2, 3]
        wardrobe = pipeline.encode_garments(outfit)
        counted.clear()
        dress(pipeline, wardrobe=wardrobe)
        dress(pipeline)
        assert counted == []


def test_a_wardrobe_serves_again(pipeline, pictures, outfit):
    wardrobe = pipeline.encode_garments(outfit, scale=0.4, weights={"lower": 0.5})
    assert wardrobe.categories == ("upper", "lower") and wardrobe.rows == ((0, 1),)
    settings = {"scale": 0.4, "weights": {"lower": 0.5}}
    for seed in (1, 2):
        direct = dress(pipeline, garments=outfit, seeds=[seed], **settings)
        close(dress(pipeline, wardrobe=wardrobe, seeds=[seed]), direct)
    again = dress(pipeline, wardrobe=wardrobe, scale=0.9)
    close(again, dress(pipeline, garments=outfit, scale=0.9, weights={"lower": 0.5}))


def test_several_pictures_of_a_prompt(pipeline, pictures, outfit):
    outfits = [outfit, {"upper": pictures[2]}]
    many = dress(pipeline, PROMPTS, outfits, num_images_per_prompt=2, seeds=range(4))
    one = dress(pipeline, PROMPTS[1], outfits[1], seeds=[2])
    close(many[2:3], one)


def test_one_outfit_for_all_prompts(pipeline, outfit):
    together = dress(pipeline, PROMPTS, outfit, seeds=[1, 2])
    close(together[1:], dress(pipeline, PROMPTS[1], outfit, seeds=[2]))


def test_without_guidance_nothing_unconditional_is_computed(pipeline, outfit):
    rows: list[int] = []
    hook = pipeline.unet.conv_in.register_forward_hook(lambda _, inputs, __: rows.append(len(inputs[0])))
    dress(pipeline, garments=outfit, guidance_scale=1.0)
    dress(pipeline, garments=outfit)
    hook.remove()
    assert rows == [1] * STEPS + [2] * STEPS


def test_one_generator_serves_the_pictures_in_turn(pipeline, outfit):
    together = dress(pipeline, PROMPTS, outfit, generator=torch.Generator().manual_seed(3))
    alone = dress(pipeline, PROMPTS[0], outfit, generator=torch.Generator().manual_seed(3))
    close(together[:1], alone)


def test_callbacks_output_types_and_sizes(pipeline, outfit):
    seen = []

    def callback(pipe, step, timestep, tensors):
        seen.append((pipe is pipeline, step, sorted(tensors)))
        return {"latents": torch.zeros_like(tensors["latents"])} if step == STEPS - 1 else None

    names = ["latents", "prompt_embeds"]
    options = {"callback_on_step_end": callback, "callback_on_step_end_tensor_inputs": names}
    assert not dress(pipeline, garments=outfit, **options).any()
    assert seen == [(True, step, names) for step in range(STEPS)]
    assert dress(pipeline, garments=outfit, output_type="pil")[0].size == (32, 64)
    assert dress(pipeline, garments=outfit, output_type="np").shape == (1, 64, 32, 3)
    assert dress(pipeline, garments=outfit, height=96, width=64, output_type="pt").shape == (1, 3, 96, 64)
    plain = pipeline(PROMPTS[0], outfit, num_inference_steps=1, return_dict=False)
    assert isinstance(plain, tuple) and plain[0][0].size == (32, 64)


def test_embeddings_instead_of_a_prompt(pipeline, outfit):
    embeds, null = pipeline.encode_prompt(PROMPTS[0], "cpu", 1, True, "")
    given = {"prompt": None, "prompt_embeds": embeds, "negative_prompt_embeds": null}
    close(dress(pipeline, garments=outfit, **given), dress(pipeline, garments=outfit))


def test_another_u_net_of_the_same_layers(folder, pipeline, outfit):
    other = load(folder)
    unet = type(other.unet)(**other.unet.config)
    unet.load_state_dict({name: 1.1 * tensor for name, tensor in other.unet.state_dict().items()})
    other.unet = unet.eval()
    with_garments, without = dress(other, garments=outfit), dress(other)
    assert (with_garments - dress(pipeline, garments=outfit)).abs().max() > 1e-3
    assert (with_garments - without).abs().max() > 1e-3


def test_saved_and_loaded(made, folder, pipeline, outfit):
    assert pipeline.default_size == SIZE
    assert pipeline.dressing.kinds == ("upper", "lower", "hat")
    assert set(path.name for path in folder.iterdir() if path.is_dir()) == {
        *("vae", "text_encoder", "tokenizer", "unet", "scheduler", "image_encoder", "feature_extractor"),
        *("garments_net", "dressing_attention"),
    }
    assert not list(folder.rglob("*.bin"))
    close(dress(pipeline, garments=outfit), dress(made, garments=outfit))


def test_tiny_takes_the_shared_parts_from_the_base(tmp_path, monkeypatch, folder, pipeline, outfit):
    shutil.copytree(folder, tmp_path / "anydressing")
    (tmp_path / "base").mkdir()
    for part in AnyDressingPipeline.shared_parts:
        (tmp_path / "anydressing" / part).rename(tmp_path / "base" / part)
    monkeypatch.setattr("toile.bundled.weights_folder", lambda: tmp_path)
    close(dress(load("tiny"), garments=outfit), dress(pipeline, garments=outfit))


def test_table_3_s_base_sees_the_garments_of_an_outfit_together(tmp_path, pictures, outfit):
    small_pipeline(small_anydressing(separate=False)).save_pretrained(tmp_path)
    pipeline = load(tmp_path)
    outfits = [outfit, {"upper": pictures[2], "lower": pictures[3], "hat": pictures[0]}]
    together = dress(pipeline, PROMPTS, outfits, seeds=[1, 2])
    for index in (0, 1):
        close(dress(pipeline, PROMPTS[index], outfits[index], seeds=[index + 1])[0], together[index])
    other = dress(pipeline, PROMPTS[0], outfit | {"upper": pictures[3]}, seeds=[1])
    assert (other[0] - together[0]).abs().max() > 1e-4


def test_the_baseline_that_shows_tokens_of_garments(tmp_path, pictures, outfit):
    small_pipeline(small_image_prompt()).save_pretrained(tmp_path)
    pipeline = load(tmp_path)
    assert pipeline.garments_net is None
    worn = dress(pipeline, PROMPTS, [outfit, {"upper": pictures[3]}], seeds=[1, 2])
    close(worn[1:], dress(pipeline, PROMPTS[1], {"upper": pictures[3]}, seeds=[2]))
    assert (worn[:1] - dress(pipeline, seeds=[1])).abs().max() > 1e-4
    with pytest.raises(ToileError, match="no GarmentsNet"):
        _ = pipeline.dressing


def test_offloading_gives_the_same(folder, pipeline, outfit):
    offloaded = load(folder)
    offloaded.enable_model_cpu_offload(device="cpu")  # the hooks of a GPU's, at work without one
    close(dress(offloaded, garments=outfit), dress(pipeline, garments=outfit))
    named = set(AnyDressingPipeline.model_cpu_offload_seq.split("->"))
    parts = {name for name, part in pipeline.components.items() if isinstance(part, torch.nn.Module)}
    assert named == parts | {"low_level_extractor"}


def test_works_in_bfloat16(folder, outfit):
    halved = load(folder, torch_dtype=torch.bfloat16)
    assert dress(halved, garments=outfit, output_type="pil")[0].size == (32, 64)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"prompt": None}, "give a prompt"),
        ({"prompt": []}, "list of prompts is empty"),
        ({"garments": {}}, "nothing to wear"),
        ({"garments": {"shoe": Image.new("RGB", (9, 9))}}, "'shoe'.*upper, lower, hat"),
        ({"garments": [{"upper": Image.new("RGB", (9, 9))}] * 2}, "2 outfits .* 1 prompts"),
        ({"garments": {"upper": np.zeros(3)}}, "no picture"),
        ({"weights": {"hat": 0.5}}, "'hat'.*upper, lower"),
        ({"weights": {"upper": [0.5, 0.5]}}, "2 weights are for 1"),
        ({"generator": item_generators([1, 2])}, "2 values .* 1 items"),
        ({"height": 100}, "size 100×32.*multiples of 32.*96×32"),
        ({"num_inference_steps": 0}, "num_inference_steps is 0"),
        ({"output_type": "jpeg"}, "'jpeg'"),
        ({"latents": torch.zeros(1, 3, 8, 4)}, r"shape \(1, 3, 8, 4\); here it must be"),
        ({"callback_on_step_end_tensor_inputs": ["noise"]}, "'noise'"),
    ],
)
def test_what_makes_no_sense_is_refused(pipeline, outfit, options, message):
    with pytest.raises(ToileError, match=message):
        dress(pipeline, **({"garments": outfit} | options))


def test_garments_and_a_wardrobe_at_once(pipeline, outfit):
    with pytest.raises(ToileError, match="give one of them"):
        dress(pipeline, garments=outfit, wardrobe=pipeline.encode_garments(outfit))


@pytest.mark.parametrize("part", ["garments_net", "dressing_attention", "unet"])
def test_an_incomplete_folder(tmp_path, folder, part):
    copy = shutil.copytree(folder, tmp_path / "model")
    shutil.rmtree(copy / part)
    with pytest.raises(ToileError, match=f"the part {part} is missing"):
        AnyDressingPipeline.from_pretrained(copy)


def test_damaged_weights(tmp_path, folder):
    copy = shutil.copytree(folder, tmp_path / "model")
    weights = copy / "garments_net" / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(ToileError, match="cannot be loaded") as error:
        AnyDressingPipeline.from_pretrained(copy)
    assert "\n" not in str(error.value)


def test_another_system_s_folder(igr_folder):
    with pytest.raises(ToileError, match=r"IGRPipeline.*AnyDressingPipeline"):
        AnyDressingPipeline.from_pretrained(igr_folder)
