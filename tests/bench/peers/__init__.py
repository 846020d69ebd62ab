"""clusterlab beside the tools that people use for the same work, in one run on the same machines."""
