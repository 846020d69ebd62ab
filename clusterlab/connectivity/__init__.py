"""A connectivity test for any Swarm.

A play that is generated from the inventory, applied, checked and removed.
"""
