"""Captions of photos by a published vision-language model."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import torch
from PIL import Image
from transformers import (
    AutoModelForImageTextToText,
    AutoProcessor,
    AutoTokenizer,
    BlipForConditionalGeneration,
)

from toile.data.caption_cache import PHOTO_FOLDERS, CaptionCache
from toile.data.pretrained import (
    FAILURES,
    Processor,
    first_line,
    load_pretrained,
    read_config,
    read_processor,
)
from toile.errors import ToileError
from toile.images import as_photo, load_photo

BLIP = "Salesforce/blip-image-captioning-base"
BLIP_SIZE = (384, 384)
"""What transformers' BLIP processor resizes to when a checkpoint does not say."""
PROMPT = "Describe this person and every garment they wear in one sentence."
"""What a model that follows instructions is asked for."""
MOST_TOKENS = 64
"""Captions end after so many tokens at the latest."""
SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp"})
"""What counts as a photo."""
WHAT = "captioning model"


@runtime_checkable
class Captioner(Protocol):
    """Writes captions."""

    @property
    def name(self) -> str:
        """What writes, and what it is asked for: captions by another name are not the same captions."""
        ...

    def __call__(self, photos: Sequence[Image.Image]) -> list[str]:
        """A caption for each photo."""
        ...


def load_captioner(name: str | Path = BLIP, *, prompt: str | None = None, device: str = "cpu") -> Captioner:
    """Load a captioning model.

    Args:
        name: a folder or a hub name: a BLIP, or any model of transformers' image-text-to-text kind.
        prompt: what to ask for; for BLIP, how each caption begins. None asks for the clothes, and has BLIP
            begin as it likes.
        device: as torch names it.

    Raises:
        ToileError: when there is none.
    """
    if read_config(name, WHAT).model_type == "blip":
        return BlipCaptioner(name, prompt=prompt or "", device=device)
    return ChatCaptioner(name, prompt=prompt or PROMPT, device=device)


class BlipCaptioner:
    """A BLIP, which does nothing but caption."""

    def __init__(self, name: str | Path, *, prompt: str, device: str) -> None:
        """Load it; `prompt` is how each caption begins."""
        self.name = _full_name(name, prompt)
        self.model = load_pretrained(BlipForConditionalGeneration, name, WHAT, device)
        self.processor: Processor = read_processor(str(name), BLIP_SIZE)
        self.tokenizer = _load(AutoTokenizer, name)
        self.prompt, self.device = prompt, device

    @torch.inference_mode()
    def __call__(self, photos: Sequence[Image.Image]) -> list[str]:
        """A caption for each photo, by greedy search."""
        pixels = self.processor.pixels([self.processor.squeezed(as_photo(photo)) for photo in photos])
        begun: dict[str, Any] = {}
        if self.prompt:
            begun = dict(self.tokenizer([self.prompt] * len(photos), return_tensors="pt").to(self.device))
            begun.pop("token_type_ids", None)
        tokens = self.model.generate(
            pixel_values=pixels.to(self.device), max_new_tokens=MOST_TOKENS, do_sample=False, **begun
        )
        return [_one_line(text) for text in self.tokenizer.batch_decode(tokens, skip_special_tokens=True)]


class ChatCaptioner:
    """A model that follows instructions about a picture, with its own processor and chat template."""

    def __init__(self, name: str | Path, *, prompt: str, device: str) -> None:
        """Load it; `prompt` is what each photo is shown with."""
        self.name = _full_name(name, prompt)
        self.model = load_pretrained(AutoModelForImageTextToText, name, WHAT, device)
        self.processor = _load(AutoProcessor, name)
        self.prompt, self.device = prompt, device

    def __call__(self, photos: Sequence[Image.Image]) -> list[str]:
        """A caption for each photo, one at a time (their prompts differ in length), by greedy search."""
        return [self._caption(as_photo(photo)) for photo in photos]

    @torch.inference_mode()
    def _caption(self, photo: Image.Image) -> str:
        content = [{"type": "image"}, {"type": "text", "text": self.prompt}]
        text = self.processor.apply_chat_template(
            [{"role": "user", "content": content}], add_generation_prompt=True, tokenize=False
        )
        inputs = self.processor(images=photo, text=text, return_tensors="pt").to(self.device)
        tokens = self.model.generate(**inputs, max_new_tokens=MOST_TOKENS, do_sample=False)
        answer = tokens[:, inputs["input_ids"].shape[1] :]
        return _one_line(self.processor.batch_decode(answer, skip_special_tokens=True)[0])


def find_pictures(folder: Path) -> list[Path]:
    """The pictures of a folder, or, where it holds none itself, of its folders of photos; in order of name.

    Raises:
        ToileError: when there are none.
    """
    found = _pictures(folder) or [
        picture
        for place in sorted(folder.rglob("*"))
        if place.is_dir() and place.name in PHOTO_FOLDERS
        for picture in _pictures(place)
    ]
    if not found:
        raise ToileError(
            f"{folder} holds no pictures, nor has it a folder {' or '.join(sorted(PHOTO_FOLDERS))} "
            "that does; give a folder of photos or a dataset"
        )
    return found


def caption_pictures(
    pictures: Sequence[Path],
    captioner: Captioner,
    cache: CaptionCache,
    *,
    batch: int = 8,
    on_failure: Callable[[Path, ToileError], object] | None = None,
) -> Iterator[tuple[Path, str]]:
    """Caption pictures, those that the cache knows not again; each new caption is kept at once.

    Args:
        pictures: files in the cache's folder.
        captioner: writes.
        cache: of this captioner's name.
        batch: how many pictures it sees at once.
        on_failure: told of each picture that cannot be read; without it, such a picture raises.

    Returns:
        Each picture with its caption: known ones first.

    Raises:
        ToileError: when a caption cannot be kept.
    """
    known = {picture: cache.get(picture) for picture in pictures}
    yield from ((picture, caption) for picture, caption in known.items() if caption is not None)
    wanted = [picture for picture, caption in known.items() if caption is None]
    for start in range(0, len(wanted), batch):
        photos = dict(_readable(wanted[start : start + batch], on_failure))
        captions = captioner(list(photos.values())) if photos else []
        for picture, caption in zip(photos, captions, strict=True):
            cache.add(picture, caption)
            yield picture, caption


def _readable(
    pictures: Sequence[Path], on_failure: Callable[[Path, ToileError], object] | None
) -> Iterator[tuple[Path, Image.Image]]:
    for picture in pictures:
        try:
            yield picture, load_photo(picture)
        except ToileError as error:
            if on_failure is None:
                raise
            on_failure(picture, error)


def _pictures(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES and path.is_file())


def _load(kind: Any, name: str | Path) -> Any:
    try:
        return kind.from_pretrained(str(name))
    except (*FAILURES, ImportError) as error:
        raise ToileError(f"the {WHAT} {name} cannot be loaded: {first_line(error)}") from error


def _full_name(name: str | Path, prompt: str) -> str:
    return f"{name}: {prompt}" if prompt else str(name)


def _one_line(text: str) -> str:
    return " ".join(text.split())
