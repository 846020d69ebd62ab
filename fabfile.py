"""The same verbs for Fabric's own program: `fab --list`, `fab check --play volumes/nfs`."""

from clusterlab.cli.main import collection
from clusterlab.cli.pipes import guard_output

guard_output()
namespace = collection()
