"""A lab for the project's plays, for all tests of one file."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.play_bench import Stand, stand_up


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    with stand_up(tmp_path_factory.mktemp("lab")) as stand:
        yield stand
