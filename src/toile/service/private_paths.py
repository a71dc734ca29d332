"""What the machine calls its folders is nobody's business: clients are told their last part alone."""

import os
from pathlib import Path
from typing import Any

from toile.tasks.models import Models


class PrivatePaths:
    """Folders of the machine whose paths no client is told.

    Args:
        models: where models and outfits lie.
    """

    def __init__(self, models: Models) -> None:
        named = [models.igr, models.twgtm, models.anydressing, models.parser]
        folders = [Path(name) for name in named if os.path.isdir(name)]
        folders += [] if models.wardrobe is None else [models.wardrobe]
        shown = {str(form): path.resolve().name for path in folders for form in (path.resolve(), path)}
        self._shown = dict(sorted(shown.items(), key=lambda item: -len(item[0])))

    def hidden_in(self, text: str) -> str:
        """A text with each folder's name in place of its path."""
        for path, name in self._shown.items():
            if os.sep in path:
                text = text.replace(path, name)
        return text

    def hidden(self, value: Any) -> Any:
        """Anything that JSON can say, likewise."""
        if isinstance(value, str):
            return self.hidden_in(value)
        if isinstance(value, dict):
            return {key: self.hidden(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.hidden(item) for item in value]
        return value
