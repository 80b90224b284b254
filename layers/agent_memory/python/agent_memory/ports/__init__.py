"""What the domain asks of a store, as Protocols, and the bundle of stores of one deployment."""
