"""The results as a Markdown page, its plots, and one HTML file."""
