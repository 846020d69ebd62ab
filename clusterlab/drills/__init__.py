"""Drills: a fault on purpose, what clients see of it, and whether all is well afterwards."""
