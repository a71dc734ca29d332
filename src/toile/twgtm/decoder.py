"""The lightweight decoder: task maps become token maps as wide as the U-Net at each of its resolutions.

Legend: `B` batch, `K` task maps, `y x` their pixels (a quarter of the picture's), `dim` the width inside,
`n C` tokens and channels of one level of the U-Net.
"""

from collections.abc import Sequence

from diffusers.models.attention import BasicTransformerBlock
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from toile.twgtm.positions import sine_positions


class DecoderLevel(nn.Module):
    """Halves height and width, and gives tokens as wide as one level of the U-Net.

    Source: TWGTM, "convolutional layers and basic transformer blocks". Ours: one of each a level, but for the
    finest, where attention would cost the most; tokens are told where they lie, since the U-Net is to find
    them from another panel.
    """

    def __init__(self, in_channels: int, dim: int, channels: int, num_heads: int, transformer: bool) -> None:
        super().__init__()
        self.down = nn.Conv2d(in_channels, dim, kernel_size=3, stride=2, padding=1)
        self.block = BasicTransformerBlock(dim, num_heads, dim // num_heads) if transformer else None
        self.norm = nn.LayerNorm(dim)
        self.out = nn.Linear(dim, channels)

    def forward(
        self, features: Float[Tensor, "B _ y x"]
    ) -> tuple[Float[Tensor, "B dim y2 x2"], Float[Tensor, "B n C"]]:
        """Give the features of this level, for the next one, and the level's tokens."""
        features = functional.gelu(self.down(features))  # (B dim y2 x2)
        size = features.shape[2:]
        tokens = rearrange(features + sine_positions(features), "b d y x -> b (y x) d")
        if self.block is not None:
            tokens = self.block(tokens)  # (B n dim)
            features = rearrange(tokens, "b (y x) d -> b d y x", y=size[0])
        return features, self.out(self.norm(tokens))


class Decoder(nn.Module):
    """Turns task maps into F_SRM.

    Source: TWGTM, Eq. 12.

    Args:
        num_maps: K.
        channels: width of the U-Net at each of its resolutions, the finest first.
        dim: width inside.
        num_heads: heads of attention.
    """

    def __init__(self, num_maps: int, channels: Sequence[int], dim: int, num_heads: int) -> None:
        super().__init__()
        self.levels = nn.ModuleList(
            DecoderLevel(dim if index else num_maps, dim, width, num_heads, transformer=index > 0)
            for index, width in enumerate(channels)
        )

    def forward(self, maps: Float[Tensor, "B K y x"]) -> tuple[Float[Tensor, "B _ _"], ...]:
        """Make tokens for each level, row by row of the U-Net's feature map there.

        Each level is half as high and as wide as the one before, odd sizes rounded up as in the U-Net.
        """
        features, outputs = maps, []
        for level in self.levels:
            features, tokens = level(features)  # (B dim y2 x2), (B n C)
            outputs.append(tokens)
        return tuple(outputs)
