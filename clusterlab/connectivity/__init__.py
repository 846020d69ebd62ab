"""A connectivity test for any Swarm: a play that is generated from the inventory, applied, checked and removed."""
