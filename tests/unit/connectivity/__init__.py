"""Tests of the generated play."""
