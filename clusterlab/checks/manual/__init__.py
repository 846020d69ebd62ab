"""Commands that a person types to see what a probe sees, and the proof for each."""
