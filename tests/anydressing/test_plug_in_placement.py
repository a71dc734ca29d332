"""Dressing where weights come and go: offloading, activation checkpointing, `torch.compile`."""

import jaxtyping
import pytest
import torch
from accelerate import cpu_offload, dispatch_model
from accelerate.hooks import remove_hook_from_submodules
from accelerate.utils import send_to_device
from diffusers import StableDiffusionPipeline, UNet2DConditionModel
from tests.anydressing.stock_pipelines import apart, outfit, paint, pipeline, warnings_of
from tests.small_models import TEXT, unet_inputs

from toile.anydressing.plug_in import find_rows, install, uninstall
from toile.diffusion.layers import attention_layers
from toile.wardrobe import Wardrobe

SEEN = 1e-2
ROUNDING = 1e-4


@pytest.fixture(autouse=True)
def _nothing_unexpected():
    with warnings_of("diffusers") as heard:
        yield
    assert not [message for message in heard if "cross_attention_kwargs" in message]


@pytest.fixture
def pipe():
    return pipeline(StableDiffusionPipeline)


@pytest.fixture(scope="module")
def expected():
    made = pipeline(StableDiffusionPipeline)
    install(made)
    return paint(made, outfit())


def test_accelerate_moves_a_wardrobe():
    moved = send_to_device({"wardrobe": outfit(scale=0.5)}, torch.device("meta"))["wardrobe"]
    assert isinstance(moved, Wardrobe) and moved.per_picture
    for layer in moved.layers.values():
        assert {tensor.device.type for tensor in (layer.key, layer.value, layer.scale)} == {"meta"}


def test_a_wardrobe_follows_the_latents_in_every_step(pipe):
    install(pipe)
    worn = {"cross_attention_kwargs": {"wardrobe": outfit().for_rows([(0, 1)])}}
    for _ in range(2):
        _, told = find_rows(pipe.unet, (torch.empty(1, 4, 8, 8, device="meta"),), worn)
        layers = told["cross_attention_kwargs"]["wardrobe"].layers.values()
        assert all(layer.key.is_meta and layer.value.is_meta for layer in layers)


def offload(unet):
    """Weights live on "meta" and come layer by layer, as `enable_sequential_cpu_offload` does it."""
    cpu_offload(unet, execution_device="cpu")


def dispatch(unet):
    """Every module has a hook of accelerate, as models loaded with a `device_map` have."""
    device_map = {name: "cpu" for name, _ in unet.named_children()}
    dispatch_model(unet, device_map, main_device="cpu", force_hooks=True)


@pytest.mark.parametrize("spread", [offload, dispatch])
@pytest.mark.parametrize("installed", ["before", "after"])
def test_offloading(pipe, expected, spread, installed):
    plain = paint(pipe)
    if installed == "before":
        install(pipe)
    spread(pipe.unet)
    install(pipe)
    assert torch.equal(paint(pipe, outfit()), expected)
    if installed == "before":
        remove_hook_from_submodules(pipe.unet)
        assert torch.equal(paint(pipe, outfit()), expected)
    uninstall(pipe)
    assert torch.equal(paint(pipe), plain)


def test_offloading_was_removed_before(pipe, expected):
    dispatch(pipe.unet)
    remove_hook_from_submodules(pipe.unet)
    install(pipe)
    assert torch.equal(paint(pipe, outfit()), expected)


def test_checkpointing_leaves_gradients_as_they_are(pipe):
    install(pipe)
    unet = pipe.unet.train()
    gradients = []
    for enable in (unet.disable_gradient_checkpointing, unet.enable_gradient_checkpointing):
        enable()
        layers = {
            name: layer.map(lambda tokens: tokens.clone().requires_grad_())
            for name, layer in outfit().layers.items()
        }
        worn = Wardrobe(layers=layers, rows=(-1, (0, 1)))
        unet(*unet_inputs(), cross_attention_kwargs={"wardrobe": worn}).sample.square().sum().backward()
        gradients.append([t.grad for layer in layers.values() for t in (layer.key, layer.value)])
    assert all(torch.equal(first, second) for first, second in zip(*gradients, strict=True))
    assert all(gradient.abs().max() > 0 for gradient in gradients[0])


def one_level_unet() -> UNet2DConditionModel:
    """As few layers as can be, since they are compiled."""
    torch.manual_seed(2)
    return UNet2DConditionModel(
        sample_size=8,
        block_out_channels=(16,),
        layers_per_block=1,
        down_block_types=("CrossAttnDownBlock2D",),
        up_block_types=("CrossAttnUpBlock2D",),
        cross_attention_dim=TEXT,
        attention_head_dim=2,
        norm_num_groups=8,
    ).eval()


@pytest.fixture
def _unchecked():
    """Without the checks of annotations, which tests put around every function."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


@pytest.fixture
def graphs():
    """What `torch.compile` compiled, by `keep` as its backend."""
    torch._dynamo.reset()
    return []


def keep(graphs):
    def backend(graph, inputs):
        graphs.append(graph)
        return graph.forward

    return backend


CHOICES = [(5, 0.7), (9, 0.7), (5, 0.2), (9, 1.3)]
"""Seeds and scales of outfits."""


@pytest.mark.usefixtures("_unchecked")
def test_a_compiled_unet_is_one_graph_that_serves_every_wardrobe_of_a_shape(graphs):
    reference, pipe = (pipeline(StableDiffusionPipeline, one_level_unet()) for _ in range(2))
    install(reference)
    pipe.unet = torch.compile(pipe.unet, fullgraph=True, backend=keep(graphs))
    plain = paint(pipe)
    install(pipe)
    for seed, scale in CHOICES:
        wardrobe = outfit(seed=seed, scale=scale, unet=reference.unet)
        found = paint(pipe, wardrobe)
        assert apart(found, paint(reference, wardrobe)) < ROUNDING
        assert apart(found, plain) > SEEN
    uninstall(pipe)
    assert torch.equal(paint(pipe), plain)
    assert len(graphs) == 2, "one without a wardrobe, one with any"


@pytest.mark.usefixtures("_unchecked")
def test_a_unet_compiled_in_place_after_installing_is_one_graph(graphs):
    reference, pipe = (pipeline(StableDiffusionPipeline, one_level_unet()) for _ in range(2))
    install(reference)
    install(pipe)
    pipe.unet.compile(fullgraph=True, backend=keep(graphs))
    for seed, scale in CHOICES[::3]:
        wardrobe = outfit(seed=seed, scale=scale, unet=reference.unet)
        assert apart(paint(pipe, wardrobe), paint(reference, wardrobe)) < ROUNDING
    assert len(graphs) == 1


@pytest.mark.usefixtures("_unchecked")
def test_blocks_that_are_compiled_by_themselves_make_one_graph_each(graphs):
    reference, pipe = (pipeline(StableDiffusionPipeline) for _ in range(2))
    install(reference)
    install(pipe)
    blocks = len(attention_layers(pipe.unet, "attn1"))
    with torch._dynamo.config.patch(recompile_limit=blocks - 1):  # Stable Diffusion has 16, and 8 is usual
        pipe.unet.compile_repeated_blocks(fullgraph=True, backend=keep(graphs), isolate_recompiles=True)
        for seed, scale in CHOICES:
            wardrobe = outfit(seed=seed, scale=scale)
            assert apart(paint(pipe, wardrobe), paint(reference, wardrobe)) < ROUNDING
    assert len(graphs) == blocks
