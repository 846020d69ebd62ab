"""Lessons that a person does on real hosts.

The task, the next step, and how far each lesson is.
"""
