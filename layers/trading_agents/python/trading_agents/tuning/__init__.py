"""What a trading memory holds, and what other half-lives would have done on one's own record."""
