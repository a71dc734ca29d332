"""Dressing beside what else people load into a pipeline: both take effect, neither breaks the other."""

import pytest
import torch
from diffusers import StableDiffusionControlNetPipeline, StableDiffusionPipeline
from tests.anydressing.stock_pipelines import (
    FACE,
    apart,
    further,
    ip_adapter_file,
    lora_file,
    outfit,
    paint,
    picture,
    pipeline,
    warnings_of,
)
from tests.small_models import small_unet

from toile.anydressing.dressing_attention import DressingAttention, is_installed
from toile.anydressing.plug_in import install, uninstall
from toile.diffusion.layers import attention_layers

SEEN = 1e-2
ROUNDING = 1e-4


@pytest.fixture(autouse=True)
def complaints():
    with warnings_of("diffusers") as heard:
        yield heard
    assert not [message for message in heard if "cross_attention_kwargs" in message]


@pytest.fixture
def pipe():
    return pipeline(StableDiffusionPipeline)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("published")
    for style in ("diffusers", "kohya"):
        lora_file(folder / f"{style}.safetensors", style)
    ip_adapter_file(folder / "ip-adapter_sd15.safetensors")
    ip_adapter_file(folder / "ip-adapter-faceid_sd15.safetensors", face=True)
    return folder


def load_lora(pipe, files, style="diffusers", name="style"):
    pipe.load_lora_weights(files, weight_name=f"{style}.safetensors", adapter_name=name)


def load_image_prompt(pipe, files):
    name = "ip-adapter_sd15.safetensors"
    pipe.load_ip_adapter(files, subfolder="", weight_name=name, image_encoder_folder=None)
    pipe.set_ip_adapter_scale(0.7)


def load_face(pipe, files):
    name = "ip-adapter-faceid_sd15.safetensors"
    pipe.load_ip_adapter(files, subfolder="", weight_name=name, image_encoder_folder=None)


def face(seed=0):
    """A face's embedding, and none for the unconditional row, as diffusers wants them."""
    drawn = torch.randn(1, 1, FACE, generator=torch.Generator().manual_seed(seed))
    return {"ip_adapter_image_embeds": [torch.stack([torch.zeros_like(drawn), drawn])[:, 0]]}


def in_both_orders(extend):
    """A pipeline installed first and extended then, and the reverse."""
    pipes = [pipeline(StableDiffusionPipeline) for _ in range(2)]
    install(pipes[0])
    for pipe in pipes:
        extend(pipe)
    install(pipes[1])
    return pipes


@pytest.mark.parametrize("style", ["diffusers", "kohya"])
def test_lora(files, style):
    first, second = in_both_orders(lambda pipe: load_lora(pipe, files, style))
    both = paint(first, outfit())
    assert torch.equal(paint(second, outfit()), both)
    merged = pipeline(StableDiffusionPipeline)
    load_lora(merged, files, style)
    merged.fuse_lora()
    merged.unload_lora_weights()
    install(merged)
    assert apart(both, paint(merged, outfit())) < ROUNDING
    assert apart(both, paint(first)) > SEEN
    assert torch.equal(paint(first, outfit(scale=0.0)), paint(first))
    first.unload_lora_weights()
    plain = pipeline(StableDiffusionPipeline)
    install(plain)
    dressed = paint(plain, outfit())
    assert apart(both, dressed) > SEEN
    assert torch.equal(paint(first, outfit()), dressed)
    uninstall(second)
    uninstalled = paint(second)
    second.unload_lora_weights()
    assert torch.equal(paint(second), paint(plain)) and apart(uninstalled, paint(plain)) > SEEN


def test_the_scale_of_a_lora_reaches_it_beside_a_wardrobe(pipe, files):
    install(pipe)
    without = paint(pipe, outfit())
    load_lora(pipe, files)
    assert apart(paint(pipe, outfit(), arguments={"scale": 0.0}), without) < ROUNDING
    assert apart(paint(pipe, outfit(), arguments={"scale": 0.5}), paint(pipe, outfit())) > SEEN


def test_a_fine_tuned_unet(pipe):
    tuned = small_unet(seed=4)
    plain = pipeline(StableDiffusionPipeline, tuned)
    undressed = paint(plain)
    pipe.unet = tuned
    install(pipe, DressingAttention.from_unet(small_unet()))
    dressed = paint(pipe, outfit())
    base = pipeline(StableDiffusionPipeline)
    install(base)
    assert apart(dressed, undressed) > SEEN and apart(dressed, paint(base, outfit())) > SEEN


def test_a_unet_that_was_not_installed_is_not_silent(pipe, complaints):
    install(pipe)
    pipe.unet = small_unet(seed=4)
    paint(pipe, outfit(), num_inference_steps=1)
    assert any("['wardrobe'] are not expected" in message for message in complaints)
    complaints.clear()


def test_image_prompt(files):
    first, second = in_both_orders(lambda pipe: load_image_prompt(pipe, files))
    shown = {"ip_adapter_image": picture(1)}
    both = paint(first, outfit(), **shown)
    assert torch.equal(paint(second, outfit(), **shown), both)
    assert apart(both, paint(first, outfit(), ip_adapter_image=picture(2))) > SEEN
    alone = paint(first, **shown)
    assert apart(both, alone) > SEEN
    assert torch.equal(paint(first, outfit(scale=0.0), **shown), alone)
    uninstall(second)
    assert torch.equal(paint(second, **shown), alone)
    first.unload_ip_adapter()
    plain = pipeline(StableDiffusionPipeline)
    install(plain)
    assert torch.equal(paint(first, outfit()), paint(plain, outfit()))
    assert apart(paint(first, outfit()), both) > SEEN


