"""What is wrong with a cluster, seen from all of its hosts at once: facts, diagnoses, findings. Nothing is changed."""
