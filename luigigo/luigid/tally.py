"""What has happened since luigid began, in numbers that do not grow with builds."""

from __future__ import annotations

from collections import Counter, defaultdict

OTHER = "other"
MOST_KINDS = 50
"""Families are whatever clients say: further ones count as one."""


class ResultCounts:
    """Counts of ended tasks by kind and outcome, and of attempts that came to no end by cause."""

    def __init__(self) -> None:
        self.ended: Counter[tuple[str, str]] = Counter()
        self.seconds: defaultdict[tuple[str, str], float] = defaultdict(float)
        self.stopped: Counter[str] = Counter()
        self._kinds: set[str] = set()

    def note_end(self, kind: str, outcome: str, seconds: float) -> None:
        """A node has ended a task."""
        if kind not in self._kinds and len(self._kinds) >= MOST_KINDS:
            kind = OTHER
        self._kinds.add(kind)
        self.ended[kind, outcome] += 1
        self.seconds[kind, outcome] += seconds

    def note_stop(self, cause: str) -> None:
        """An attempt came to no end: one of the few words that luigid has for why."""
        self.stopped[cause] += 1
