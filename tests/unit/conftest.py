"""What holds of every luigid of a test when the test is over."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from dispatching import made, require_consistent


@pytest.fixture(autouse=True)
def consistent_luigids() -> Iterator[None]:
    """Whatever was said to a luigid, what it knows of tasks fits together."""
    made.clear()
    yield
    for luigid in made:
        require_consistent(luigid)
