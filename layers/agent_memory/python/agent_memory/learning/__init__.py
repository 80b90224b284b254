"""What an agent's own record teaches: evidence, candidate patterns, and which of them are true."""
