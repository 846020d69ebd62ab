"""Bring a namespaces lab up or down in a process of its own, telling each step: something to kill.

up_in_background.py up|down LAB SUBNET
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from labs import namespaces_lab

from clusterlab.machines import open_machines


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
