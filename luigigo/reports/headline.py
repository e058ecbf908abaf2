"""A run in a few numbers, and what limited it. Pure."""

from __future__ import annotations

from collections import Counter

import msgspec

from luigigo.reports import occupancy
from luigigo.reports.bounds import least_seconds
from luigigo.reports.history import History
from luigigo.reports.paths import chain_seconds, longest_chain
from luigigo.reports.simulation import Graph, WorkTime

MOSTLY = 0.7
"""Of the slots' time: where so much of it was busy, more slots are what would have helped most."""


class Headline(msgspec.Struct, frozen=True):
    """The numbers that stand above all others; times in seconds."""

    run: str
    outcome: str
    makespan_seconds: float
    """From the beginning of the command to its end."""
    client_seconds: float
    """What of that was the client's own: all but the time in which actions ran."""
    work_seconds: float
    """T1: what all actions that ran took together."""
    chain_seconds: float
    """T∞: the longest chain of them."""
    slots: int
    nodes: int
    bound_seconds: float
    """The client's own time and max(T∞, T1/slots)."""
    least_seconds: float
    """The client's own time and what no schedule can go below on these slots, the graph considered."""
    ran: int
    cutoff: int
    hit: int
    failed: int
    requeued: int
    saved_seconds: float
    """What the actions had taken once whose outputs served."""
    limit: str
    """One sentence on what limited the run."""

    @property
    def ratio(self) -> float:
        """How many times as long as the least possible it took."""
        return self.makespan_seconds / self.least_seconds if self.least_seconds else 1.0


def headline(history: History) -> Headline:
    """The numbers of a run, also of one that failed or goes on."""
    counts = Counter(step.line.outcome for step in history.last.values())
    chain = longest_chain(history)
    chain_length = chain_seconds(history, chain)
    # What it takes of slots: on nodes, publishing takes none.
    work = sum(step.slot_seconds for step in history.done.values())
    slots = max(1, history.slots)
    phases = history.phase_seconds()
    client = sum(seconds for name, seconds in phases.items() if name != "run")
    least = least_seconds(graph_of(history), works_of(history), slots)
    saved = sum(hit.seconds for hit, _ in history.hits.values())
    saved += sum(step.line.saved_seconds for step in history.done.values())
    return Headline(
        run=history.run,
        outcome=history.record.outcome,
        makespan_seconds=history.seconds,
        client_seconds=client,
        work_seconds=work,
        chain_seconds=chain_length,
        slots=history.slots,
        nodes=len(history.nodes),
        bound_seconds=client + max(chain_length, work / slots),
        least_seconds=client + least,
        ran=counts["ran"],
        cutoff=counts["cutoff"],
        hit=counts["hit"] + len(history.hits.keys() - history.last.keys()),
        failed=counts["failed"],
        requeued=sum(step.line.outcome == "requeued" for step in history.steps),
        saved_seconds=saved,
        limit=_limit(history, chain_length, work / slots),
    )


def graph_of(history: History) -> Graph:
    """What was done in the run, with what waits for what."""
    done = history.done
    return Graph({number: history.actions[number].dependencies for number in done})


def works_of(history: History) -> dict[int, WorkTime]:
    """What each action took that was done in the run."""
    return {
        number: WorkTime(step.slot_seconds, after_seconds=max(0.0, step.seconds - step.slot_seconds))
        for number, step in history.done.items()
    }


def _limit(history: History, chain: float, share: float) -> str:
    if not history.done:
        return "nothing ran"
    idle = {
        cause: seconds
        for cause, seconds in occupancy.totals(history).items()
        if cause not in (occupancy.RUNNING, occupancy.ABSENT)
    }
    all_seconds = history.slots * history.seconds
    busy = occupancy.totals(history).get(occupancy.RUNNING, 0.0)
    if busy >= MOSTLY * all_seconds:
        return f"the slots: they were busy for {busy / all_seconds:.0%} of the time"
    cause, seconds = max(idle.items(), key=lambda item: item[1])
    part = seconds / all_seconds
    if cause == occupancy.NOTHING_READY:
        kind = "the longest chain of actions" if chain > share else "chains of actions"
        return f"{kind}: for {part:.0%} of the slots' time no action was ready"
    words = {
        occupancy.STAGING: "the share, from which nodes fetched what actions read",
        occupancy.PUBLISHING: "the share, on which actions' outputs were published",
        occupancy.MEMORY: "memory",
        occupancy.LUIGID: "the scheduler, which gave out ready actions late",
    }
    word = words.get(cause, f"the client (phase {cause})")
    return f"{word}: slots were idle for that {part:.0%} of their time"
