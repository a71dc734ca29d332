"""The nodes that put outfits together: garments, encoded one after another, and outfits that are kept."""

from dataclasses import dataclass, replace

from PIL import Image
from torch import Tensor

from toile.comfyui.node import (
    WARDROBE,
    Node,
    Sockets,
    choice_socket,
    image_socket,
    models_socket,
    text_socket,
)
from toile.comfyui.pictures import to_pictures
from toile.errors import ToileError
from toile.tasks.atelier import Atelier
from toile.tasks.dress import outfit_features
from toile.wardrobe_store import WardrobeStore

KINDS = ("upper", "lower", "dress", "hat")
"""Those that the bundled model knows; others are written."""
NOTHING_KEPT = "nothing is kept"


@dataclass(frozen=True, kw_only=True)
class Outfit:
    """What somebody is to wear; never changed in place, so that two chains may begin with one outfit."""

    garments: tuple[tuple[str, Image.Image], ...] = ()
    """Each with its kind, in the order in which they were added."""
    wear: str | None = None
    """A kept outfit besides."""

    def by_kind(self) -> dict[str, list[Image.Image]]:
        """The garments of each kind."""
        return {kind: [picture for own, picture in self.garments if own == kind] for kind, _ in self.garments}


class ToileGarment(Node):
    """Encode Garment: adds garments to a wardrobe, encoded once, to be worn with any prompt and seed."""

    TITLE = "Encode Garment (toile)"
    DESCRIPTION = "Encodes a garment and adds it to a wardrobe; chain as many as somebody is to wear."
    RETURN_TYPES = (WARDROBE,)
    RETURN_NAMES = ("wardrobe",)
    OUTPUT_TOOLTIPS = ("What is worn so far.",)

    @classmethod
    def INPUT_TYPES(cls) -> Sockets:
        """See `Node`."""
        required = {
            "models": models_socket(),
            "garment": image_socket("Flat, or cut out of a photo; each picture of a batch is a garment."),
            "kind": choice_socket(KINDS, "What kind of garment it is."),
        }
        optional = {
            "wardrobe": (WARDROBE, {"tooltip": "What else is worn."}),
            "other_kind": text_socket(
                "", "A kind that the model was trained with, in the place of the above."
            ),
        }
        return {"required": required, "optional": optional}

    def run(
        self,
        models: Atelier,
        garment: Tensor,
        kind: str,
        wardrobe: Outfit | None = None,
        other_kind: str = "",
    ) -> tuple[Outfit]:
        """Add garments, and encode what has not been encoded yet.

        Raises:
            ToileError: when a picture or the model is wrong, or the model does not know the kind.
        """
        before, own = wardrobe or Outfit(), other_kind.strip() or kind
        added = tuple((own, picture) for picture in to_pictures(garment, "the garment"))
        outfit = replace(before, garments=before.garments + added)
        pipeline, size = models.pipeline("anydressing"), models.canvas("anydressing")
        outfit_features(pipeline, outfit.by_kind(), size=size, kept=models.kept)
        return (outfit,)


class ToileKeptOutfit(Node):
    """Wear Kept Outfit: an outfit that `toile wardrobe add` keeps; needs no pictures and no encoding."""

    TITLE = "Wear Kept Outfit (toile)"
    DESCRIPTION = (
        "An outfit that `toile wardrobe add NAME` has encoded and kept; add garments to it, or wear it."
    )
    RETURN_TYPES = (WARDROBE,)
    RETURN_NAMES = ("wardrobe",)
    OUTPUT_TOOLTIPS = ("What is worn so far.",)

    @classmethod
    def INPUT_TYPES(cls) -> Sockets:
        """See `Node`."""
        names = WardrobeStore().names() or [NOTHING_KEPT]
        return {"required": {"name": choice_socket(names, "What the outfit is called.")}}

    @classmethod
    def IS_CHANGED(cls, name: str) -> str:
        """What the outfit is: one that has taken another's place is worn anew."""
        return WardrobeStore().describe(name).digest

    def run(self, name: str) -> tuple[Outfit]:
        """Wear an outfit.

        Raises:
            ToileError: when there is no such outfit.
        """
        if name == NOTHING_KEPT:
            raise ToileError("no outfit is kept yet; `toile wardrobe add NAME --upper PICTURE` keeps one")
        WardrobeStore().describe(name)
        return (Outfit(wear=name),)
