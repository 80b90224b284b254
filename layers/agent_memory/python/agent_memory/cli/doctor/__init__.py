"""Looks at a deployment with the caller's credentials, and says what is wrong and which page mends it.

`examination` runs the checks, each a small function of `checks_…`; `deployment` is what they look at.
"""
