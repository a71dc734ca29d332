"""The subcommands of `toile`: what each is for and where it is, so that only what is wanted is imported."""

from dataclasses import dataclass
from importlib import import_module
from typing import Any

from toile.errors import ToileError


@dataclass(frozen=True)
class Entry:
    """A subcommand, not yet imported."""

    name: str
    """What users write."""
    place: str
    """Below `toile.cli`, `module:Class`: the class holds the settings, its `run` does the work."""
    sentence: str
    """What it is for: the first sentence of the class's docstring."""
    parses_itself: bool = False
    """Whether `place` is a function instead, which takes the arguments: what they mean depends on them."""

    def load(self) -> Any:
        """Import the class or the function, and with it what it needs."""
        module, _, attribute = self.place.partition(":")
        return getattr(import_module(f"toile.cli.{module}"), attribute)


COMMANDS = (
    Entry("restore", "restore:Restore", "Restore the flat garment from a photo of a person who wears it."),
    Entry("tryon", "tryon:TryOn", "Dress the person of a photo in a garment."),
    Entry(
        "takeoff",
        "takeoff:TakeOff",
        "Take the garment off a person: restore it flat, on white, from a photo.",
    ),
    Entry(
        "swap",
        "swap:Swap",
        "Put the garment that WEARER has on onto TARGET: it is restored flat, then tried on.",
    ),
    Entry(
        "dress",
        "dress:Dress",
        "Draw somebody who wears given garments, in the scene and pose of a prompt.",
    ),
    Entry(
        "wardrobe",
        "wardrobe:Wardrobe",
        "Outfits that are encoded once and kept: add, list, show and remove them.",
    ),
    Entry(
        "mask",
        "mask:MakeMask",
        "Find the agnostic mask of a photo: white where the person has to be repainted to change a garment.",
    ),
    Entry(
        "app",
        "app:App",
        "Serve a web page: restore, try on, take off, swap, dress and the wardrobe, in a browser.",
    ),
    Entry(
        "batch",
        "batch:Batch",
        "A catalogue at a time: a task with every line of a list, by many workers, taken up where it "
        "stopped.",
    ),
    Entry(
        "serve",
        "serve:Serve",
        "Serve restore, takeoff, tryon, swap and dress over HTTP, at once or as jobs.",
    ),
    Entry(
        "comfyui",
        "comfyui:ComfyUI",
        "Nodes for ComfyUI: install them into a ComfyUI that is there, list them, and remove them.",
    ),
    Entry(
        "demo",
        "demo:Demo",
        "Restore, try on, take off, swap and put on garments of Paper Dolls that no training has seen.",
    ),
    Entry(
        "dolls", "dolls:Dolls", "Paper Dolls: draw pictures of people in clothes, with exact ground truth."
    ),
    Entry(
        "data",
        "data:data_command",
        "Datasets: check, curate, review, triplets, captions, shards, cache; `toile data` lists them.",
        parses_itself=True,
    ),
    Entry(
        "evaluate",
        "evaluate:Evaluate",
        "Check a folder of predicted pictures, measure it under a protocol, and write the result as JSON.",
    ),
    Entry(
        "benchmark",
        "benchmark:Benchmark",
        "Draw the pictures of any number of systems, evaluate them, and write one result for each.",
    ),
    Entry(
        "compare",
        "compare:Compare",
        "Print results side by side, and what the first gains on each other one, on the same pictures.",
    ),
    Entry(
        "study",
        "study:Study",
        "The user study of AnyDressing: which of several methods' results do people prefer?",
    ),
    Entry(
        "analyse",
        "analyse:Analyse",
        "Look into trained models: what their weights, or their tasks, have in common.",
    ),
    Entry(
        "train",
        "train:train_command",
        "Train a model: `toile train` lists what can be trained, `toile train NAME --help` its settings.",
        parses_itself=True,
    ),
)
"""Every subcommand, in the order of the help."""


def find_command(name: str) -> Entry:
    """The subcommand of a name.

    Raises:
        ToileError: when there is none, naming those that are called alike, or else all.
    """
    by_name = {entry.name: entry for entry in COMMANDS}
    if name in by_name:
        return by_name[name]
    from difflib import get_close_matches

    near = get_close_matches(name, by_name, n=3) or list(by_name)
    raise ToileError(f"there is no command {name!r}; write {', '.join(near)}, or --help for what they do")
