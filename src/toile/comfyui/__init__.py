"""Nodes for ComfyUI: restore, take off, try on, swap and dress in its graphs, in its tensors.

`toile.comfyui.nodes` maps all of them, which is what ComfyUI imports.
"""
