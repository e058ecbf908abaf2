"""What luigid tells Prometheus: counted as it happens, and read from its state when it is asked.

Labels are kinds of tasks, outcomes, causes, states and nodes that are here, and nothing that grows with
builds: no package, run or client. A node that has left leaves no series.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import tornado.web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from luigigo.luigid.dispatcher import Dispatcher
from luigigo.luigid.status import nodes_of

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def metrics_of(dispatcher: Dispatcher) -> bytes:
    """All metrics, as Prometheus reads them."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Reading(dispatcher))
    return generate_latest(registry)


class MetricsHandler(tornado.web.RequestHandler):
    """What Prometheus asks for."""

    def initialize(self, dispatcher: Dispatcher) -> None:
        """Know the dispatcher."""
        self._dispatcher = dispatcher

    def get(self) -> None:
        """Answer with luigid's state and counts."""
        self.set_header("Content-Type", CONTENT_TYPE)
        self.finish(metrics_of(self._dispatcher))


class _Reading(Collector):
    """One look at luigid."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher
        self._nodes = nodes_of(dispatcher)

    def collect(self) -> Iterator[Metric]:
        """Every metric with its series."""
        yield from self._tasks()
        yield from self._nodes_now()
        yield from self._counted()

    def _tasks(self) -> Iterator[Metric]:
        words = "Tasks that luigid knows, by Luigi's status."
        tasks = GaugeMetricFamily("luigigo_tasks", words, labels=["state"])
        for status, count in sorted(self._dispatcher.tasks.counts().items()):
            tasks.add_metric([status.lower()], count)
        yield tasks
        ready = GaugeMetricFamily("luigigo_ready_tasks", "Tasks that wait for a node.")
        ready.add_metric([], len(self._dispatcher.tasks.queue))
        yield ready
        clients = sum(not peer.is_node for peer in self._dispatcher.peers.values())
        connected = GaugeMetricFamily("luigigo_clients", "Connected clients.")
        connected.add_metric([], clients)
        yield connected

    def _nodes_now(self) -> Iterator[Metric]:
        states = GaugeMetricFamily("luigigo_nodes", "Connected workers, by state.", labels=["state"])
        for state, count in sorted(Counter(node.state for node in self._nodes).items()):
            states.add_metric([state], count)
        yield states
        told = (
            ("luigigo_node_slots", "Slots of a node.", "slots"),
            ("luigigo_node_running_tasks", "Tasks that run in its slots.", "running"),
            ("luigigo_node_publishing_tasks", "Tasks whose results it publishes.", "publishing"),
            ("luigigo_node_waiting_tasks", "Tasks that it was given and has not begun.", "waiting"),
            ("luigigo_node_memory_bytes", "What its tasks may take together; 0 is no limit.", "memory_bytes"),
            ("luigigo_node_granted_bytes", "What was set aside for what it holds.", "granted_bytes"),
            ("luigigo_node_cache_bytes", "What its copies of the store take.", "cache_bytes"),
        )
        for name, words, field in told:
            gauge = GaugeMetricFamily(name, words, labels=["node"])
            sums: Counter[str] = Counter()
            for node in self._nodes:
                sums[node.node] += getattr(node, field)
            for node_name, value in sorted(sums.items()):
                gauge.add_metric([node_name], value)
            yield gauge

    def _counted(self) -> Iterator[Metric]:
        tally = self._dispatcher.tally
        by = ["kind", "outcome"]
        ended = CounterMetricFamily("luigigo_tasks_ended", "Tasks that nodes have ended.", labels=by)
        seconds = CounterMetricFamily("luigigo_task_seconds", "What they took, from slot to end.", labels=by)
        for (kind, outcome), count in sorted(tally.ended.items()):
            ended.add_metric([kind, outcome], count)
            seconds.add_metric([kind, outcome], tally.seconds[kind, outcome])
        yield ended
        yield seconds
        stopped = CounterMetricFamily(
            "luigigo_attempts_stopped", "Attempts that came to no end, by cause.", labels=["cause"]
        )
        for cause, count in sorted(tally.stopped.items()):
            stopped.add_metric([cause], count)
        yield stopped
