"""What is not taken away because it could not come back."""

from __future__ import annotations

from clusterlab.plan.held_back import held_back
from clusterlab.resources.base import SWARM, Change, Key

A, B = Key("a", "volume", "v"), Key("b", "volume", "v")
SERVICE = Key(SWARM, "service", "s")


def change(key: Key, *, needs: set[Key] | None = None, takes: set[Key] | None = None, blocked: str = "") -> Change:
    return Change(
        key,
        "replace",
        "",
        "",
        lambda: None,
        needs=frozenset(needs or ()),
        takes=frozenset(takes or ()),
        blocked=blocked,
    )


def blocked(*changes: Change) -> dict[Key, str]:
    return {one.key: one.blocked for one in held_back(changes) if one.blocked}


def test_a_change_that_can_be_undone_by_another_goes_on() -> None:
    assert blocked(change(A, takes={SERVICE}), change(SERVICE, needs={A})) == {}


def test_what_could_not_be_recreated_is_not_taken_away() -> None:
    found = blocked(
        change(A, takes={SERVICE}), change(B, takes={SERVICE}, blocked="in use"), change(SERVICE, needs={A, B})
    )
    assert found[A] == "it would take away service s, which could not be recreated because of b: volume v"
    assert found[B] == "in use"
    assert SERVICE not in found


def test_the_cause_is_found_through_what_is_needed_and_spreads() -> None:
    container, network = Key("a", "container", "c"), Key("a", "network", "n")
    found = blocked(
        change(B, blocked="in use"),
        change(container, needs={B, network}),
        change(network, takes={container}),
        change(Key("a", "container", "d"), needs={network}),
        change(A, takes={Key("a", "container", "d")}),
    )
    assert set(found) == {B, network, A}


def test_what_belongs_to_a_play_that_is_not_at_hand_is_not_taken_away() -> None:
    assert "name that play, too" in blocked(change(A, takes={SERVICE}))[A]
