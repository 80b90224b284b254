"""Tests of the console: its pages, who may use it, and browsers that walk through it."""
