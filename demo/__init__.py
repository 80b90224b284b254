"""The demo: real bars replayed through the deployed system, night by night."""
