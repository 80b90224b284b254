"""The faces of the deployed functions: environment, HTTP, metrics. Only this room knows Powertools."""
