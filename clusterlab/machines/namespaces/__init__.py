"""Hosts in Linux namespaces: each a process tree of its own with real engines, on this machine's kernel."""
