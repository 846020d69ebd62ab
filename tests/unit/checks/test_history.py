"""The history of a shared file: a sound one holds, and each kind of harm is seen."""

from __future__ import annotations

import pytest

from clusterlab.checks.history import line, problems

A = [line("r1", "a", n) for n in (1, 2, 3)]
B = [line("r1", "b", n) for n in (1, 2, 3)]


def judge(lines: list[str]) -> list[str]:
    return problems("r1", "r1 b", ["a", "b"], 3, "".join(f"{text}\n" for text in lines))


@pytest.mark.parametrize("lines", [[*A, *B], [*B, *A], [A[0], B[0], B[1], A[1], A[2], B[2]]])
def test_writers_may_mix(lines: list[str]) -> None:
    assert judge(["r1 b", *lines]) == []


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ([], "the first line is 'missing', not 'r1 b'"),
        ([*A, *B], "the first line is 'r1 a 1', not 'r1 b'"),
        (["r1 b", *A, *B[:2]], "1 of 3 lines of b lost"),
        (["r1 b", *B], "3 of 3 lines of a lost"),
        (["r1 b", *A, *B, A[1]], "1 lines of a doubled"),
        (["r1 b", A[1], A[0], A[2], *B], "lines of a out of order"),
        (["r1 b", *A, *B, "r0 a 1"], "1 lines that nobody wrote, such as 'r0 a 1'"),
        (["r1 b", *A, *B[:2], B[2] + A[2]], "1 of 3 lines of b lost"),
        (["r1 b", *A, *B, "r1 b"], "the first line doubled"),
    ],
)
def test_harm_is_seen(lines: list[str], problem: str) -> None:
    assert problem in judge(lines)
