"""The performance report as one self-contained HTML page. Needs the `report` extra (Jinja2, Matplotlib)."""

from agent_memory.reporting.page import render_report

__all__ = ["render_report"]
