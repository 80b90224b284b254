"""The interfaces of the stores, as Protocols, and the bundle of the stores of one deployment.

Every store raises `Unavailable` if the service behind it does not respond; none turns a failure into an empty result.
Methods that read several items call `on_unreadable` with each item that cannot be read, and leave it out; by default
its error is raised.
"""
