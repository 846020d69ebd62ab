"""The command line on real engines."""
