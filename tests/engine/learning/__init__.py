"""Lessons that a person does."""
