"""Nightly runs: from a known state to a kept report.

With their history, and what keeps it all small.
"""
