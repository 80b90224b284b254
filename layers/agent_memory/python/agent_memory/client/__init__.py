"""What agent code calls: the decision log and the memory, directly or over signed HTTP."""
