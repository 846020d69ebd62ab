"""A multi-host Docker lab in a file, and the checks that prove it."""

__version__ = "0.1.0"
