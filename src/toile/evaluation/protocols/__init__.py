"""Protocols: how a folder of pictures is measured, named and frozen, and the checks that come first."""
