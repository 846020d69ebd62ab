"""Rehearsals: a change of the inventory, carried out on a lab node by node.

And what clients see of it.
"""
