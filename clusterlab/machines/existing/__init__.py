"""Machines that already exist.

Reached over SSH as the user reaches them, never created and never destroyed.
"""
