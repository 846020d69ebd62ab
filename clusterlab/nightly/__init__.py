"""Nights that nobody watches: a run from a known state to a kept report, its history, and what keeps it all small."""
