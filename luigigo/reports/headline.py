"""A run in a few numbers, and what limited it. Pure."""

from __future__ import annotations

import msgspec

from luigigo.reports import occupancy
from luigigo.reports.bounds import least_seconds
from luigigo.reports.history import History
from luigigo.reports.paths import chain_seconds, longest_chain

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
    counts = history.counts
    chain_length = chain_seconds(history, longest_chain(history))
    # What it takes of slots: on nodes, publishing takes none.
    work = sum(step.slot_seconds for step in history.done.values())
    slots = max(1, history.slots)
    client = history.client_seconds
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
        least_seconds=client + least_seconds(history.graph, history.works, slots),
        ran=counts.ran,
        cutoff=counts.cutoff,
        hit=counts.hit,
        failed=counts.failed,
        requeued=counts.requeued,
        saved_seconds=history.saved_seconds,
        limit=_limit(history, chain_length, work / slots),
    )


def _limit(history: History, chain: float, share: float) -> str:
    if not history.done:
        return "nothing ran"
    used = occupancy.totals(history)
    idle = {
        cause: seconds
        for cause, seconds in used.items()
        if cause not in (occupancy.RUNNING, occupancy.ABSENT)
    }
    all_seconds = history.slots * history.seconds
    busy = used.get(occupancy.RUNNING, 0.0)
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
