"""The longest chain of checks that had to wait for one another.

Running the others side by side cannot shorten it.
"""

from __future__ import annotations

from collections.abc import Sequence

from clusterlab.model import Lab
from clusterlab.model.reserved import shown
from clusterlab.remote import Hosts
from clusterlab.results import Chain, Result

from .runner import jobs_of


def longest_chain(lab: Lab, hosts: Hosts, results: Sequence[Result]) -> Chain:
    """The chain that took longest, of what `run_checks` has returned for the lab.

    No host is asked.
    """
    chains: list[Chain] = []
    jobs = jobs_of(lab, hosts)
    plays = set(map(shown, lab.plays))
    of_plays = [result for result in results if result.play in plays]
    for index, (job, result) in enumerate(zip(jobs, of_plays, strict=True)):
        before = [chain for chain, other in zip(chains, jobs[:index], strict=True) if job.conflicts(other)]
        waited_for = max(before, key=lambda chain: chain.seconds, default=Chain())
        chains.append(Chain((*waited_for.results, result)))
    return max(chains, key=lambda chain: chain.seconds, default=Chain())
