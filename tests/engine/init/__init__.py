"""The first files of somebody's own, read from a running cluster."""
