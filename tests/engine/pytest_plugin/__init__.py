"""The pytest plug-in, on real engines."""
