"""IGR: a photo of a person in, the garment alone out (arXiv 2412.11513)."""
