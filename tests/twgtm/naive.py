"""TWGTM word for word from the paper: slow, and sharing nothing with `src` but the weights.

Both modules run again at every step, and so do K' and V' of every layer. The two halves of guidance are two
passes: one with F_SAM and F_SRM, one without either.
"""

import math
from functools import cache

import torch
from torch.nn import functional


def softmax_attention(query, key, value, heads, bias=None):
    """softmax(Q Kᵀ / √d + bias) V on (B, N, C), head by head, spelt out."""
    outputs = []
    width = query.shape[-1] // heads
    for head in range(heads):
        part = slice(head * width, (head + 1) * width)
        logits = query[..., part] @ key[..., part].transpose(-1, -2) / math.sqrt(width)
        if bias is not None:
            logits = logits + bias
        outputs.append(logits.softmax(dim=-1) @ value[..., part])
    return torch.cat(outputs, dim=-1)


def inner(queries, features):
    """⊙ of Eq. 8 to 11: (B, K, d) with (B, d, n), over √d."""
    return torch.einsum("bkd,bdn->bkn", queries, features) / math.sqrt(queries.shape[-1])


@cache
def positions(dim, height, width, device="cpu"):
    """Mask2Former's sine positions, wave by wave."""
    waves = []
    for axis, count in enumerate((height, width)):
        for wave in range(dim // 4):
            places = [2 * math.pi * (index + 1) / count for index in range(count)]
            angles = [place / 10_000 ** (2 * wave / (dim // 2)) for place in places]
            for function in (math.sin, math.cos):
                line = torch.tensor([function(angle) for angle in angles])
                waves.append(line[:, None].expand(height, width) if axis == 0 else line.expand(height, width))
    return torch.stack(waves).to(device)


class NaiveTWGTM:
    """Predicts noise as "Processing in Pixel Space" describes it."""

    def __init__(self, unet, semantic, spatial, extended):
        self.unet, self.semantic, self.spatial, self.extended = unet, semantic, spatial, extended

    def guided(self, panel_input, timestep, reference, scale):
        """s · conditional + (1 − s) · unconditional."""
        sam, queries = self.semantic_abstraction(reference)
        levels = self.spatial_refinement(reference.picture, queries)
        conditional = self.run(panel_input, timestep, sam, levels)
        unconditional = self.run(panel_input, timestep, torch.zeros_like(sam), None)
        return scale * conditional + (1 - scale) * unconditional

    def semantic_abstraction(self, reference):
        """Eq. 3 and 4."""
        module, count = self.semantic, self.semantic.query_tokens.shape[1]
        batch = len(reference.text)
        seen = torch.cat([reference.text_mask.new_ones(batch, count), reference.text_mask], dim=1)
        output = module.q_former(
            input_ids=reference.text,
            attention_mask=seen,
            query_embeds=module.query_tokens.repeat(batch, 1, 1),
            encoder_hidden_states=module.bridge(reference.clip_tokens),
        ).last_hidden_state[:, :count]
        queries = module.query_projection(output)
        return torch.cat([module.global_projection(reference.clip_embeds)[:, None], queries], dim=1), queries

    def spatial_refinement(self, picture, semantic_queries):
        """Eq. 5 to 12."""
        module, task = self.spatial, self.spatial.taskformer
        mean = picture.new_tensor([0.485, 0.456, 0.406])[:, None, None]
        std = picture.new_tensor([0.229, 0.224, 0.225])[:, None, None]
        maps = module.features.swin((picture / 2 + 0.5 - mean) / std).feature_maps
        h1, h2, h3 = (layer(found) for layer, found in zip(module.features.projections, maps, strict=True))
        size = h1.shape[-2:]
        grown = [functional.interpolate(h, size, mode="bilinear") for h in (h2, h3)]
        together = h1 + grown[0] + grown[1] + positions(h1.shape[1], *size, h1.device)
        pixels = module.pixels
        h1 = pixels.project(functional.gelu(pixels.norm(pixels.mix(together))))
        semantic = module.semantic(semantic_queries)

        queries = task.queries[None].repeat(len(picture), 1, 1)
        for unit in task.units:
            linear, mlp = task.mask_space.linear(queries), task.mask_space.mlp(queries)
            m1 = inner(linear, semantic.transpose(1, 2)).sigmoid()  # Eq. 8
            whole = inner(mlp, h1.flatten(2)).unflatten(2, size)  # Eq. 9
            queries = self.block(unit[0], queries, semantic, semantic, m1)  # Eq. 5
            for number, (block, scale) in enumerate(
                zip(list(unit)[1:], (h2, h3), strict=True)
            ):  # Eq. 6, Eq. 7
                m2 = functional.interpolate(whole, scale.shape[-2:], mode="bilinear").sigmoid().flatten(2)
                values = (scale + task.levels[number]).flatten(2)
                keys = values + positions(scale.shape[1], *scale.shape[-2:], scale.device).flatten(1)
                queries = self.block(block, queries, keys.transpose(1, 2), values.transpose(1, 2), m2)

        drawn = []
        for number in range(queries.shape[1]):  # Eq. 10 and 11, MLP by MLP
            (first, second), (bias, other) = task.task_space.weights, task.task_space.biases
            hidden = functional.relu(queries[:, number] @ first[number].T + bias[number])
            answer = hidden @ second[number].T + other[number]
            drawn.append(inner(answer[:, None], h1.flatten(2)).unflatten(2, size))
        drawn[0] = drawn[0].sigmoid()
        return self.decode(torch.cat(drawn, dim=1))

    def block(self, block, queries, keys, values, mask):
        """Masked attention, self-attention, feed-forward; M enters as log M."""
        bias = mask.clamp(min=1e-6).log()
        queries = block.cross_norm(queries + self.attend(block.cross_attention, queries, keys, values, bias))
        queries = block.self_norm(queries + self.attend(block.self_attention, queries, queries, queries))
        return block.feed_forward_norm(queries + block.feed_forward(queries))

    def attend(self, layer, queries, keys, values, bias=None):
        """Attention with its projections."""
        parts = layer.to_q(queries), layer.to_k(keys), layer.to_v(values)
        return layer.to_out(softmax_attention(*parts, layer.num_heads, bias))

    def decode(self, features):
        """Eq. 12."""
        outputs = []
        for level in self.spatial.decoder.levels:
            features = functional.gelu(level.down(features))
            size = features.shape[-2:]
            tokens = (
                (features + positions(features.shape[1], *size, features.device)).flatten(2).transpose(1, 2)
            )
            if level.block is not None:
                block = level.block
                tokens = tokens + self.unet_attention(block.attn1, block.norm1(tokens))
                tokens = tokens + block.ff(block.norm3(tokens))
                features = tokens.transpose(1, 2).unflatten(2, size)
            outputs.append(level.out(level.norm(tokens)))
        return outputs

    def unet_attention(self, layer, tokens, context=None, added=0.0):
        """Attention of diffusers, by hand."""
        context = tokens if context is None else context
        parts = layer.to_q(tokens), layer.to_k(context), layer.to_v(context)
        return layer.to_out[0](softmax_attention(*parts, layer.heads) + added)

    def run(self, sample, timestep, sam, levels):
        """Run the U-Net, its attention by hand."""
        unet = self.unet
        sinusoid = unet.time_proj(timestep.expand(len(sample))).to(sample.dtype)
        time, hidden = unet.time_embedding(sinusoid), unet.conv_in(sample)
        skips, scale = [hidden], 0
        for stage, block in enumerate(unet.down_blocks):
            for depth, resnet in enumerate(block.resnets):
                hidden = resnet(hidden, time)
                if hasattr(block, "attentions"):
                    name = f"down_blocks.{stage}.attentions.{depth}"
                    hidden = self.transformer(block.attentions[depth], hidden, sam, levels, name, scale)
                skips.append(hidden)
            if block.downsamplers is not None:
                hidden, scale = block.downsamplers[0](hidden), scale + 1
                skips.append(hidden)
        hidden = unet.mid_block.resnets[0](hidden, time)
        middle = unet.mid_block.attentions[0]
        hidden = self.transformer(middle, hidden, sam, levels, "mid_block.attentions.0", scale)
        hidden = unet.mid_block.resnets[1](hidden, time)
        for stage, block in enumerate(unet.up_blocks):
            for depth, resnet in enumerate(block.resnets):
                hidden = resnet(torch.cat([hidden, skips.pop()], dim=1), time)
                if hasattr(block, "attentions"):
                    name = f"up_blocks.{stage}.attentions.{depth}"
                    hidden = self.transformer(block.attentions[depth], hidden, sam, levels, name, scale)
            if block.upsamplers is not None:
                hidden, scale = block.upsamplers[0](hidden), scale - 1
        return unet.conv_out(unet.conv_act(unet.conv_norm_out(hidden)))

    def transformer(self, transformer, hidden, sam, levels, name, scale):
        """One spatial transformer of the U-Net with extended attention (Eq. 13) and F_SAM for text."""
        batch, channels, height, width = hidden.shape
        tokens = transformer.proj_in(transformer.norm(hidden)).flatten(2).transpose(1, 2)
        block = transformer.transformer_blocks[0]
        own, added = block.norm1(tokens), 0.0
        if levels is not None:
            number = self.extended.config.names.index(f"{name}.transformer_blocks.0.attn1")
            layer = self.extended.layers[number]
            key, value = layer.to_k(levels[scale]), layer.to_v(levels[scale])
            query = block.attn1.to_q(own)
            added = layer.zero(softmax_attention(query, key, value, block.attn1.heads))
        tokens = tokens + self.unet_attention(block.attn1, own, added=added)
        tokens = tokens + self.unet_attention(block.attn2, block.norm2(tokens), sam)
        tokens = tokens + block.ff(block.norm3(tokens))
        picture = tokens.transpose(1, 2).reshape(batch, channels, height, width)
        return hidden + transformer.proj_out(picture)
