"""The design's sentences 1 to 12, each as a test; `make promises` writes docs/promises.md from their docstrings.

A module has one section of the design. Its docstring has the title, then the number and title of each subsection. The
name of a test begins with the number of its subsection, and its docstring is the promise as the page says it.
"""
