"""Drills: a fault on purpose, what clients see of it, and the recovery."""
