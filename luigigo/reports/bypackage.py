"""A run by packages: what each took, what it held up, and through which imports it is there. Pure."""

from __future__ import annotations

from collections import deque

import msgspec

from luigigo.reports.history import History
from luigigo.reports.paths import longest_chain
from luigigo.reports.simulation import WorkTime, makespan

MOST_DRAGS = 40
"""For how many packages, the slowest first, it is reckoned how much sooner the run would end without them."""
MOST_SIMULATED = 40_000
"""How many actions are simulated for that: of larger runs fewer packages are looked at, but five at least."""
_TELLS_MOST = ("failed", "ran", "cutoff", "hit")


class PackageRow(msgspec.Struct, frozen=True):
    """What one package came to in a run; times in seconds."""

    package: str
    module: str
    outcome: str
    actions: int
    seconds: float
    cpu_seconds: float
    peak_bytes: int
    drag_seconds: float | None
    is_on_longest_chain: bool
    imported_through: tuple[str, ...]


def package_rows(history: History) -> list[PackageRow]:
    """All packages of the run's plans, the slowest first."""
    numbers = history.packages
    seconds = {package: _seconds(history, mine) for package, mine in numbers.items()}
    slowest = sorted(numbers, key=lambda package: (-seconds[package], package))
    looked_at = max(5, min(MOST_DRAGS, MOST_SIMULATED // max(1, len(history.done))))
    dragging = [package for package in slowest[:looked_at] if seconds[package] > 0]
    drags = _drags(history, {package: numbers[package] for package in dragging})
    through = _imported_through(history)
    chain = set(longest_chain(history))
    return [
        _row(history, package, numbers[package], drags.get(package), chain, through.get(package, ()))
        for package in slowest
    ]


def _row(
    history: History,
    package: str,
    numbers: list[int],
    drag: float | None,
    chain: set[int],
    through: tuple[str, ...],
) -> PackageRow:
    steps = [history.last[number] for number in numbers if number in history.last]
    outcomes = {history.outcome(number) for number in numbers}
    return PackageRow(
        package=package,
        module=history.modules[numbers[0]],
        outcome=next((each for each in _TELLS_MOST if each in outcomes), ""),
        actions=len(numbers),
        seconds=_seconds(history, numbers),
        cpu_seconds=sum(step.line.cpu_seconds for step in steps),
        peak_bytes=max((step.line.peak_bytes for step in steps), default=0),
        drag_seconds=drag,
        is_on_longest_chain=not chain.isdisjoint(numbers),
        imported_through=through,
    )


def _seconds(history: History, numbers: list[int]) -> float:
    steps = (history.last.get(number) for number in numbers)
    return sum(step.seconds for step in steps if step is not None and step.line.outcome in ("ran", "failed"))


def _drags(history: History, packages: dict[str, list[int]]) -> dict[str, float]:
    """How much sooner the run would end without each, by simulation on the same slots."""
    if not packages:
        return {}
    graph, works, slots = history.graph, history.works, max(1, history.slots)
    found = {}
    for package, numbers in packages.items():
        without = {**works, **{number: WorkTime(0.0) for number in numbers if number in works}}
        found[package] = max(0.0, history.simulated_seconds - makespan(graph, without, slots))
    return found


def _imported_through(history: History) -> dict[str, tuple[str, ...]]:
    """By package, a shortest chain of packages from a root to it, itself last."""
    found: dict[str, tuple[str, ...]] = {}
    waiting = deque(root for plan in history.record.plans for root in plan.roots)
    for root in waiting:
        found.setdefault(history.package(root), (history.package(root),))
    seen = set(waiting)
    while waiting:
        number = waiting.popleft()
        above = found[history.package(number)]
        # A link reads everything: what its program imports is said by the compile of its package.
        direct = _direct(history, number)
        for each in direct:
            if each not in seen:
                seen.add(each)
                package = history.package(each)
                found.setdefault(package, (*above, package) if above[-1] != package else above)
                waiting.append(each)
    return found


def _direct(history: History, number: int) -> list[int]:
    dependencies = list(history.actions[number].dependencies)
    if history.kind(number) != "link":
        return dependencies
    own = [each for each in dependencies if history.package(each) == history.package(number)]
    return own or dependencies
