"""The article on a code: shown by `--explain`, and one part of docs/doctor.md.

`python -m clusterlab.doctor.article > docs/doctor.md` writes that page.
"""

from __future__ import annotations

from collections.abc import Iterable

from .codes import DIAGNOSES
from .diagnosis import Diagnosis

_HEAD = """\
# clusterlab doctor

`clusterlab doctor` names what is wrong with a Swarm and its NFS volumes, seen from every node at once. It needs no
plays, works on clusters that clusterlab did not create, and changes nothing.

    clusterlab doctor -i existing        # the hosts of an inventory
    clusterlab doctor manager1           # a manager that SSH reaches: the other nodes are found through the Swarm
    clusterlab doctor --explain CL305    # the article on a code
    clusterlab doctor --json - --diff    # findings as JSON, and what is different from the last run
    clusterlab doctor --probe            # also send packets between the nodes
    clusterlab doctor --stack stack.yml  # also show what a stack would meet there

Every host runs one script that only reads, and every engine answers at most six requests on average; `counts` in the
JSON has the real numbers. A suspicion that may pass by itself is read again after 3 s, which doubles them; nodes with
different image stores or platforms are also asked for their images.
A nightly run ([nightly.md](nightly.md)) has doctor's findings in its report.

A finding has a code that never changes its meaning, a severity, the cause in one line, the evidence per host, and
commands that fix it. A cause hides what follows from it and names that under `explains`.

| severity | meaning |
|---|---|
| error | broken now, or at the next restart |
| warning | breaks at a foreseeable event |
| advice | better otherwise |
| unknown | could not be asked; the reason says why. It never counts as fine |

"healthy" is said only when every code was evaluated on every host. Exit codes: 0 no errors, and everything was asked;
1 errors; 2 wrong usage; 3 no errors, but not everything could be asked.

## Reading without changing

The script reads files below /proc, /sys and /etc, and runs `ip`, `ss`, `bridge`, `iptables-save`, `df`, `find` and
`nsenter` into Docker's network namespaces, each for 2 s at most. It opens TCP connections between the nodes (ports
2377 and 7946) and to NFS servers (2049), waits 2 s for them, closes them at once, and sends pings through the ingress
network, with perl, which Debian and Ubuntu always have. It starts no container, loads no kernel
module, and sets nothing. Of NFS it looks at the top directory of each mount, and only once the mount's server answers.
It never asks for join tokens and reads no keys.

It runs as root, through `sudo` for another user. Where a program is missing, the codes that need it are unknown.

## Probes

Without `--probe` nothing is started. With it, one more command per host runs for two to five seconds, under the name
`org.clusterlab.doctor`:

- Every node sends each peer packets to the ports of gossip and overlays (UDP 7946 and 4789) and of ESP, and listens for
  theirs before and after its packet filter. So doctor reports in which direction packets are lost, and whether the
  network loses them or the filter of the receiver or the sender drops them, nftables and rules that it cannot judge
  included. That a packet did not arrive counts only if both nodes are known to have listened at the same time: else all
  are asked again, twice at most and for longer each time, and then it is unknown. The packets begin with zero bytes, so
  nothing takes them for its own; a node with encrypted gossip may log that it cannot decrypt one.
- Every node mounts its NFS volumes read-only, with the options that the engine uses, in a mount namespace that ends
  with the command. The kernel loads its NFS module for that if it has not yet done so.

## Stacks

`--stack FILE` evaluates all codes on the cluster as it would be with the stack, and shows what is found only there:
constraints that no node meets, volumes that exist with other options, NFS servers that a node does not reach, subnets
that overlap, and why the Swarm would refuse the stack. Nothing is deployed.

## Statements that fail

When statements fail, `clusterlab check` and `clusterlab run` read the hosts that these are about once, and show beside
each the errors that doctor finds there. A statement that is blocked names the code of what blocks it.

## Mutes

`inventory/NAME.mutes.yml` beside `inventory/NAME.yml` mutes findings for a time:

    mutes:
      - code: CL111
        subject: node2
        severity: warning         # the worst that is accepted: the mute ends when the finding gets worse
        reason: the new switch carries 9000
        who: ada
        until: 2026-12-31         # that day included

## Codes of other packages

A package adds a code with an entry point of the group `clusterlab.diagnoses` whose name is the code, and whose value is
a `clusterlab.doctor.diagnosis.Diagnosis`. Codes that begin with CL are clusterlab's own.

This page is generated: `python -m clusterlab.doctor.article > docs/doctor.md`.

"""


def page() -> str:
    """The text of docs/doctor.md."""
    codes = sorted(DIAGNOSES.values(), key=lambda one: one.code)
    rows = [f"| [{one.code}](#{one.code.lower()}) | {one.severity} | {one.title} |\n" for one in codes]
    table = "".join(["## Codes\n\n| code | at worst | what is wrong |\n|---|---|---|\n", *rows])
    return "\n".join([_HEAD.rstrip() + "\n", table, *(_section(one) for one in codes)])


def article(diagnosis: Diagnosis) -> str:
    """What `--explain` prints."""
    title = f"{diagnosis.code}: {diagnosis.title} ({diagnosis.severity})"
    return "\n\n".join([title, *(f"{name}: {text}" for name, text in _parts(diagnosis))])


def _section(diagnosis: Diagnosis) -> str:
    parts = [f"**{name}.** {text}" for name, text in _parts(diagnosis)]
    return "\n\n".join([f"### {diagnosis.code}", f"{diagnosis.title} ({diagnosis.severity}).", *parts]) + "\n"


def _parts(diagnosis: Diagnosis) -> Iterable[tuple[str, str]]:
    yield "Effect", diagnosis.effect
    yield "Found by", diagnosis.detection
    if diagnosis.guard:
        yield "Not reported", diagnosis.guard
    yield "Remedy", diagnosis.remedy
    if diagnosis.causes:
        yield "Checks that it blocks name", ", ".join(f"`{one}`" for one in diagnosis.causes)
    if diagnosis.references:
        yield "See", ", ".join(diagnosis.references)


if __name__ == "__main__":
    print(page(), end="")
