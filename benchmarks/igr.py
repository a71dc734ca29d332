"""What a restoration costs, in units of one plain U-Net pass at the same resolution: ours, and the naive way.

    python -m benchmarks.igr --size sd15 --latents 64x48        # FLOPs alone
    python -m benchmarks.igr --size tiny --latents 32x24 --repeats 20   # and wall time

FLOPs are counted on the meta device, where attention is two matrix products. Time is the median of turns that
alternate. The naive way is `tests/igr/naive.py`, its softmax spelt out for counting, torch's own for timing.
"""

import argparse

import torch
from benchmarks.passes import Work, clock, count
from diffusers import UNet2DConditionModel
from tests.igr.naive import NaiveIGR
from torch import Tensor
from torch.nn import functional

from toile.diffusion import tiny
from toile.diffusion.stable_diffusion import sd15_unet_config
from toile.igr.model import IGRModel

STEPS = 25
TARGETS = {"garment_net": 1.0, "guided_step": 2.25, "naive_over_ours": 1.7}


def build(size: str, device: str, dtype: torch.dtype) -> tuple[IGRModel, UNet2DConditionModel]:
    """Make an IGR and a plain U-Net with random weights."""
    with torch.device(device):
        unet = UNet2DConditionModel(**sd15_unet_config()) if size == "sd15" else tiny.unet()
        model = IGRModel.from_base(unet, 1024 if size == "sd15" else tiny.EMBEDDING)
    return model.to(dtype=dtype).eval(), unet.to(dtype=dtype).eval()


def inputs(model: IGRModel, latents: tuple[int, int], device: str, dtype: torch.dtype) -> dict[str, Tensor]:
    """Draw one photo's worth of inputs."""
    config = model.unet.config
    shapes = {
        "latents": (1, config["in_channels"], *latents),
        "person": (1, config["in_channels"], *latents),
        "mask": (1, 1, *latents),
        "text": (1, 77, config["cross_attention_dim"]),
        "null": (1, 77, config["cross_attention_dim"]),
        "image": (1, model.extractor.config["image_embed_dim"]),
    }
    return {name: torch.rand(shape, device=device, dtype=dtype) for name, shape in shapes.items()}


def work(model: IGRModel, unet: UNet2DConditionModel, x: dict[str, Tensor], *, fused: bool) -> Work:
    """The four things that are compared."""
    options = {"attend": functional.scaled_dot_product_attention} if fused else {}
    naive = NaiveIGR(model.garment_net, model.unet, model.extractor, **options)
    time_step = torch.tensor(500, device=x["latents"].device)
    encode = (x["person"], x["mask"], x["text"], x["image"])
    wardrobe = model.encode(*encode)
    return {
        "plain": lambda: unet(x["latents"], time_step, x["text"]),
        "garment_net": lambda: model.encode(*encode),
        "guided_step": lambda: model.guided(x["latents"], time_step, x["text"], x["null"], wardrobe, 1.5),
        "naive_step": lambda: naive.guided(
            x["latents"], time_step, x["text"], x["null"], x["person"], x["mask"], x["image"], 1.5
        ),
    }


def report(title: str, cost: dict[str, float]) -> dict[str, float]:
    """Print costs in passes, and give the three figures that have targets."""
    passes = {name: value / cost["plain"] for name, value in cost.items()}
    ours = passes["garment_net"] + STEPS * passes["guided_step"]
    naive = STEPS * passes["naive_step"]
    print(f"{title} (one plain pass = {cost['plain']:.4g})")
    for name in ("garment_net", "guided_step", "naive_step"):
        print(f"  {name:12} {passes[name]:7.3f} passes")
    print(f"  {STEPS} steps: ours {ours:.2f}, naive {naive:.2f} passes, {naive / ours:.2f} times as much")
    return {
        "garment_net": passes["garment_net"],
        "guided_step": passes["guided_step"],
        "naive_over_ours": naive / ours,
    }


def check(figures: dict[str, float]) -> list[str]:
    """Name the targets that are missed."""
    at_most = [name for name in ("garment_net", "guided_step") if figures[name] > TARGETS[name]]
    at_least = [name for name in ("naive_over_ours",) if figures[name] < TARGETS[name]]
    return [f"{name} is {figures[name]:.3f}, the target {TARGETS[name]}" for name in at_most + at_least]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", choices=("tiny", "sd15"), default="sd15")
    parser.add_argument("--latents", default="64x48", help="height x width of the latents")
    parser.add_argument("--repeats", type=int, default=0, help="timed turns; 0 only counts")
    parser.add_argument("--device", default="cpu", help="where time is measured")
    parser.add_argument("--dtype", default="float32", choices=("float32", "bfloat16", "float16"))
    options = parser.parse_args()
    height, width = (int(side) for side in options.latents.split("x"))
    dtype = getattr(torch, options.dtype)

    with torch.no_grad():
        model, unet = build(options.size, "meta", dtype)
        x = inputs(model, (height, width), "meta", dtype)
        missed = check(
            report(f"{options.size} {options.latents}, FLOPs", count(work(model, unet, x, fused=False)))
        )
        if options.repeats:
            model, unet = build(options.size, options.device, dtype)
            x = inputs(model, (height, width), options.device, dtype)
            jobs = work(model, unet, x, fused=True)
            missed += check(report("seconds", clock(jobs, options.repeats, options.device)))
    if options.size == "sd15" and options.latents == "64x48" and missed:
        raise SystemExit("targets missed: " + "; ".join(missed))


if __name__ == "__main__":
    main()
