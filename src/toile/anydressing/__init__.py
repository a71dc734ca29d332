"""AnyDressing: any number of garments and a prompt in, a person who wears them out (arXiv 2412.04146)."""
