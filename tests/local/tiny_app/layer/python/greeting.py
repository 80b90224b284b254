"""A module that only the layer brings."""

GREETING = "hello from the layer"
