"""Lessons that a person does on real hosts: the task, the next step, and how far each lesson is."""
