"""IGR word for word from the paper: slow, and sharing nothing with `src` but the weights.

GarmNet is run again at every step, features are concatenated before anything is projected, the softmax runs
over all 2·h·w queries, and the first half of the result is thrown away. Both halves of guidance go through
one batch; unconditional rows carry the features as well, and a mask forbids every look at them.
"""

import math

import torch


def softmax_attention(query, key, value, bias=None):
    """softmax(Q Kᵀ / √d + bias) V on (B, heads, N, d), spelt out."""
    logits = query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1])
    if bias is not None:
        logits = logits + bias
    return logits.softmax(dim=-1) @ value


class NaiveIGR:
    """Predicts noise as Section 3.2 describes it."""

    def __init__(self, garment_net, unet, extractor, attend=softmax_attention):
        self.garment_net, self.unet, self.extractor, self.attend = garment_net, unet, extractor, attend

    def guided(self, latents, timestep, text, null_text, person_latents, mask, image_embeds, scale):
        """Eq. 2, the two predictions in one batch."""
        features = []
        zero = torch.zeros((), dtype=torch.long, device=latents.device)
        self.run(self.garment_net, torch.cat([person_latents, mask], dim=1), zero, text, record=features)
        projection = self.extractor.image_proj
        count, width = projection.num_tokens, projection.norm.normalized_shape[0]
        low_level = projection.norm(projection.proj(image_embeds).reshape(-1, count, width))
        owns = torch.cat([torch.zeros(len(latents)), torch.ones(len(latents))]).to(latents)
        unconditional, conditional = self.run(
            self.unet,
            torch.cat([latents, latents]),
            timestep,
            torch.cat([null_text.expand_as(text), text]),
            high_level=iter([torch.cat([feature, feature]) for feature in features]),
            low_level=torch.cat([low_level, low_level]),
            owns=owns,
        ).chunk(2)
        return scale * conditional + (1 - scale) * unconditional

    def run(self, unet, sample, timestep, text, record=None, high_level=None, low_level=None, owns=None):
        """Run a U-Net, its attention by hand."""
        fused = {
            "record": record,
            "high_level": high_level,
            "low_level": low_level,
            "text": text,
            "owns": owns,
        }
        sinusoid = unet.time_proj(timestep.expand(len(sample))).to(sample.dtype)
        time = unet.time_embedding(sinusoid)
        hidden = unet.conv_in(sample)
        skips = [hidden]
        for stage, block in enumerate(unet.down_blocks):
            for depth, resnet in enumerate(block.resnets):
                hidden = resnet(hidden, time)
                if hasattr(block, "attentions"):
                    place = self.place(unet, "down_blocks", stage, depth)
                    hidden = self.transformer(block.attentions[depth], hidden, place, **fused)
                skips.append(hidden)
            if block.downsamplers is not None:
                hidden = block.downsamplers[0](hidden)
                skips.append(hidden)
        hidden = unet.mid_block.resnets[0](hidden, time)
        place = self.place(unet, "mid_block", 0, 0)
        hidden = self.transformer(unet.mid_block.attentions[0], hidden, place, **fused)
        hidden = unet.mid_block.resnets[1](hidden, time)
        for stage, block in enumerate(unet.up_blocks):
            for depth, resnet in enumerate(block.resnets):
                hidden = resnet(torch.cat([hidden, skips.pop()], dim=1), time)
                if hasattr(block, "attentions"):
                    place = self.place(unet, "up_blocks", stage, depth)
                    hidden = self.transformer(block.attentions[depth], hidden, place, **fused)
            if block.upsamplers is not None:
                hidden = block.upsamplers[0](hidden)
        return unet.conv_out(unet.conv_act(unet.conv_norm_out(hidden)))

    @staticmethod
    def place(unet, part, stage, depth):
        """Where IP-Adapter's published file keeps this cross-attention: down, up, middle, odd numbers."""
        down = [len(getattr(block, "attentions", [])) for block in unet.down_blocks]
        up = [len(getattr(block, "attentions", [])) for block in unet.up_blocks]
        before = {"down_blocks": sum(down[:stage]), "up_blocks": sum(down) + sum(up[:stage])}
        return str(2 * (before.get(part, sum(down) + sum(up)) + depth) + 1)

    def transformer(self, transformer, hidden, place, record, high_level, low_level, text, owns):
        """One spatial transformer of the U-Net; with features, a GarmFus block."""
        batch, channels, height, width = hidden.shape
        tokens = transformer.proj_in(transformer.norm(hidden)).flatten(2).transpose(1, 2)
        block = transformer.transformer_blocks[0]

        own = block.norm1(tokens)
        if record is not None:
            record.append(own)
        together, bias = own, None
        if high_level is not None:
            together = torch.cat([next(high_level), own], dim=1)
            reference = torch.zeros(batch, 1, 1, 2 * height * width).to(own)
            reference[..., : height * width] = 1
            bias = reference * (1 - owns)[:, None, None, None] * -1e30
        mixed = self.attention(block.attn1, together, together, bias)
        tokens = tokens + mixed[:, -height * width :]

        query = block.norm2(tokens)
        cross = block.attn2
        mixed = self.heads(cross, cross.to_q(query), cross.to_k(text), cross.to_v(text))
        if low_level is not None:
            image = self.extractor.ip_adapter[place]
            key, value = image.to_k_ip(low_level), image.to_v_ip(low_level)
            mixed = mixed + owns[:, None, None] * self.heads(cross, cross.to_q(query), key, value)
        tokens = tokens + cross.to_out[0](mixed)

        tokens = tokens + block.ff(block.norm3(tokens))
        picture = tokens.transpose(1, 2).reshape(batch, channels, height, width)
        return hidden + transformer.proj_out(picture)

    def attention(self, layer, queries, context, bias):
        """Attention with its projections, over everything it is given."""
        mixed = self.heads(layer, layer.to_q(queries), layer.to_k(context), layer.to_v(context), bias)
        return layer.to_out[0](mixed)

    def heads(self, layer, query, key, value, bias=None):
        """Split into heads, attend, join."""
        batch, tokens, channels = query.shape
        shape = (batch, -1, layer.heads, channels // layer.heads)
        split = [states.reshape(shape).transpose(1, 2) for states in (query, key, value)]
        return self.attend(*split, bias).transpose(1, 2).reshape(batch, tokens, channels)
