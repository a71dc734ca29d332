"""`toile data caption`: captions for the photos of a dataset, kept beside them."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from tqdm import tqdm

from toile.errors import ToileError
from toile.tasks.drawing import check_count


@dataclass(frozen=True, kw_only=True)
class Caption:
    """Caption photos with a vision-language model; goes on where it stopped.

    Captions are kept in captions.jsonl in the folder, a line a photo; a photo that has one by the same model
    and prompt is not captioned again.
    Exit code: 0 when every photo has a caption, 1 when some could not be read, 2 when nothing could be done.
    """

    folder: Annotated[Path, tyro.conf.Positional]
    """A folder of photos, or a dataset whose photos lie in folders called image, images or persons."""
    model: Annotated[str, tyro.conf.arg(metavar="PATH|NAME")] = "Salesforce/blip-image-captioning-base"
    """A BLIP, or any image-text-to-text model of transformers: a folder or a hub name."""
    prompt: str | None = None
    """What to ask the model for; for a BLIP, how each caption begins."""
    batch: int = 8
    """Photos that are captioned at once."""
    device: str = "cpu"
    """cpu, cuda, cuda:1, mps."""

    def run(self) -> int:
        """Caption, report each photo that cannot be read on one line, and return the exit code."""
        count, failed = caption_folder(
            self.folder, model=self.model, prompt=self.prompt, batch=self.batch, device=self.device
        )
        print(f"{self.folder}: {count} photos have a caption, {failed} could not be read")
        return 0 if not failed else 2 if not count else 1


def caption_folder(
    folder: Path,
    *,
    model: str = Caption.model,
    prompt: str | None = None,
    batch: int = 8,
    device: str = "cpu",
) -> tuple[int, int]:
    """Caption the photos of a folder; the arguments are those of `Caption`.

    Returns:
        How many photos have a caption now, and how many could not be read.

    Raises:
        ToileError: when there are no photos or no such model, or captions cannot be kept.
    """
    from toile.data.caption_cache import CaptionCache
    from toile.data.captioning import caption_pictures, find_pictures, load_captioner

    check_count("batch", batch)
    pictures = find_pictures(folder)
    captioner = load_captioner(model, prompt=prompt, device=device)
    cache = CaptionCache(folder, captioner.name)
    failed: list[Path] = []
    with tqdm(total=len(pictures), unit="photo", desc="captioning", file=sys.stderr, leave=False) as bar:

        def fail(picture: Path, error: ToileError) -> None:
            failed.append(picture)
            bar.update()
            bar.write(f"toile: {' '.join(str(error).split())}", file=sys.stderr)

        for _ in caption_pictures(pictures, captioner, cache, batch=batch, on_failure=fail):
            bar.update()
    return len(pictures) - len(failed), len(failed)
