"""The published kinds of networks with small numbers and random weights, saved as transformers saves them."""

import json
from pathlib import Path

import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing
from transformers import (
    BlipConfig,
    BlipForConditionalGeneration,
    BlipTextConfig,
    BlipVisionConfig,
    CLIPVisionConfig,
    LlamaConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    PreTrainedTokenizerFast,
    RTDetrConfig,
    RTDetrForObjectDetection,
    RTDetrResNetConfig,
    SegformerConfig,
    SegformerForSemanticSegmentation,
    VitPoseBackboneConfig,
    VitPoseConfig,
    VitPoseForPoseEstimation,
)

ATR_NAMES = (
    "Background", "Hat", "Hair", "Sunglasses", "Upper-clothes", "Skirt", "Pants", "Dress", "Belt",
    "Left-shoe", "Right-shoe", "Face", "Left-leg", "Right-leg", "Left-arm", "Right-arm", "Bag", "Scarf",
)  # fmt: skip
"""The labels of mattmdjaga/segformer_b2_clothes, as its config.json writes them."""
WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[BOS]", "<image>", "a", "red", "blue", "shirt", "photo", "of")


def segformer(folder: Path, names: tuple[str, ...] = ATR_NAMES) -> SegformerForSemanticSegmentation:
    torch.manual_seed(0)
    config = SegformerConfig(
        hidden_sizes=[8, 8, 16, 16],
        depths=[1, 1, 1, 1],
        num_attention_heads=[1, 1, 2, 2],
        decoder_hidden_size=16,
        id2label=dict(enumerate(names)),
        label2id={name: number for number, name in enumerate(names)},
    )
    model = SegformerForSemanticSegmentation(config).eval()
    torch.nn.init.normal_(
        model.decode_head.classifier.weight, std=5
    )  # logits that differ from pixel to pixel
    model.save_pretrained(folder)
    return model


def vitpose(folder: Path, experts: int = 1, keypoints: int = 17) -> VitPoseForPoseEstimation:
    torch.manual_seed(0)
    backbone = VitPoseBackboneConfig(
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        image_size=[64, 48],
        patch_size=[16, 16],
        out_indices=[1],
        num_experts=experts,
        part_features=8 if experts > 1 else 0,
    )
    config = VitPoseConfig(
        backbone_config=backbone,
        scale_factor=4,
        use_simple_decoder=True,
        id2label={number: f"joint {number}" for number in range(keypoints)},
    )
    model = VitPoseForPoseEstimation(config).eval()
    torch.nn.init.normal_(model.head.conv.weight, std=0.3)
    model.save_pretrained(folder)
    processor = {"size": {"height": 64, "width": 48}}
    (folder / "preprocessor_config.json").write_text(json.dumps(processor))
    return model


def detector(folder: Path, names: tuple[str, ...] = ("person", "hat")) -> RTDetrForObjectDetection:
    torch.manual_seed(0)
    backbone = RTDetrResNetConfig(
        embedding_size=8,
        hidden_sizes=[8, 8, 16, 16],
        depths=[1, 1, 1, 1],
        out_features=["stage2", "stage3", "stage4"],
        layer_type="basic",
    )
    config = RTDetrConfig(
        backbone_config=backbone,
        encoder_in_channels=[8, 16, 16],
        encoder_hidden_dim=16,
        encoder_ffn_dim=16,
        encoder_attention_heads=2,
        d_model=16,
        num_queries=10,
        decoder_in_channels=[16, 16, 16],
        decoder_ffn_dim=16,
        decoder_layers=1,
        decoder_attention_heads=2,
        num_denoising=0,
        anchor_image_size=None,
        id2label=dict(enumerate(names)),
        label2id={name: number for number, name in enumerate(names)},
    )
    model = RTDetrForObjectDetection(config).eval()
    model.save_pretrained(folder)
    processor = {"size": {"height": 64, "width": 64}, "do_normalize": False}
    (folder / "preprocessor_config.json").write_text(json.dumps(processor))
    return model


def tokenizer() -> PreTrainedTokenizerFast:
    words = Tokenizer(WordLevel({word: number for number, word in enumerate(WORDS)}, unk_token="[UNK]"))
    words.pre_tokenizer = Whitespace()
    words.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]",
        special_tokens=[("[CLS]", WORDS.index("[CLS]")), ("[SEP]", WORDS.index("[SEP]"))],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=words,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        bos_token="[BOS]",
    )


def blip(folder: Path) -> BlipForConditionalGeneration:
    torch.manual_seed(0)
    small = {"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    text = BlipTextConfig(
        **small,
        vocab_size=len(WORDS),
        encoder_hidden_size=32,
        pad_token_id=WORDS.index("[PAD]"),
        bos_token_id=WORDS.index("[BOS]"),
        eos_token_id=WORDS.index("[SEP]"),
        sep_token_id=WORDS.index("[SEP]"),
    )
    vision = BlipVisionConfig(**small, image_size=32, patch_size=16)
    config = BlipConfig(text_config=text.to_dict(), vision_config=vision.to_dict())
    model = BlipForConditionalGeneration(config).eval()
    for name, weight in model.named_parameters():
        if "crossattention" in name or "patch_embedding" in name or name.endswith("decoder.weight"):
            torch.nn.init.normal_(weight, std=1)  # so that what is said depends on what is seen
    model.save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    processor = {"size": {"height": 32, "width": 32}, "resample": 3}
    (folder / "preprocessor_config.json").write_text(json.dumps(processor))
    return model


def llava(folder: Path) -> LlavaForConditionalGeneration:
    from transformers import LlavaProcessor
    from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

    torch.manual_seed(0)
    small = {"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = LlavaConfig(
        vision_config=CLIPVisionConfig(**small, image_size=32, patch_size=16).to_dict(),
        text_config=LlamaConfig(**small, vocab_size=len(WORDS), num_key_value_heads=2).to_dict(),
        image_token_index=WORDS.index("<image>"),
        vision_feature_layer=-1,
    )
    model = LlavaForConditionalGeneration(config).eval()
    model.save_pretrained(folder)
    words = tokenizer()
    words.add_special_tokens({"additional_special_tokens": ["<image>"]})
    LlavaProcessor(
        image_processor=CLIPImageProcessorPil(
            size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}
        ),
        tokenizer=words,
        patch_size=16,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template="{% for message in messages %}{% for part in message['content'] %}"
        "{% if part['type'] == 'image' %}<image>{% else %} {{ part['text'] }}{% endif %}"
        "{% endfor %}{% endfor %}",
    ).save_pretrained(folder)
    return model
