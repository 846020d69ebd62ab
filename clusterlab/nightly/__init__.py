"""Nightly runs: from a known state to a kept report, their history, and what keeps it all small."""
