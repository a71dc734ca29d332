"""What trying on or taking off costs, in units of one plain U-Net pass at one panel's resolution.

    python -m benchmarks.twgtm --size sd15 --latents 64x48        # FLOPs alone
    python -m benchmarks.twgtm --size tiny --latents 32x24 --repeats 20   # and wall time
    python -m benchmarks.twgtm --size sd15 --latents 128x96 --once        # ours at the paper's size, one turn

FLOPs are counted on the meta device, where attention is two matrix products. Time is the median of turns that
alternate. `modules` is everything that is computed once for a garment: CLIP ViT-L/14, the Q-Former, Swin,
TaskFormer, the decoder, K' and V'. The naive way is `tests/twgtm/naive.py`, which does all of that but CLIP
again at each step.
"""

import argparse
import resource
import time

import torch
from benchmarks.passes import Work, clock, count
from diffusers import UNet2DConditionModel
from tests.twgtm.naive import NaiveTWGTM
from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection, masking_utils

from toile.diffusion import tiny
from toile.diffusion.stable_diffusion import sd15_unet_config
from toile.training.twgtm_start import HEAD, TINY_QFORMER, TINY_SWIN
from toile.twgtm.extended_attention import ExtendedAttention
from toile.twgtm.model import TWGTMModel
from toile.twgtm.panels import from_text_to_image
from toile.twgtm.recipes import TWGTMRecipe, paper_stage_2, tiny_stage_2
from toile.twgtm.reference import Reference
from toile.twgtm.semantic import SemanticAbstraction
from toile.twgtm.spatial import SpatialRefinement

TARGETS = {"modules": 0.6, "guided_step": 5.2}
WORDS = 8
SWIN_T = {"embed_dim": 96, "depths": [2, 2, 6], "num_heads": [3, 6, 12], "window_size": 7}
"""Swin-T, as far as it is used."""


def clip_large() -> CLIPVisionConfig:
    """CLIP ViT-L/14."""
    return CLIPVisionConfig(
        hidden_size=1024,
        intermediate_size=4096,
        projection_dim=768,
        num_hidden_layers=24,
        num_attention_heads=16,
        patch_size=14,
    )


class Contestants:
    """A TWGTM, its image encoder and a plain U-Net, with random weights, and what they work on."""

    def __init__(self, size: str, latents: tuple[int, int], device: str, dtype: torch.dtype) -> None:
        paper = size == "sd15"
        self.recipe: TWGTMRecipe = paper_stage_2() if paper else tiny_stage_2()
        with torch.device(device):
            encoder = clip_large() if paper else tiny.vision_config()
            self.unet = UNet2DConditionModel(**sd15_unet_config()) if paper else tiny.unet()
            self.encoder = CLIPVisionModelWithProjection(encoder).to(dtype).eval()
            qformer = {"encoder_hidden_size": 1408} if paper else TINY_QFORMER
            swin = SWIN_T if paper else TINY_SWIN
            self.model = self.make(qformer, swin).to(dtype=dtype).eval().requires_grad_(False)
        self.unet.to(dtype=dtype).eval()
        if device == "meta":  # transformers asks for the mask's values, which are not there
            masking_utils._ignore_bidirectional_mask_sdpa = lambda *_: False
        self.latents, self.device, self.dtype = latents, device, dtype

    def make(self, qformer: dict[str, object], swin: dict[str, object]) -> TWGTMModel:
        """A TWGTM around a copy of the U-Net."""
        recipe, unet = self.recipe, from_text_to_image(self.unet)
        width, levels = int(unet.config["cross_attention_dim"]), list(unet.config["block_out_channels"])
        clip, embed = self.encoder.config.hidden_size, self.encoder.config.projection_dim
        spatial = SpatialRefinement(
            swin,
            width,
            levels,
            dim=recipe.dim,
            num_task_queries=recipe.num_task_queries,
            num_units=recipe.num_units,
            num_heads=recipe.dim // HEAD,
        )
        semantic = SemanticAbstraction(clip, embed, width, num_queries=recipe.num_queries, qformer=qformer)
        return TWGTMModel(unet, semantic, spatial, ExtendedAttention.from_unet(unet))

    def draw(self, *shape: int) -> torch.Tensor:
        """Something of that shape."""
        return torch.rand(shape, device=self.device, dtype=self.dtype)

    def look(self) -> Reference:
        """Show a reference to CLIP."""
        side, words = int(self.encoder.config.image_size), torch.ones(1, WORDS, dtype=torch.long)
        seen = self.encoder(self.draw(1, 3, side, side))
        return Reference(
            picture=self.draw(1, 3, *(8 * extent for extent in self.latents)),
            clip_tokens=seen.last_hidden_state,
            clip_embeds=seen.image_embeds,
            text=words.to(self.device),
            text_mask=words.to(self.device),
        )

    def work(self) -> Work:
        """What is compared."""
        channels = int(self.unet.config["out_channels"])
        text = self.draw(1, 77, int(self.unet.config["cross_attention_dim"]))
        one = self.draw(1, channels, *self.latents)
        both = self.draw(1, 2 * channels + 1, self.latents[0], 2 * self.latents[1])
        reference, timestep = self.look(), torch.tensor(500, device=self.device)
        wardrobe = self.model.encode(reference)
        naive = NaiveTWGTM(self.model.unet, self.model.semantic, self.model.spatial, self.model.extended)
        return {
            "plain": lambda: self.unet(one, timestep, text),
            "modules": lambda: self.model.encode(self.look()),
            "guided_step": lambda: self.model.guided(both, timestep, wardrobe, 2.5),
            "naive_step": lambda: naive.guided(both, timestep, reference, 2.5),
        }


