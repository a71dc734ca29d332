"""AnyDressing's user study as a tool: blind forms on a local page, and the shares that follow from them."""
