"""A run as OpenTelemetry spans, sent to a collector. Needs the `otlp` extra; nothing else imports it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from luigigo.encoding import legible
from luigigo.errors import UsageError
from luigigo.reports.history import History, Step

MOST_AT_ONCE = 500
"""How many spans one request has: collectors refuse large ones."""
TIMEOUT_SECONDS = 10


def send(history: History, url: str, variables: Mapping[str, str] = os.environ) -> int:
    """Send a span for the run, one for each phase and attempt; return how many.

    The run's span lies below `TRACEPARENT`, where that is set (W3C Trace Context). Raises `UsageError` where
    the packages are missing, or nobody takes the spans.
    """
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace.export import SpanExportResult
    except ImportError as error:
        raise UsageError("--otlp needs OpenTelemetry: pip install 'luigigo[otlp]'") from error
    spans = _spans(history, variables)
    exporter = OTLPSpanExporter(endpoint=url, timeout=TIMEOUT_SECONDS)
    try:
        for at in range(0, len(spans), MOST_AT_ONCE):
            if exporter.export(spans[at : at + MOST_AT_ONCE]) is not SpanExportResult.SUCCESS:
                raise UsageError(f"--otlp {url}: the spans were not taken")
    except (OSError, ValueError) as error:
        raise UsageError(f"--otlp {url}: {error}") from error
    finally:
        exporter.shutdown()  # type: ignore[no-untyped-call]
    return len(spans)


def _spans(history: History, variables: Mapping[str, str]) -> Sequence[Any]:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
    from opentelemetry.trace import set_span_in_context
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    kept = InMemorySpanExporter()
    provider = TracerProvider(resource=Resource.create({"service.name": "luigigo"}))
    provider.add_span_processor(SimpleSpanProcessor(kept))
    tracer = provider.get_tracer("luigigo")
    above = TraceContextTextMapPropagator().extract({"traceparent": variables.get("TRACEPARENT", "")})
    began = history.record.head.started if history.record.head is not None else 0.0

    def nanoseconds(moment: float) -> int:
        return round(1e9 * (began + moment))

    root = tracer.start_span(
        "luigigo build",
        above,
        start_time=nanoseconds(0.0),
        attributes={
            "luigigo.run": history.run,
            "luigigo.outcome": history.record.outcome,
            "luigigo.slots": history.slots,
        },
    )
    below = set_span_in_context(root)
    for phase in history.record.phases:
        span = tracer.start_span(phase.name, below, start_time=nanoseconds(phase.start))
        span.end(nanoseconds(phase.end))
    for step in history.steps:
        start = step.slot_start if step.slot_start is not None else step.moments.given
        if start is not None and step.moments.ended is not None:
            span = tracer.start_span(
                legible(history.actions[step.number].id),
                below,
                start_time=nanoseconds(start),
                attributes=_attributes(history, step),
            )
            _set_status(span, step)
            span.end(nanoseconds(step.moments.ended))
    root.end(nanoseconds(history.seconds))
    return kept.get_finished_spans()


def _attributes(history: History, step: Step) -> dict[str, str | int | float]:
    return {
        "luigigo.outcome": step.line.outcome,
        "luigigo.package": legible(history.package(step.number)),
        "luigigo.module": legible(history.modules[step.number]),
        "luigigo.slot": step.line.slot,
        "host.name": step.node,
        "luigigo.cpu_seconds": step.line.cpu_seconds,
        "luigigo.peak_bytes": step.line.peak_bytes,
        "luigigo.queued_seconds": step.slot_wait_seconds,
        "luigigo.staging_seconds": step.staging_seconds,
    }


def _set_status(span: Any, step: Step) -> None:
    from opentelemetry.trace import Status, StatusCode

    if step.line.outcome == "failed":
        span.set_status(Status(StatusCode.ERROR, legible(step.line.message)[:1000]))