def report(title: str, cost: dict[str, float], steps: int) -> list[str]:
    """Print costs in passes, and name the targets that are missed."""
    passes = {name: value / cost["plain"] for name, value in cost.items()}
    ours, naive = passes["modules"] + steps * passes["guided_step"], steps * passes["naive_step"]
    print(f"{title} (one plain pass of one panel = {cost['plain']:.4g})")
    for name in ("modules", "guided_step", "naive_step"):
        print(f"  {name:12} {passes[name]:7.3f} passes")
    print(f"  {steps} steps: ours {ours:.2f}, naive {naive:.2f} passes, {naive / ours:.2f} times as much")
    missed = (name for name, most in TARGETS.items() if passes[name] > most)
    return [f"{name} is {passes[name]:.3f}, the target {TARGETS[name]}" for name in missed]


def run_once(timed: Contestants) -> None:
    """Print how long each job of ours takes the first time, and the most memory that the process held."""
    for name, job in timed.work().items():
        if name != "naive_step":
            start = time.perf_counter()
            job()
            print(f"  {name:12} {time.perf_counter() - start:7.1f} s")
    print(f"  {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.1f} GiB at most")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", choices=("tiny", "sd15"), default="sd15")
    parser.add_argument("--latents", default="64x48", help="height x width of one panel's latents")
    parser.add_argument("--repeats", type=int, default=0, help="timed turns; 0 only counts")
    parser.add_argument("--once", action="store_true", help="time our own way once, cold, with its memory")
    parser.add_argument("--device", default="cpu", help="where time is measured")
    parser.add_argument("--dtype", default="float32", choices=("float32", "bfloat16", "float16"))
    options = parser.parse_args()
    height, width = (int(side) for side in options.latents.split("x"))
    dtype = getattr(torch, options.dtype)
    with torch.no_grad():
        counted = Contestants(options.size, (height, width), "meta", dtype)
        steps = counted.recipe.num_inference_steps
        missed = report(f"{options.size} {options.latents}, FLOPs", count(counted.work()), steps)
        if options.repeats:
            timed = Contestants(options.size, (height, width), options.device, dtype)
            report("seconds", clock(timed.work(), options.repeats, options.device), steps)
        if options.once:
            run_once(Contestants(options.size, (height, width), options.device, dtype))
    if options.size == "sd15" and options.latents == "64x48" and missed:
        raise SystemExit("targets missed: " + "; ".join(missed))


if __name__ == "__main__":
    main()
