"""The same verbs for Invoke's own program: `inv --list`, `inv check --play volumes/nfs`."""

from clusterlab.cli.main import collection
from clusterlab.cli.pipes import guard_output

guard_output()
namespace = collection()
