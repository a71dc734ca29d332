"""A catalogue at a time: lists of any length in, pictures and a manifest out."""
