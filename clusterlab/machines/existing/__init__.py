"""Machines that already exist: reached over SSH as the user reaches them, never created and never destroyed."""
