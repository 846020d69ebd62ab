"""One service of a stack file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from .deploy import read_deploy
from .env_files import Environment, read_env_file
from .field import Field, Keys, text_or_texts, texts
from .given import Given
from .mounts import read_mount, resolve_source
from .ports import read_ports
from .quantities import split_command
from .references import read_reference
from .service_keys import IGNORED, KEYS, REFUSED
from .stack import Attachment, CredentialSpec, Deploy, Healthcheck, Labels, Logging, Mount, Service, Texts, Ulimit

_HEALTHCHECK = {
    **dict.fromkeys(["test", "interval", "timeout", "retries", "disable"], ""),
    "start_period": "3.4",
    "start_interval": "3.12",
}
_ATTACHMENT = {"aliases": "", "ipv4_address": "", "ipv6_address": "", "driver_opts": "3.13"}
_ADDRESSES = ("ipv4_address", "ipv6_address")
_LISTS = ("cap_add", "cap_drop", "devices", "external_links", "links", "security_opt", "depends_on")
_TEXTS = ("cgroup_parent", "cgroupns_mode", "container_name", "domainname", "ipc", "mac_address", "network_mode")


def read_service(field: Field, folder: Path, environment: Mapping[str, str]) -> Service:
    """The service at `field`; relative paths start at `folder`.

    What is wrong is noted, and left out of the result.
    """
    keys = field.keys(KEYS, extensions="3.7", refused=REFUSED)
    _check_ignored(keys)
    networks = keys.read("networks", _networks) or {}
    mounts = keys.read_list("volumes", lambda value: value.items(read_mount, unique=False))
    return Service(
        name=str(field.path[-1]),
        place=field.place,
        given=frozenset(keys.found),
        ignored={key: keys.found[key].place for key in IGNORED if key in keys},
        image=keys.read("image", Field.text),
        command=keys.read("command", _command),
        entrypoint=keys.read("entrypoint", _command),
        environment=_environment(keys, folder, environment),
        labels=keys.read("labels", Field.labels) or {},
        hostname=keys.read("hostname", Field.text),
        user=keys.read("user", Field.text),
        working_dir=keys.read("working_dir", Field.text),
        read_only=keys.read("read_only", Field.boolean),
        tty=keys.read("tty", Field.boolean),
        stdin_open=keys.read("stdin_open", Field.boolean),
        init=keys.read("init", Field.boolean),
        stop_grace_period=keys.read("stop_grace_period", Field.duration),
        stop_signal=keys.read("stop_signal", Field.text),
        healthcheck=keys.read("healthcheck", _healthcheck),
        extra_hosts=keys.read_list("extra_hosts", _extra_hosts),
        dns=keys.read_list("dns", text_or_texts),
        dns_search=keys.read_list("dns_search", text_or_texts),
        cap_add=keys.read_list("cap_add", texts),
        cap_drop=keys.read_list("cap_drop", texts),
        sysctls=keys.read("sysctls", Field.labels) or {},
        ulimits=keys.read("ulimits", _ulimits) or {},
        isolation=keys.read("isolation", Field.text),
        credential_spec=keys.read("credential_spec", _credential_spec),
        logging=keys.read("logging", _logging),
        networks=networks,
        ports=keys.read_list("ports", read_ports),
        volumes=tuple(_resolved(mount, folder, environment) for mount in mounts),
        configs=keys.read_list("configs", lambda value: value.items(read_reference, unique=False)),
        secrets=keys.read_list("secrets", lambda value: value.items(read_reference, unique=False)),
        restart=keys.read("restart", Field.text),
        deploy=keys.read("deploy", read_deploy) or Deploy(),
    )


def _resolved(mount: Mount, folder: Path, environment: Mapping[str, str]) -> Mount:
    return resolve_source(mount, folder.absolute(), environment.get("HOME"))


def _check_ignored(keys: Keys) -> None:
    """Values of ignored keys must still have their type."""
    readers: dict[str, Callable[[Field], object]] = {
        **dict.fromkeys(_LISTS[2:], texts),
        **dict.fromkeys(_TEXTS, Field.text),
        "userns_mode": Field.text,
        "pid": lambda value: value.value is None or value.text(),
        "tmpfs": text_or_texts,
        "privileged": Field.boolean,
        "oom_score_adj": lambda value: value.whole(least=None),
        "expose": lambda value: value.items(lambda item: item.scalar(null=False)),
        "shm_size": Field.text,
        "build": _build,
        "depends_on": _depends_on,
    }
    for key, read in readers.items():
        keys.read(key, read)


def _build(field: Field) -> object:
    return field.value if isinstance(field.value, dict) else field.text()


def _depends_on(field: Field) -> object:
    if isinstance(field.value, dict):
        field.wrong(
            "must be a list of services for docker stack deploy, not a mapping with conditions",
            "Leave it out: a Swarm starts services in no order, and a task that exits is started again.",
        )
        return None
    return texts(field)


def _command(field: Field) -> Texts | None:
    if isinstance(field.value, list):
        return field.items(Field.text, unique=False)
    words = field.parsed(field.text(), split_command, "a command line whose quotes are closed")
    return None if words is None else tuple(Given(word, words.place) for word in words.value)


def _environment(keys: Keys, folder: Path, environment: Mapping[str, str]) -> Environment:
    """env_file in order, then environment.

    A key without a value, or with an empty one, takes the shell's.
    """
    merged: Environment = {}
    for file in [] if "env_file" not in keys else _env_files(keys.found["env_file"]):
        merged.update(_from_shell(read_env_file(file, folder, environment), environment))
    merged.update(_from_shell(keys.read("environment", Field.pairs) or {}, environment))
    return merged


def _env_files(field: Field) -> list[Field]:
    if not isinstance(field.value, list):
        return [field] if field.text() else []
    return list(field.items(_env_file))


def _env_file(field: Field) -> Field | None:
    if isinstance(field.value, dict):
        field.wrong("env_file must be a path: the form with path and required is Compose's", "Write the path alone.")
        return None
    return field if field.text() else None


def _from_shell(variables: Environment, environment: Mapping[str, str]) -> Environment:
    return {
        key: Given(environment[key], given.place) if not given.value and key in environment else given
        for key, given in variables.items()
    }


def _healthcheck(field: Field) -> Healthcheck:
    keys = field.keys(_HEALTHCHECK)
    return Healthcheck(
        field.place,
        test=keys.read("test", _test),
        interval=keys.read("interval", Field.duration),
        timeout=keys.read("timeout", Field.duration),
        start_period=keys.read("start_period", Field.duration),
        start_interval=keys.read("start_interval", Field.duration),
        retries=keys.read("retries", lambda value: value.whole(truncated=True)),
        disable=keys.read("disable", Field.boolean),
    )


def _test(field: Field) -> Texts | None:
    if isinstance(field.value, list):
        return field.items(Field.text, unique=False)
    text = field.text()
    return None if text is None else (Given("CMD-SHELL", text.place), text)


def _extra_hosts(field: Field) -> Texts:
    """Items as "name:ip"; a mapping gives them in the order of the alphabet."""
    if isinstance(field.value, dict):
        addresses = {name: entry.text() for name, entry in field.entries() if entry.value is not None}
        hosts = [_host(name, ip.value, ip) for name, ip in addresses.items() if ip is not None]
        return tuple(sorted(hosts, key=lambda host: host.value))
    return tuple(host for item in field.items(Field.text) if (host := _host_item(item)))


def _host_item(item: Given[str]) -> Given[str] | None:
    separator = "=" if "=" in item.value else ":"
    name, separated, ip = item.value.partition(separator)
    return _host(name, ip, item) if separated else None


def _host(name: str, ip: str, given: Given[str | None] | Given[str]) -> Given[str]:
    bracketed = len(ip) > 2 and ip.startswith("[") and ip.endswith("]")
    return Given(f"{name}:{ip[1:-1] if bracketed else ip}", given.place)


def _ulimits(field: Field) -> dict[str, Ulimit]:
    return {name: ulimit for name, entry in field.entries() if (ulimit := _ulimit(entry)) is not None}


def _ulimit(field: Field) -> Ulimit | None:
    if isinstance(field.value, float):
        field.expected("a whole number")
        return None
    if not isinstance(field.value, dict):
        number = field.whole(least=None)
        return None if number is None else Ulimit(field.place, number.value, number.value)
    keys = field.keys({"soft": "", "hard": ""})
    soft, hard = (keys.read(key, lambda value: value.whole(least=None)) for key in ("soft", "hard"))
    missing = [key for key in ("soft", "hard") if key not in keys]
    if missing:
        field.wrong(f"the key '{missing[0]}' is missing", "Give both soft and hard, or a number for both.")
    return Ulimit(field.place, soft.value, hard.value) if soft and hard else None


def _credential_spec(field: Field) -> CredentialSpec:
    keys = field.keys({"config": "3.8", "file": "", "registry": ""})
    return CredentialSpec(field.place, *(keys.read(key, Field.text) for key in ("config", "file", "registry")))


def _logging(field: Field) -> Logging:
    keys = field.keys({"driver": "", "options": ""})
    options: Labels | None = keys.read("options", lambda value: value.options(null=True))
    return Logging(field.place, keys.read("driver", Field.text), options)


def _networks(field: Field) -> dict[str, Attachment]:
    if isinstance(field.value, list):
        return {name.value: Attachment(name.place, given=False) for name in texts(field)}
    if not isinstance(field.value, dict):
        field.expected("a list of networks, or a mapping")
        return {}
    return {name: attachment for name, entry in field.entries() if (attachment := _attachment(entry)) is not None}


def _attachment(field: Field) -> Attachment | None:
    if field.value is None:
        return Attachment(field.place, given=False)
    keys = field.keys(_ATTACHMENT)
    addresses = {key: keys.found[key].place for key in _ADDRESSES if keys.read(key, Field.text)}
    options: Labels = keys.read("driver_opts", Field.options) or {}
    return Attachment(field.place, keys.read_list("aliases", texts), options, addresses)
