"""The stages of a run (up, provision, apply, check, clean) with lock, deadline, interruption and partial results."""
