"""The same verbs for Invoke's own program: `inv --list`, `CLUSTERLAB_VERBOSE=1 inv check --play volumes/nfs`."""

from clusterlab.cli.main import tasks

namespace = tasks()
