"""Clothes in pictures with latent diffusion: the flat garment, restored from a photo of its wearer."""

__version__ = "0.1.0"
