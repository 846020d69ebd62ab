"""The same verbs for Fabric's own program: `fab --list`, `CLUSTERLAB_VERBOSE=1 fab check --play volumes/nfs`."""

from clusterlab.cli.main import tasks

namespace = tasks()
