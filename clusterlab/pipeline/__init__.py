"""The stages of a run, with lock, deadline, interruption and partial results.

Stages are up, provision, apply, check and clean.
"""
