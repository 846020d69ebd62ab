"""Hosts in Linux namespaces.

Each a process tree of its own with real engines, on this machine's kernel.
"""