def test_face(files):
    first, second = in_both_orders(lambda pipe: load_face(pipe, files))
    both = paint(first, outfit(), **face())
    assert torch.equal(paint(second, outfit(), **face()), both)
    assert apart(both, paint(first, outfit(), **face(1))) > SEEN
    alone = paint(first, **face())
    assert apart(both, alone) > SEEN
    assert torch.equal(paint(first, outfit(scale=0.0), **face()), alone)
    first.unload_ip_adapter()
    plain = pipeline(StableDiffusionPipeline)
    install(plain)
    # diffusers leaves the face's LoRA behind; it has to be unloaded as well.
    assert first.get_active_adapters() == ["faceid_0"]
    assert apart(paint(first, outfit()), paint(plain, outfit())) > SEEN
    first.unload_lora_weights()
    assert torch.equal(paint(first, outfit()), paint(plain, outfit()))


def test_face_beside_another_lora(pipe, files):
    install(pipe)
    load_lora(pipe, files)
    load_face(pipe, files)
    # diffusers' loader of faces switches other LoRAs off; they have to be switched on again.
    assert pipe.get_active_adapters() == ["faceid_0"]
    alone = paint(pipe, outfit(), **face())
    pipe.set_adapters(["faceid_0", "style"])
    together = paint(pipe, outfit(), **face())
    assert apart(together, alone) > SEEN
    pipe.set_adapters(["style"])
    assert apart(together, paint(pipe, outfit(), **face())) > SEEN


def test_control_image_lora_and_image_prompt_at_once(files):
    kind = StableDiffusionControlNetPipeline
    pipes = [pipeline(kind, **further(kind)) for _ in range(2)]
    install(pipes[0])
    for pipe in pipes:
        load_image_prompt(pipe, files)
        load_lora(pipe, files, "kohya")
    install(pipes[1])
    shown = {"image": picture(1), "ip_adapter_image": picture(2)}
    everything = paint(pipes[0], outfit(), **shown)
    assert torch.equal(everything, paint(pipes[1], outfit(), **shown))
    changed = [
        paint(pipes[0], **shown),
        paint(pipes[0], outfit(), **shown | {"image": picture(3)}),
        paint(pipes[0], outfit(), **shown | {"ip_adapter_image": picture(3)}),
        paint(pipes[0], outfit(), arguments={"scale": 0.0}, **shown),
        paint(pipes[0], outfit(), controlnet_conditioning_scale=0.0, **shown),
    ]
    assert all(apart(everything, other) > SEEN for other in changed)
    pipes[0].unload_lora_weights()
    pipes[0].unload_ip_adapter()
    uninstall(pipes[0])
    untouched = pipeline(kind, **further(kind))
    assert torch.equal(paint(pipes[0], image=picture(1)), paint(untouched, image=picture(1)))


@pytest.mark.parametrize(
    "change",
    [
        lambda pipe: pipe.enable_attention_slicing(1),
        lambda pipe: pipe.fuse_qkv_projections(vae=False),
        lambda pipe: pipe.unet.set_default_attn_processor(),
        lambda pipe: pipe.enable_freeu(s1=0.9, s2=0.2, b1=1.0, b2=1.0),
    ],
    ids=["slicing", "fused", "default processors", "freeu"],
)
def test_other_ways_to_compute(change):
    first, second = in_both_orders(change)
    dressed = paint(first, outfit())
    assert torch.equal(paint(second, outfit()), dressed)
    assert apart(dressed, paint(first)) > SEEN
    assert torch.equal(paint(first, outfit(scale=0.0)), paint(first))


def test_slicing_fusing_and_their_end_change_nothing(pipe):
    install(pipe)
    dressed = paint(pipe, outfit())
    pipe.enable_attention_slicing(1)
    assert apart(paint(pipe, outfit()), dressed) < ROUNDING
    pipe.disable_attention_slicing()
    pipe.fuse_qkv_projections(vae=False)
    assert apart(paint(pipe, outfit()), dressed) < ROUNDING
    pipe.unfuse_qkv_projections(vae=False)
    assert torch.equal(paint(pipe, outfit()), dressed)
    assert is_installed(pipe.unet)


def test_a_wardrobe_does_not_follow_a_lora_on_keys_and_values(pipe, files):
    before = outfit()
    install(pipe)
    load_lora(pipe, files)
    projected = DressingAttention.from_unet(pipe.unet)  # the weights without the LoRA
    base = DressingAttention.from_unet(small_unet())
    assert all(
        torch.equal(tensor, base.state_dict()[name]) for name, tensor in projected.state_dict().items()
    )
    pipe.unet.requires_grad_(False)
    for name, layer in attention_layers(pipe.unet, "attn1").items():
        hidden = torch.randn(1, 9, layer.to_q.in_features)
        worn = {"wardrobe": before.for_rows([(0, 1)])}
        added = layer(hidden, **worn) - layer(hidden)
        for part in (layer.to_k, layer.to_v):
            part.set_adapter([])
        assert apart(layer(hidden, **worn) - layer(hidden), added) < ROUNDING
        for part in (layer.to_q, layer.to_out[0]):
            part.set_adapter([])
        assert apart(layer(hidden, **worn) - layer(hidden), added) > SEEN, name
