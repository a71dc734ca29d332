"""Randomness without history: every seed is a function of what it is for."""

import hashlib
import random

import numpy as np
import torch


def derive_seed(*parts: int | str) -> int:
    """A 63-bit seed from numbers and names; other parts give an unrelated seed."""
    digest = hashlib.blake2b(repr(parts).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def seed_everything(seed: int) -> None:
    """Seed the global generators of Python, numpy and torch, on the devices that are in use."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    # Not torch.manual_seed: for devices that are not in use yet it records a stack trace, a third of a
    # millisecond each time.
    torch.default_generator.manual_seed(seed)
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed_all(seed)
    if torch.backends.mps.is_available():
        torch.mps.manual_seed(seed)
