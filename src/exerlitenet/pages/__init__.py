"""How any report looks: HTML and SVG."""
