"""The packet filter: iptables' rules, and what becomes of a packet that arrives."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Address, IPv4Network

from .section import Section

_DEPTH = 16  # chains within chains


@dataclass(frozen=True)
class Rule:
    """A rule of a chain, word by word, and its number there from 1."""

    chain: str
    number: int
    words: tuple[str, ...]

    def value(self, *names: str) -> str:
        """What follows the first of these options; "" when it has none of them."""
        return next((self.words[at + 1] for at, word in enumerate(self.words[:-1]) if word in names), "")

    @property
    def target(self) -> str:
        return self.value("-j", "-g")

    @cached_property
    def judged(self) -> bool:
        """Whether it has no match but those that are understood here."""
        options = {word for word in self.words if word.startswith("-")}
        modules = {self.words[at + 1] for at, word in enumerate(self.words[:-1]) if word == "-m"}
        return options <= _KNOWN and modules <= {"tcp", "udp", "multiport", "comment"}

    def __str__(self) -> str:
        return f"{self.chain} rule {self.number}: {shlex.join(self.words)}"


@dataclass(frozen=True)
class Table:
    """One table: the policies and rules of its chains.

    The policy of a user's chain is "-".
    """

    policies: dict[str, str]
    chains: dict[str, tuple[Rule, ...]]

    def rules(self) -> list[Rule]:
        return [rule for rules in self.chains.values() for rule in rules]


@dataclass(frozen=True)
class Firewall:
    """All tables by name."""

    tables: dict[str, Table]

    def rules(self, table: str) -> list[Rule]:
        return self.tables[table].rules() if table in self.tables else []

    def drops(self, protocol: str, port: int, source: str) -> str:
        """The rule or policy that keeps such a packet from this host; "" when none does.

        A rule with a match that cannot be judged here, such as a state or a limit, is not taken to drop anything.
        """
        for table, chain in (("raw", "PREROUTING"), ("mangle", "PREROUTING"), ("mangle", "INPUT"), ("filter", "INPUT")):
            if table in self.tables:
                verdict = _through(self.tables[table], chain, protocol, port, source)
                if verdict:
                    return verdict
        return ""


_KNOWN = {"-p", "-s", "--dport", "--destination-port", "--dports", "-j", "-g", "-m", "--comment", "--reject-with"}
_REFUSING = ("DROP", "REJECT")


def _through(table: Table, chain: str, protocol: str, port: int, source: str) -> str:
    """Why the packet is refused in a built-in chain, or ""."""
    verdict = _walk(table, chain, protocol, port, source, 0)
    if isinstance(verdict, Rule):
        return str(verdict)
    if verdict is None and table.policies.get(chain) == "DROP":
        return f"{chain} policy DROP: {port}/{protocol} is not accepted"
    return ""


def _walk(table: Table, chain: str, protocol: str, port: int, source: str, depth: int) -> Rule | bool | None:
    """The rule that refuses the packet, True when it is accepted, None otherwise.

    True also when it may be accepted; None when the chain returns.
    """
    if depth > _DEPTH:
        return True
    unsure = False
    for rule in table.chains.get(chain, ()):
        fits = _fits(rule, protocol, port, source)
        if fits is False:
            continue
        target = rule.target
        if target in _REFUSING:
            if fits:
                return True if unsure else rule
            continue  # it may refuse some packets: not taken for a refusal
        if target == "ACCEPT":
            if fits:
                return True
            unsure = unsure or not _for_replies_only(rule)
        elif target == "RETURN":
            if fits:
                return True if unsure else None
            unsure = True
        elif target in table.chains:
            verdict = _walk(table, target, protocol, port, source, depth + 1)
            if fits and verdict is not None:
                return True if unsure else verdict
            unsure = unsure or (verdict is True)
    return True if unsure else None


def _for_replies_only(rule: Rule) -> bool:
    """Whether it accepts only packets of known connections, as firewalls do first."""
    states = rule.value("--ctstate", "--state")
    return bool(states) and "NEW" not in states.split(",")


def _fits(rule: Rule, protocol: str, port: int, source: str) -> bool | None:
    """Whether the packet matches.

    None when the rule has a match that cannot be judged here.
    """
    if "!" in rule.words:
        return None
    if rule.value("-i") == "lo":
        return False
    if (wanted := rule.value("-p")) and wanted not in (protocol, "all"):
        return False
    if (sources := rule.value("-s")) and not _within(source, sources):
        return False
    ports = rule.value("--dport", "--destination-port", "--dports")
    if ports and not any(_covers(one, port) for one in ports.split(",")):
        return False
    return True if rule.judged else None


def _within(source: str, network: str) -> bool:
    return IPv4Address(source) in IPv4Network(network, strict=False)


def _covers(ports: str, port: int) -> bool:
    first, colon, last = ports.partition(":")
    return int(first or 0) <= port <= int(last or 65535) if colon else int(first) == port


_END = "# end of tables"
_CHAIN = re.compile(r":(\S+) (\S+)(?: \[\d+:\d+\])?")


def _firewall(text: str) -> Firewall:
    tables: dict[str, Table] = {}
    name, policies, chains = "", dict[str, str](), dict[str, list[Rule]]()
    if not text.rstrip().endswith(_END):
        raise ValueError("cut off")
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith("*"):
            name, policies, chains = line[1:].strip(), {}, {}
        elif line.startswith(":") and (found := _CHAIN.match(line)):
            policies[found[1]] = found[2]
            chains.setdefault(found[1], [])
        elif line.startswith("-A ") and name:
            _, chain, *words = shlex.split(line)
            rules = chains.setdefault(chain, [])
            rules.append(Rule(chain, len(rules) + 1, tuple(words)))
        elif line.strip() == "COMMIT" and name:
            tables[name] = Table(policies, {key: tuple(rules) for key, rules in chains.items()})
            name = ""
        else:
            raise ValueError(line)
    if name:
        raise ValueError(f"table {name} does not end")
    return Firewall(tables)


FIREWALL: Section[Firewall] = Section("firewall", f"limit iptables-save && echo '{_END}'", _firewall)


@dataclass(frozen=True)
class Backend:
    """The packet filter behind `iptables`, and legacy tables that also have rules."""

    nftables: bool
    legacy_rules: tuple[str, ...]


def _backend(text: str) -> Backend:
    first, *rest = text.splitlines()
    if not first.startswith("iptables v"):
        raise ValueError(first)
    rules = tuple(line for line in rest if line.startswith("-A "))
    return Backend("nf_tables" in first, rules)


BACKEND: Section[Backend] = Section(
    "firewall-backend",
    # iptables-legacy-save loads the modules of the tables that it reads: only those that exist are asked for.
    """
version=$(limit iptables -V) || exit
echo "$version"
case $version in *nf_tables*)
  if command -v iptables-legacy-save >/dev/null && [ -r /proc/net/ip_tables_names ]; then
    for table in $(cat /proc/net/ip_tables_names); do limit iptables-legacy-save -t "$table" || exit; done
  fi ;;
esac
true
""",
    _backend,
)


def jumps(rules: Sequence[Rule], chain: str, targets: Sequence[str]) -> bool:
    """Whether a chain leads to one of these targets."""
    return any(rule.chain == chain and rule.target in targets for rule in rules)
