"""What a person types to do and check a play without clusterlab: from the model alone, without asking a host."""
