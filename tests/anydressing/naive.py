"""AnyDressing word for word from the paper: slow, and sharing nothing with `src` but the weights.

GarmentsNet is a loop over garments, each with the weights of its own kind: W + ΔW, merged before anything is
computed. Features are concatenated along tokens and projected to K' and V' again at every step, in every
layer. Each row of a batch is predicted by itself, and unconditional ones without any garment.
"""

import math

import torch
from torch.nn import functional


class Finished(Exception):
    """Nothing that comes after this is read by anybody."""


def softmax_attention(query, key, value):
    """Softmax(Q Kᵀ / √d) V on (1, heads, N, d), spelt out."""
    return (query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1])).softmax(dim=-1) @ value


class NaiveAnyDressing:
    """Predicts noise as Sections 4.1, 4.2.1 and 4.4 describe it."""

    def __init__(self, garments_net, dressing_attention, unet, attend=softmax_attention):
        self.garments_net, self.unet, self.attend = garments_net, unet, attend
        names = dressing_attention.config["names"]
        self.primed = dict(zip(names, dressing_attention.layers, strict=True))
        self.merged = {kind: self.merge(lora) for kind, lora in garments_net.adapters.items()}

    def merge(self, lora):
        """Eq. 3: Ŵ + ΔŴ^i of q, k and v, by layer; the last layer, whose output nobody reads, has none."""
        weights = {}
        for index, path in enumerate(self.garments_net.paths[:-1]):
            layer = self.garments_net.unet.get_submodule(path)
            own = (layer.to_q.weight, layer.to_k.weight, layer.to_v.weight)
            pairs = zip(own, lora.up[index], lora.down[index], strict=True)
            weights[path] = [weight + up @ down for weight, up, down in pairs]
        return weights

    def features(self, kind, garment):
        """F_i of one garment, by layer: GarmentsNet at t = 0, without text."""
        found, merged = {}, self.merged[kind]

        def self_attention(path, layer, tokens):
            found[path] = tokens
            if path not in merged:
                raise Finished
            query, key, value = (functional.linear(tokens, weight) for weight in merged[path])
            return layer.to_out[0](self.heads(layer.heads, query, key, value))  # Eq. 4

        try:
            zero = torch.zeros((), dtype=torch.long, device=garment.device)
            self.run(self.garments_net.unet, garment[None], zero, None, self_attention)
        except Finished:
            return found

    def outfit(self, garments, weights=None):
        """(F_i, weight) of each (kind, latents), one garment after another (Eq. 5 does not mix them)."""
        weights = weights or [1.0] * len(garments)
        return [
            (self.features(kind, latents), weight)
            for (kind, latents), weight in zip(garments, weights, strict=True)
        ]

    def guided(self, latents, timestep, text, null_text, outfits, omega, scale):
        """Eq. 16, row by row."""
        rows = []
        for row, outfit in enumerate(outfits):
            one = slice(row, row + 1)
            conditional = self.predict(latents[one], timestep, text[one], outfit, scale)
            unconditional = self.predict(latents[one], timestep, null_text, [], scale)
            rows.append(omega * conditional + (1 - omega) * unconditional)
        return torch.cat(rows)

    def predict(self, latents, timestep, text, outfit, scale):
        """DressingNet on one row."""

        def self_attention(path, layer, tokens):
            query, key, value = layer.to_q(tokens), layer.to_k(tokens), layer.to_v(tokens)
            mixed = self.heads(layer.heads, query, key, value)
            if outfit:  # Eq. 6
                everything = torch.cat([features[path] for features, _ in outfit], dim=1)  # F_all
                key, value = self.primed[path].to_k(everything), self.primed[path].to_v(everything)
                weights = [torch.full_like(features[path][..., :1], weight) for features, weight in outfit]
                value = torch.cat(weights, dim=1) * value  # ours: a weight for each garment
                mixed = mixed + scale * self.heads(layer.heads, query, key, value)
            return layer.to_out[0](mixed)

        return self.run(self.unet, latents, timestep, text, self_attention)

    def run(self, unet, sample, timestep, text, self_attention):
        """Run a U-Net, its attention by hand; without text, cross-attention is left out."""
        sinusoid = unet.time_proj(timestep.expand(len(sample))).to(sample.dtype)
        time = unet.time_embedding(sinusoid)
        hidden = unet.conv_in(sample)
        skips = [hidden]

        def transformers(block, place, hidden, depth):
            if not hasattr(block, "attentions"):
                return hidden
            path = f"{place}.attentions.{depth}"
            return self.transformer(block.attentions[depth], path, hidden, text, self_attention)

        for stage, block in enumerate(unet.down_blocks):
            for depth, resnet in enumerate(block.resnets):
                hidden = transformers(block, f"down_blocks.{stage}", resnet(hidden, time), depth)
                skips.append(hidden)
            if block.downsamplers is not None:
                hidden = block.downsamplers[0](hidden)
                skips.append(hidden)
        hidden = unet.mid_block.resnets[0](hidden, time)
        hidden = transformers(unet.mid_block, "mid_block", hidden, 0)
        hidden = unet.mid_block.resnets[1](hidden, time)
        for stage, block in enumerate(unet.up_blocks):
            for depth, resnet in enumerate(block.resnets):
                hidden = resnet(torch.cat([hidden, skips.pop()], dim=1), time)
                hidden = transformers(block, f"up_blocks.{stage}", hidden, depth)
            if block.upsamplers is not None:
                hidden = block.upsamplers[0](hidden, skips[-1].shape[-2:])
        return unet.conv_out(unet.conv_act(unet.conv_norm_out(hidden)))

    def transformer(self, transformer, path, hidden, text, self_attention):
        """One spatial transformer of the U-Net."""
        batch, channels, height, width = hidden.shape
        tokens = transformer.proj_in(transformer.norm(hidden)).flatten(2).transpose(1, 2)
        block = transformer.transformer_blocks[0]
        name = f"{path}.transformer_blocks.0.attn1"
        tokens = tokens + self_attention(name, block.attn1, block.norm1(tokens))
        if text is not None:
            cross, query = block.attn2, block.norm2(tokens)
            mixed = self.heads(cross.heads, cross.to_q(query), cross.to_k(text), cross.to_v(text))
            tokens = tokens + cross.to_out[0](mixed)
        tokens = tokens + block.ff(block.norm3(tokens))
        picture = tokens.transpose(1, 2).reshape(batch, channels, height, width)
        return hidden + transformer.proj_out(picture)

    def heads(self, count, query, key, value):
        """Split into heads, attend, join."""
        batch, tokens, channels = query.shape
        shape = (batch, -1, count, channels // count)
        split = [states.reshape(shape).transpose(1, 2) for states in (query, key, value)]
        return self.attend(*split).transpose(1, 2).reshape(batch, tokens, channels)
