"""What the systems stand on: Stable Diffusion parts, attention as pure functions, guidance, noise."""
