"""Bring a namespaces lab up or down in a process of its own, telling each step: something to kill.

python -m tests.support.up_in_background up|down LAB SUBNET
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from clusterlab.machines import open_machines
from tests.support.labs import namespaces_lab


class _Task:
    def update(self, text: str) -> None:
        print(text, flush=True)


class _Spoken:
    @contextmanager
    def task(self, subject: str, doing: str) -> Iterator[_Task]:
        print(subject, doing, flush=True)
        yield _Task()

    def say(self, subject: str, text: str) -> None:
        print(subject, text, flush=True)


if __name__ == "__main__":
    verb, name, subnet = sys.argv[1:]
    getattr(open_machines(namespaces_lab(name, subnet)), verb)(_Spoken())
