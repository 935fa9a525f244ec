"""How any report looks: HTML, SVG and Markdown."""
