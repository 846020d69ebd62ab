"""What a person types to do and check a play without clusterlab.

From the model alone, without asking a host.
"""
