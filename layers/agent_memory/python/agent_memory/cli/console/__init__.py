"""`agent-memory ui`: the console, pages in a browser on this machine about what is stored."""
