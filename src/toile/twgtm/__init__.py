"""TWGTM: garments on and off again, with one model for both ways (arXiv 2508.04551)."""
