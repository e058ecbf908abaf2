"""What no schedule can go below, from how long each task of a graph takes. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

MOST_EDGES = 160
"""Of how many windows' edges are tried; each window gives a bound that holds by itself."""


class Graph:
    """Tasks with their seconds, and what each waits for; dependencies come before their dependents.

    `seconds` is the time on a node; for `lags` dependents wait longer, and the node does not.
    """

    def __init__(
        self,
        seconds: Mapping[str, float],
        needs: Mapping[str, Iterable[str]],
        lags: Mapping[str, float],
    ) -> None:
        self.seconds = dict(seconds)
        self._lags = {task: lags.get(task, 0.0) for task in seconds}
        self.earliest: dict[str, float] = {}
        """When each can start at best, with any number of nodes."""
        self._needs = {task: tuple(needs.get(task, ())) for task in seconds}
        for task in self.seconds:
            ends = (self.earliest[need] + self.seconds[need] + self._lags[need] for need in self._needs[task])
            self.earliest[task] = max(ends, default=0.0)
        self.chain_seconds = max(
            self.earliest[task] + took + self._lags[task] for task, took in self.seconds.items()
        )
        """T∞: the longest chain."""
        self.work_seconds = sum(self.seconds.values())
        """T1: all of it."""

    def simple_bound_seconds(self, nodes: int) -> float:
        """max(T∞, T1/N)."""
        return max(self.chain_seconds, self.work_seconds / nodes)

    def least_seconds(self, nodes: int) -> float:
        """A makespan that no schedule on so many nodes can go below (Fernández and Bussell, 1973).

        In a window of time, tasks that can neither all be done before it nor put off until after it need its
        nodes; what they need beyond what is there makes every schedule longer than T∞ by at least as much.
        """
        latest = self._latest()
        edges = sorted({*self.earliest.values(), *latest.values()})
        edges = [*edges[:: max(1, len(edges) // MOST_EDGES)], self.chain_seconds]
        tasks = [(self.earliest[task], latest[task], took) for task, took in self.seconds.items() if took]
        excess = 0.0
        for at, begin in enumerate(edges):
            for end in edges[at + 1 :]:
                room = nodes * (end - begin)
                needed = 0.0
                for early, late, took in tasks:
                    inside = min(took, end - begin, early + took - begin, end - late)
                    if inside > 0:
                        needed += inside
                excess = max(excess, (needed - room) / nodes)
        return max(self.chain_seconds + excess, self.work_seconds / nodes)

    def _latest(self) -> dict[str, float]:
        """When each must start at the latest for all to be over after T∞."""
        ends = dict.fromkeys(self.seconds, self.chain_seconds)
        latest = {}
        for task in reversed(self.seconds):
            latest[task] = ends[task] - self._lags[task] - self.seconds[task]
            for need in self._needs[task]:
                ends[need] = min(ends[need], latest[task])
        return latest


def build_graph(actions: Iterable[Mapping[str, object]], imports: Mapping[str, Iterable[str]]) -> Graph:
    """The graph of a build from its action events and, for each package in order, what it imports.

    A link waits for all packages: of several programs, for more than it needs.
    """
    took: dict[tuple[str, str], float] = {}
    lags: dict[str, float] = {}
    for each in actions:
        kind, package = str(each["kind"]), str(each["package"])
        lags[f"{kind} {package}"] = published = float(str(each["published_seconds"]))
        took[kind, package] = float(str(each["seconds"])) - published
    seconds: dict[str, float] = {}
    needs: dict[str, list[str]] = {}
    for package, imported in imports.items():
        compiled = f"compile {package}"
        if ("cgo", package) in took:
            seconds[f"cgo {package}"] = took["cgo", package]
            needs[compiled] = [f"cgo {package}"]
        seconds[compiled] = took.get(("compile", package), 0.0)
        needs.setdefault(compiled, []).extend(
            f"compile {each}" for each in imported if f"compile {each}" in seconds
        )
    compiles = [task for task in seconds if task.startswith("compile ")]
    for (kind, package), linked in took.items():
        if kind == "link":
            seconds[f"link {package}"], needs[f"link {package}"] = linked, compiles
    return Graph(seconds, needs, lags)
