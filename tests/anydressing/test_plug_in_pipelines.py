"""Unmodified pipelines of diffusers, dressed."""

import copy

import pytest
import torch
from diffusers import (
    StableDiffusionControlNetImg2ImgPipeline,
    StableDiffusionControlNetPAGPipeline,
    StableDiffusionControlNetPipeline,
    StableDiffusionImg2ImgPipeline,
    StableDiffusionInpaintPipeline,
    StableDiffusionPAGPipeline,
    StableDiffusionPipeline,
)
from tests.anydressing.stock_pipelines import (
    apart,
    further,
    mask,
    outfit,
    paint,
    picture,
    pipeline,
    warnings_of,
)
from tests.small_models import LATENT, small_unet

from toile.anydressing.dressing_attention import DressingAttention, is_installed
from toile.anydressing.plug_in import find_rows, install, uninstall
from toile.anydressing.row_layout import PIPELINES
from toile.errors import ToileError
from toile.wardrobe import Wardrobe

SEEN = 1e-2
ROUNDING = 1e-4
MAIN = [
    StableDiffusionPipeline,
    StableDiffusionImg2ImgPipeline,
    StableDiffusionInpaintPipeline,
    StableDiffusionControlNetPipeline,
]


@pytest.fixture(autouse=True)
def _nothing_unexpected():
    with warnings_of("diffusers") as heard:
        yield
    assert not [message for message in heard if "cross_attention_kwargs" in message]


def pictures(kind, count=1):
    """The pictures that a kind of pipeline reads, another for each prompt."""
    shown, name = [picture(seed) for seed in range(count)], kind.__name__
    if "Inpaint" in name:
        given = {"image": shown, "mask_image": [mask()] * count, "strength": 1.0}
    elif "Img2Img" in name:
        given = {"image": shown, "strength": 1.0}
    else:
        given = {"image": shown} if "ControlNet" in name or "Adapter" in name else {}
    if "ControlNet" in name and given.keys() > {"image"}:
        given["control_image"] = shown[::-1]
    if "Adapter" in name and count == 1:
        given["image"] = shown[0]
    return given


def one_of(given, index):
    return {name: value[index] if isinstance(value, list) else value for name, value in given.items()}


def painted(pipe, wardrobe=None, **options):
    return paint(pipe, wardrobe, **pictures(type(pipe)) | options)


@pytest.fixture(scope="module", params=[*MAIN, "nine channels"], ids=str)
def pipe(request):
    if request.param == "nine channels":
        return pipeline(StableDiffusionInpaintPipeline, small_unet(in_channels=2 * LATENT + 1))
    return pipeline(request.param, **further(request.param))


@pytest.mark.parametrize("guidance_scale", [3.0, 1.0])
def test_garments_are_seen_and_without_them_nothing_changes(pipe, guidance_scale):
    before = painted(pipe, guidance_scale=guidance_scale)
    install(pipe)
    install(pipe)
    try:
        assert torch.equal(painted(pipe, guidance_scale=guidance_scale), before)
        assert torch.equal(painted(pipe, outfit(scale=0.0), guidance_scale=guidance_scale), before)
        dressed = painted(pipe, outfit(), guidance_scale=guidance_scale)
        assert apart(dressed, before) > SEEN
        assert apart(dressed, painted(pipe, outfit(seed=6), guidance_scale=guidance_scale)) > SEEN
    finally:
        uninstall(pipe)
    assert torch.equal(painted(pipe, guidance_scale=guidance_scale), before)


@pytest.mark.parametrize("kind", PIPELINES, ids=lambda kind: kind.__name__)
def test_two_outfits_in_one_batch_are_worn_by_their_own_pictures(kind):
    pipe = pipeline(kind, **further(kind))
    install(pipe)
    prompts, outfits = ["a red dress", "the park"], [outfit(2), outfit(1, seed=7)]
    given = pictures(kind, count=2)
    both = paint(pipe, Wardrobe.stack(outfits), seeds=(0, 1), prompt=prompts, **given)
    for index in (0, 1):
        alone = paint(pipe, outfits[index], (index,), prompt=prompts[index], **one_of(given, index))
        assert apart(both[index : index + 1], alone) < ROUNDING
    swapped = paint(pipe, outfits[0], (1,), prompt=prompts[1], **one_of(given, 1))
    assert apart(both[1:], swapped) > SEEN


@pytest.fixture(scope="module")
def stock():
    made = pipeline(StableDiffusionPipeline)
    install(made)
    return made


