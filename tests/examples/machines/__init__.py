"""A package that adds a kind of machines."""
