"""What is wrong with a cluster, seen from all of its hosts at once.

Facts, diagnoses, findings. Nothing is changed.
"""