@pytest.mark.parametrize("guidance_scale", [3.0, 1.0, 0.0])
def test_several_images_of_several_prompts(stock, guidance_scale):
    options = {"prompt": ["a red dress", "the park"], "guidance_scale": guidance_scale}
    outfits = [outfit(1), outfit(3, seed=8)]
    found = paint(stock, Wardrobe.stack(outfits), range(4), num_images_per_prompt=2, **options)
    for index in range(4):
        prompt = options["prompt"][index // 2]
        alone = paint(stock, outfits[index // 2], (index,), prompt=prompt, guidance_scale=guidance_scale)
        assert apart(found[index : index + 1], alone) < ROUNDING


def test_an_outfit_an_image_one_for_all_and_none(stock):
    options = {"seeds": range(2), "num_images_per_prompt": 2}
    first, second = outfit(2), outfit(1, seed=8)
    one_each = paint(stock, Wardrobe.stack([first, second]), **options)
    for_all = paint(stock, first, **options)
    bare = Wardrobe.stack([first, second])
    bare = paint(stock, bare.for_rows([-1, -1, (0, 1), -1]), **options)
    assert apart(one_each[:1], for_all[:1]) < ROUNDING
    assert apart(one_each[1:], for_all[1:]) > SEEN
    assert apart(bare[:1], for_all[:1]) < ROUNDING
    assert apart(bare[1:], paint(stock, **options)[1:]) < ROUNDING


def test_explicit_rows_say_the_same_as_those_that_are_found(stock):
    explicit = outfit().for_rows([-1, (0, 1)])
    assert torch.equal(paint(stock, explicit), paint(stock, outfit()))
    unguided = outfit().for_rows([(0, 1)])
    assert torch.equal(paint(stock, unguided, guidance_scale=1.0), paint(stock, outfit(), guidance_scale=1.0))
    with pytest.raises(ToileError, match="in 1 rows, but the batch has 2"):
        paint(stock, unguided)


@pytest.mark.parametrize("second", [StableDiffusionImg2ImgPipeline, StableDiffusionPAGPipeline])
def test_pipelines_that_share_a_unet_and_the_very_same_arguments_do_not_confuse_each_other(second):
    stock = pipeline(StableDiffusionPipeline)
    other = second(**stock.components, requires_safety_checker=False)
    other.set_progress_bar_config(disable=True)
    install(stock)
    arguments = {"wardrobe": outfit()}
    expected = paint(stock, arguments=arguments)
    unguided = painted(other, arguments=arguments, guidance_scale=1.0)
    assert torch.equal(paint(stock, arguments=arguments), expected)
    assert torch.equal(painted(other, arguments=arguments, guidance_scale=1.0), unguided)
    fresh = second(**pipeline(StableDiffusionPipeline).components, requires_safety_checker=False)
    fresh.set_progress_bar_config(disable=True)
    install(fresh)
    assert torch.equal(painted(fresh, arguments=arguments, guidance_scale=1.0), unguided)
    assert list(arguments) == ["wardrobe"] and arguments["wardrobe"].per_picture


@pytest.mark.parametrize("guidance_scale", [3.0, 1.0])
@pytest.mark.parametrize("pag_scale", [2.0, 0.0])
def test_perturbed_rows_wear_what_their_pictures_wear(guidance_scale, pag_scale):
    pipe = pipeline(StableDiffusionPAGPipeline, pag_applied_layers=["mid"])
    install(pipe)
    groups = 1 + (guidance_scale > 1) + (pag_scale > 0)
    explicit = outfit().for_rows([-1] * (guidance_scale > 1) + [(0, 1)] * (1 + (pag_scale > 0)))
    options = {"guidance_scale": guidance_scale, "pag_scale": pag_scale}
    assert len(explicit.rows) == groups
    dressed = paint(pipe, outfit(), **options)
    assert torch.equal(dressed, paint(pipe, explicit, **options))
    assert apart(dressed, paint(pipe, **options)) > SEEN
    unperturbed = paint(pipe, outfit(), guidance_scale=guidance_scale, pag_scale=0.0)
    assert (apart(dressed, unperturbed) > SEEN) == (pag_scale > 0)


def test_guess_mode_and_two_controlnets():
    pipe = pipeline(StableDiffusionControlNetPipeline, **further(StableDiffusionControlNetPipeline))
    install(pipe)
    image = picture()
    plain = paint(pipe, image=image, guess_mode=True)
    assert torch.equal(paint(pipe, outfit(scale=0.0), image=image, guess_mode=True), plain)
    assert apart(paint(pipe, outfit(), image=image, guess_mode=True), plain) > SEEN
    controlnets = [pipe.controlnet, pipe.controlnet]
    several = StableDiffusionControlNetPipeline(
        **pipe.components | {"controlnet": controlnets}, requires_safety_checker=False
    )
    several.set_progress_bar_config(disable=True)
    plain = paint(several, image=[image, picture(9)])
    assert apart(paint(several, outfit(), image=[image, picture(9)]), plain) > SEEN


def test_other_pipelines_are_told_what_to_do(stock):
    unet, wardrobe = stock.unet, outfit()
    with pytest.raises(ToileError, match=r"wardrobe\.for_rows"):
        unet(
            torch.randn(2, LATENT, 8, 8),
            10,
            torch.randn(2, 3, 16),
            cross_attention_kwargs={"wardrobe": wardrobe},
        )


@pytest.mark.parametrize(
    ("wardrobe", "told"),
    [
        ({"upper": 1}, "a dict is not a Wardrobe"),
        (outfit().for_rows([(0, 1)] * 3), "in 3 rows, but the batch has 2"),
        (Wardrobe.stack([outfit()] * 3), "3 outfits do not fit 1 prompts"),
    ],
    ids=["kind", "rows", "outfits"],
)
def test_what_cannot_be_worn_is_refused(stock, wardrobe, told):
    with pytest.raises(ToileError, match=told):
        paint(stock, wardrobe)


def test_wardrobes_for_other_unets_are_refused(stock):
    layers = outfit().layers
    narrow = {name: layer.map(lambda tokens: tokens[..., :8]) for name, layer in layers.items()}
    renamed = {f"other.{name}": layer for name, layer in layers.items()}
    for wrong in (narrow, renamed):
        with pytest.raises(ToileError, match="made for another U-Net"):
            paint(stock, Wardrobe(layers=wrong, rows=((0, 1),), per_picture=True))


def test_install_refuses_unets_that_the_weights_are_not_for():
    pipe = pipeline(StableDiffusionPipeline)
    fitting = DressingAttention.from_unet(pipe.unet)
    with pytest.raises(ToileError, match=r"it has no channels at .*, and these weights were made for 16"):
        install(pipe, DressingAttention.from_unet(small_unet(layers=2)))
    wide = DressingAttention(fitting.config["names"], [2 * width for width in fitting.config["widths"]])
    with pytest.raises(ToileError, match=r"it has 16 channels at .*, and these weights were made for 32"):
        install(pipe, wide)
    assert not is_installed(pipe.unet) and not pipe.unet._forward_pre_hooks
    install(pipe, fitting)
    assert is_installed(pipe.unet)
    pipe.unet = None
    with pytest.raises(ToileError, match="has no U-Net"):
        install(pipe)


def test_uninstall_leaves_nothing_behind():
    pipe = pipeline(StableDiffusionPipeline)
    unet = pipe.unet
    before = {name: (type(module), list(vars(module))) for name, module in unet.named_modules()}
    state, processors = copy.deepcopy(unet.state_dict()), dict(unet.attn_processors)
    hooks = {name: len(value) for name, value in vars(unet).items() if "hooks" in name}
    install(pipe)
    assert list(unet.state_dict()) == list(state) and dict(unet.attn_processors) == processors
    paint(pipe, outfit())
    uninstall(pipe)
    uninstall(pipe)
    assert {name: (type(module), list(vars(module))) for name, module in unet.named_modules()} == before
    assert all(torch.equal(tensor, state[name]) for name, tensor in unet.state_dict().items())
    assert dict(unet.attn_processors) == processors
    assert {name: len(value) for name, value in vars(unet).items() if "hooks" in name} == hooks


def test_other_hooks_of_the_unet_stay(stock):
    pipe = pipeline(StableDiffusionPipeline)
    calls = []
    pipe.unet.register_forward_pre_hook(lambda *inputs: calls.append(1) or None)
    install(pipe)
    copied = copy.deepcopy(pipe.unet)
    assert list(copied._forward_pre_hooks.values())[1] is find_rows
    uninstall(pipe)
    paint(pipe)
    assert len(calls) == 2 and len(pipe.unet._forward_pre_hooks) == 1


def test_a_unet_put_in_later_is_dressed_after_installing_again():
    pipe = pipeline(StableDiffusionPipeline)
    install(pipe)
    dressed = paint(pipe, outfit())
    first, pipe.unet = pipe.unet, small_unet(seed=4)
    undressed = paint(pipe)
    install(pipe)
    assert torch.equal(paint(pipe), undressed)
    assert apart(paint(pipe, outfit()), undressed) > SEEN
    uninstall(pipe)
    assert torch.equal(paint(pipe), undressed)
    pipe.unet = first
    assert torch.equal(paint(pipe, outfit()), dressed)


def test_control_images_are_obeyed_while_dressed():
    for kind in (StableDiffusionControlNetPipeline, StableDiffusionControlNetPAGPipeline):
        pipe = pipeline(kind, **further(kind))
        install(pipe)
        images = [paint(pipe, outfit(), image=picture(seed)) for seed in (1, 2)]
        assert apart(*images) > SEEN
    kind = StableDiffusionControlNetImg2ImgPipeline
    pipe = pipeline(kind, **further(kind))
    install(pipe)
    given = {"image": picture(1), "strength": 1.0}
    images = [paint(pipe, outfit(), control_image=picture(seed), **given) for seed in (1, 2)]
    assert apart(*images) > SEEN
