"""Results as tables, as pages with pictures, and side by side."""
