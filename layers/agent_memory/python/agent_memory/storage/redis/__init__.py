"""Short-term memory in Redis or Valkey."""
