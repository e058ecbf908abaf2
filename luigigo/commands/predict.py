"""`luigigo predict`, and what `luigigo build --plan-only` says: how long it would take."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from luigigo.errors import UsageError
from luigigo.nearest import nearest
from luigigo.reports.forecast import Forecast, Machines, forecast, until_it_gains_little
from luigigo.reports.history import History
from luigigo.reports.pairing import plan_of
from luigigo.reports.reading import read_history, store_root
from luigigo.reports.simulation import Graph, chain_of
from luigigo.reports.text import seconds_text, table
from luigigo.reports.times import GUESS_FACTOR, Times, times_of
from luigigo.store import Store
from luigigo.units import counted, parse_bytes

if TYPE_CHECKING:
    from luigigo.golang.actions import Plan

LINKS = 8
"""How many of the longest chain's actions are shown, the slowest."""


class PredictOptions(msgspec.Struct, frozen=True):
    """What `luigigo predict` was asked."""

    nodes: str = "1,2,4,8,16"
    slots: int = 0
    memory: str = ""
    speed: tuple[str, ...] = ()


def predict(run: str, options: PredictOptions) -> None:
    """Print how long a run's actions would take on other nodes. Raises `UsageError`."""
    history = read_history(run)
    times = _times(history)
    if not times.tasks:
        raise UsageError(f"nothing ran in run {history.run}: there is nothing to predict")
    for text in options.speed:
        times = times.scaled(*_speed(text, history))
    machines = [
        Machines(count, _slots(history, options), _memory(options)) for count in _counts(options.nodes)
    ]
    outside = history.client_seconds
    print(f"run {history.run}: {len(times.tasks)} actions, {sources_text(times)}")
    print("\n".join(forecast_lines(times, machines, outside)))
    print(chain_line(times))


def forecast_lines(times: Times, machines: Sequence[Machines], outside_seconds: float) -> list[str]:
    """A table of forecasts, with a range where times are only estimated."""
    found = [forecast(times.tasks, each) for each in machines]
    is_sure = times.guessed(2.0) is times
    rows = [("nodes", "slots", "takes", *([] if is_sure else ["range"]), "busy", "limited by")]
    for each in found:
        span = () if is_sure else (_range(times, each, outside_seconds),)
        takes = seconds_text(outside_seconds + each.seconds)
        slots = str(each.machines.all_slots)
        rows.append((str(each.machines.count), slots, takes, *span, f"{each.utilisation:.0%}", each.limit))
    lines = [table("", rows).removeprefix("\n")]
    enough = until_it_gains_little(found)
    if enough is not None and len(found) > 1:
        lines.append(f"from {counted(enough, 'node')} on, another one gains less than 5 %")
    return lines


def _range(times: Times, found: Forecast, outside_seconds: float) -> str:
    ends = (
        forecast(times.guessed(factor).tasks, found.machines) for factor in (1 / GUESS_FACTOR, GUESS_FACTOR)
    )
    low, high = (outside_seconds + each.seconds for each in ends)
    return f"{seconds_text(low)} to {seconds_text(high)}"


def sources_text(times: Times) -> str:
    """How many times come from where."""
    return ", ".join(f"{count} {source}" for source, count in times.sources.items())


def _times(history: History) -> Times:
    """Measured in the run; of what did not run, as the store or the source tells."""
    if len(history.done) + len(history.hits) >= len(history.actions):
        return times_of(history)
    root = store_root(None)
    plan: Plan | None = plan_of(root, history)
    if plan is None:
        return times_of(history)
    done = {history.actions[number].id for number in (*history.done, *history.hits)}
    wanted = (action.key for name, action in plan.actions.items() if name not in done)
    records = Store.open_at(root).read_records(wanted)
    return times_of(history, plan, records)


def _counts(text: str) -> list[int]:
    try:
        counts = sorted({int(each) for each in text.split(",")})
    except ValueError:
        counts = []
    if not counts or counts[0] < 1 or counts[-1] > 4096:
        raise UsageError(f"--nodes {text}: wanted numbers of nodes, such as 1,2,4,8")
    return counts


def _slots(history: History, options: PredictOptions) -> int:
    if options.slots:
        return options.slots
    return max((node.slots for node in history.nodes.values()), default=1)


def _memory(options: PredictOptions) -> int:
    size = parse_bytes(options.memory or 0)
    if size is None:
        raise UsageError(f"--memory {options.memory}: wanted a size such as 500M or 16G")
    return size


def _speed(text: str, history: History) -> tuple[str, float]:
    package, _, factor = text.rpartition("=")
    try:
        value = float(factor)
    except ValueError:
        value = -1.0
    if not package or not 0 <= value < 1e6:
        raise UsageError(f"--speed {text}: wanted PACKAGE=FACTOR, such as net/http=0.5 for half its time")
    if package not in history.packages:
        close = ", ".join(nearest(package, history.packages))
        raise UsageError(f"--speed {text}: the run has no package {package}; the nearest are {close}")
    return package, value


def chain_line(times: Times) -> str:
    """The chain of actions that holds a forecast back on however many nodes, its longest links by name."""
    graph = Graph({number: task.dependencies for number, task in times.tasks.items()})
    chain = chain_of(graph, {number: task.work for number, task in times.tasks.items()})
    took = {number: times.tasks[number].work.slot_seconds for number in chain}
    shown = set(sorted(chain, key=lambda number: -took[number])[:LINKS])
    names = [f"{times.tasks[n].name.partition(' ')[2]} {seconds_text(took[n])}" for n in chain if n in shown]
    return (
        f"the longest chain, {seconds_text(sum(took.values()))} in {len(chain)} actions: {' → '.join(names)}"
    )
