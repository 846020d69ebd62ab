"""The same verbs for Invoke's own program: `inv --list`, `inv check --play volumes/nfs`."""

from clusterlab.cli.main import collection

namespace = collection()
