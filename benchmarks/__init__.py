"""Benchmarks: requests, capacity units and time of the product's operations, and the error rates of learning.

`make` lists the targets; each runs one module of this package.
"""
