"""The tiny parser's network: transformers' Segformer, started and fed so that it trains from scratch.

B: batch, L: labels, H W: pixels.
"""

import torch
from jaxtyping import UInt8
from torch import Tensor, nn
from transformers import SegformerForSemanticSegmentation
from transformers.image_utils import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD


class StandingSegformer(SegformerForSemanticSegmentation):
    """A Segformer whose one batch norm stands still: a scale and a shift that are learned.

    With small batches its statistics would be noise, and they would not belong to the averaged weights.
    """

    def train(self, mode: bool = True) -> "StandingSegformer":
        """As every module's, but for the batch norm."""
        super().train(mode)
        self.decode_head.batch_norm.eval()
        return self


def start_lively(model: SegformerForSemanticSegmentation) -> SegformerForSemanticSegmentation:
    """Give a Segformer initial weights that carry the signal through it.

    transformers draws all weights with σ = 0.02, made for checkpoints that are loaded over them: a depthwise
    convolution, of nine weights a channel, lets nearly nothing through. Convolutions take √(2 / fan out), as
    Segformer's authors initialise them, but for the classifier: at first, nothing is likelier than anything
    else. The linear layers of the decoder take Glorot's scale (Ours).
    """
    for module in model.modules():
        if isinstance(module, nn.Conv2d) and module is not model.decode_head.classifier:
            fan_out = module.kernel_size[0] * module.kernel_size[1] * module.out_channels // module.groups
            nn.init.normal_(module.weight, std=(2 / fan_out) ** 0.5)
    for module in model.decode_head.linear_projections:
        nn.init.xavier_uniform_(module.proj.weight)
    return model


def processor_numbers(size: tuple[int, int]) -> dict[str, object]:
    """What `SegformerImageProcessor` is configured with; `do_pad` says that photos keep their aspect."""
    return {
        "image_processor_type": "SegformerImageProcessor",
        "do_resize": True,
        "do_rescale": True,
        "do_normalize": True,
        "do_reduce_labels": False,
        "do_pad": True,
        "size": {"height": size[0], "width": size[1]},
        "image_mean": list(IMAGENET_DEFAULT_MEAN),
        "image_std": list(IMAGENET_DEFAULT_STD),
        "rescale_factor": 1 / 255,
    }


def normalised(pictures: UInt8[Tensor, "B 3 H W"]) -> Tensor:
    """Bytes as the network wants them, (B, 3, H, W)."""
    mean, deviation = (
        torch.tensor(numbers, device=pictures.device).view(1, 3, 1, 1)
        for numbers in (IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD)
    )
    return (pictures.float() / 255 - mean) / deviation


def predicted(model: nn.Module, pictures: UInt8[Tensor, "B 3 H W"]) -> UInt8[Tensor, "B H W"]:
    """The most likely label of each pixel, on the CPU."""
    device = next(model.parameters()).device
    logits = model(pixel_values=normalised(pictures.to(device))).logits  # (B, L, H/4, W/4)
    enlarged = nn.functional.interpolate(
        logits.float(), size=pictures.shape[2:], mode="bilinear", align_corners=False
    )  # (B, L, H, W)
    return enlarged.argmax(1).byte().cpu()
