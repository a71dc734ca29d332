"""How the page looks: the paper, ink and type of the project's other pages, by day and by night."""

from typing import Any

import gradio as gr
from gradio.themes.utils.colors import Color

FONT = ("Charter", "Georgia", "serif")
"""Of this computer: nothing is fetched from elsewhere."""
INDIGO = Color(
    name="indigo-blue",
    c50="#f1f4f8",
    c100="#dfe6ef",
    c200="#c2cfdf",
    c300="#9cb0ca",
    c400="#7189ae",
    c500="#4f6a94",
    c600="#3a547e",
    c700="#2f4567",
    c800="#263851",
    c900="#1d2b3e",
    c950="#131c29",
)
"""The blue of printed toiles."""
PAPER = Color(
    name="paper",
    c50="#fbf9f6",
    c100="#f6f3ee",
    c200="#e9e3da",
    c300="#d6cec2",
    c400="#b3a99c",
    c500="#857c70",
    c600="#6b6359",
    c700="#4a443d",
    c800="#393430",
    c900="#292623",
    c950="#1d1b19",
)
"""From the ground by day to the ground by night."""
DAY: dict[str, str] = {
    "body_background_fill": "#f6f3ee",
    "body_text_color": "#2b2722",
    "body_text_color_subdued": "#756c61",
    "background_fill_primary": "#ffffff",
    "background_fill_secondary": "#fbf9f6",
    "block_background_fill": "#ffffff",
    "block_border_width": "0px",
    "block_shadow": "0 1px 8px rgb(0 0 0 / .07)",
    "block_radius": "0.7rem",
    "block_label_background_fill": "transparent",
    "block_label_border_width": "0px",
    "block_label_text_color": "#756c61",
    "block_label_text_size": "0.85rem",
    "block_title_text_color": "#756c61",
    "block_title_text_size": "0.9rem",
    "block_title_text_weight": "400",
    "border_color_primary": "#e3dcd2",
    "input_background_fill": "#fbf9f6",
    "button_primary_background_fill": "#3a547e",
    "button_primary_background_fill_hover": "#2f4567",
    "button_primary_text_color": "#ffffff",
    "button_secondary_background_fill": "#ece6dd",
    "button_secondary_background_fill_hover": "#e0d8cc",
    "button_secondary_text_color": "#2b2722",
    "button_large_text_weight": "500",
    "button_large_radius": "0.5rem",
    "button_small_radius": "0.4rem",
    "button_small_text_size": "0.85rem",
    "button_small_text_weight": "400",
    "slider_color": "#3a547e",
}
NIGHT: dict[str, str] = {
    "body_background_fill_dark": "#1d1b19",
    "body_text_color_dark": "#ece7df",
    "body_text_color_subdued_dark": "#9d948a",
    "background_fill_primary_dark": "#292623",
    "background_fill_secondary_dark": "#232120",
    "block_background_fill_dark": "#292623",
    "block_border_width_dark": "0px",
    "block_label_background_fill_dark": "transparent",
    "block_label_border_width_dark": "0px",
    "block_label_text_color_dark": "#a89f94",
    "block_title_text_color_dark": "#a89f94",
    "border_color_primary_dark": "#3d3833",
    "input_background_fill_dark": "#211f1d",
    "button_primary_background_fill_dark": "#4f6a94",
    "button_primary_background_fill_hover_dark": "#5f7ba6",
    "button_primary_text_color_dark": "#ffffff",
    "button_secondary_background_fill_dark": "#393430",
    "button_secondary_background_fill_hover_dark": "#4a443d",
    "button_secondary_text_color_dark": "#ece7df",
    "slider_color_dark": "#7189ae",
}
STYLE = """
.gradio-container { width: 100% !important; min-width: 0 !important; max-width: 76rem !important;
  margin: 0 auto !important; padding: 0 !important; box-sizing: border-box; overflow-x: clip; }
.gradio-container main, .gradio-container .main { min-width: 0; max-width: 100% !important; }
.gradio-container .main { padding: 1.6rem 1.4rem 3rem !important; box-sizing: border-box; }
.gradio-container .html-container { padding: 0 !important; }
.gradio-container .prose { font-size: 1rem; line-height: 1.55; }
.gradio-container .prose h1 { font-weight: 500; font-size: 2.2rem; line-height: 1.2; margin: 0 0 .3rem; }
.gradio-container .prose h3 { font-weight: 500; font-size: 1.25rem; margin: .8rem 0 0; }
.gradio-container .prose p { max-width: 46rem; margin: .2rem 0; }
.gradio-container .prose p.soft { color: var(--body-text-color-subdued); font-size: .93rem; }
.gradio-container .prose p.error { color: #9a3523; border-left: 3px solid #c84834; padding: .4rem .8rem;
  background: rgb(200 72 52 / .08); border-radius: 0 .4rem .4rem 0; }
.dark .gradio-container .prose p.error, .gradio-container.dark .prose p.error { color: #f3ab9d; }
.block:has(> .html-container > .message:empty), .block:has(> .html-container > .status:empty) {
  display: none; }
.head { align-items: flex-end; row-gap: .8rem; }
.settings-slot { border: 1px dashed var(--border-color-primary) !important; box-shadow: none !important;
  background: transparent !important; }
.settings-slot button .wrap { display: none !important; }
.settings-slot button::after { content: "Drop a PNG made here, and its settings come back";
  color: var(--body-text-color-subdued); font-size: .93rem; padding: 0 1rem; }
.tabs, .tab-wrapper { min-width: 0; max-width: 100%; }
.tab-container button { font-size: 1.05rem !important; font-weight: 400 !important; }
.dark .tab-container button.selected { color: #a9bcd8 !important; }
.bench { align-items: stretch; }
.bench > * { flex: 1 1 200px !important; min-width: min(200px, 100%) !important; }
.slot img { object-fit: contain !important; }
.under { gap: 1.6rem; align-items: flex-start; }
.actions { gap: .6rem; }
.actions > * { flex: 0 1 auto !important; }
.gradio-container .progress { height: .45rem; border-radius: .3rem; background: var(--border-color-primary);
  overflow: hidden; margin: .5rem 0 .3rem; }
.gradio-container .progress > div { height: 100%; background: var(--slider-color); transition: width .25s; }
.candidates .grid-wrap { min-height: 0 !important; max-height: none !important; }
.candidates .grid-container { grid-template: none / repeat(auto-fill, minmax(9.4rem, 1fr)) !important;
  grid-auto-rows: auto !important; }
.candidates .thumbnail-item { aspect-ratio: 3 / 4.7 !important; height: auto !important;
  padding-bottom: 1.6rem; overflow: hidden; }
.outfits .grid-container { grid-template: none / repeat(auto-fill, minmax(13rem, 1fr)) !important; }
.outfits .thumbnail-item { aspect-ratio: 4 / 3 !important; }
.caption-label { font-size: .76rem !important; padding: .15rem !important; white-space: normal !important;
  left: 0 !important; right: 0 !important; bottom: 0 !important;
  max-width: none !important; text-align: center; border: 0 !important; box-shadow: none !important;
  border-radius: 0 !important; opacity: 1 !important; background: var(--block-background-fill) !important; }
.garment { align-items: center; flex-wrap: nowrap; }
.garment > * { min-width: 0 !important; }
.examples .gallery { gap: .6rem; }
.examples .gallery-item .container, .examples .gallery-item img { height: 7rem !important;
  width: auto !important; max-width: none !important; aspect-ratio: auto !important; object-fit: contain; }
footer { display: none !important; }
@media (max-width: 40rem) {
  .gradio-container .main { padding: 1rem .8rem 2rem !important; }
  .gradio-container .prose h1 { font-size: 1.8rem; }
  .tab-container button { font-size: .98rem !important; padding: 0 .55rem !important; }
  .bench > * { flex-basis: 150px !important; min-width: 150px !important; }
  .bench > .mask, .bench > .garments { flex-basis: 100% !important; }
  .controls button[aria-label^="Reset"] { display: none; }
}
@media (prefers-reduced-motion: reduce) { .gradio-container .progress > div { transition: none; } }
"""


def theme() -> Any:
    """Gradio's theme with the project's colours and type."""
    base = gr.themes.Base(
        primary_hue=INDIGO,
        secondary_hue=INDIGO,
        neutral_hue=PAPER,
        font=list(FONT),
        font_mono=["ui-monospace", "monospace"],
        radius_size=gr.themes.sizes.radius_md,
    )
    return base.set(**DAY, **NIGHT)
