"""The web page: restore, try on, take off, swap, dress and the wardrobe, in a browser on this computer.

It stands on `toile.tasks` alone and knows nothing of garments. `gradio` (extra `app`) is imported by the
modules that draw the page, never by `toile` itself.
"""
