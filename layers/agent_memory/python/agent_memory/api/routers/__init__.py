"""The routes of the HTTP API, by what they work on."""
