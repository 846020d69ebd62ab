"""The first files of somebody's own.

An inventory and a play, from defaults or from what exists.
"""
