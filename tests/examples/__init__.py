"""Packages that add kinds to clusterlab, as other people's would."""
