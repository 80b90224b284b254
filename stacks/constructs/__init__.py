"""Parts that several stacks are built from."""
