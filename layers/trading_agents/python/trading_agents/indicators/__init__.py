"""Features of prices and option chains, each with its formula and source. None looks ahead."""
