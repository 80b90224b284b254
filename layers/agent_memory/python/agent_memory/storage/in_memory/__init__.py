"""Every store in plain Python, for tests, notebooks, and agents that run without a cloud."""
