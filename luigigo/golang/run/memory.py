"""Predict how much memory an action takes, and choose the collector's pace for its tools. Pure.

The compiler's output does not depend on its garbage collector. Letting garbage lie costs memory and saves
a fifth of the time, so each action gets the laziest setting that its share of the memory allows.
"""

from __future__ import annotations

import msgspec

from luigigo.execution.context import ExecutionContext
from luigigo.execution.timings import Timing
from luigigo.golang.actions import Action, Kind
from luigigo.golang.run.known import KnownActions
from luigigo.model import ActionId

MB = 1 << 20

_COMPILE_PEAKS = ((50, 130), (300, 320), (1_500, 1_100), (4_000, 5_100))
"""KB of Go source and the 95th percentile of peak MB without collection (3,046 packages measured)."""
_GIANT_BYTES_PER_SOURCE_BYTE = 800
"""Above the last row: the largest package measured took 715 times its source."""
_LINK_BYTES_PER_SOURCE_BYTE = 60
_C_BYTES_PER_SOURCE_BYTE = 60

_SHARE_OF_LAZIEST = {"off": 1.0, "400": 0.62, "": 0.5}
"""Peak memory by GOGC, as a share of the peak without collection."""


class MemoryEstimate(msgspec.Struct, frozen=True):
    """What an action is expected to take, and the GOGC with which it is."""

    peak_bytes: int
    gogc: str
    """`off`, a percentage, or "" for the tool's own default."""


def memory_estimate(
    action: Action, earlier: Timing | None, share_bytes: int, linked_bytes: int = 0
) -> MemoryEstimate:
    """Predict an action's peak and choose its GOGC.

    `earlier` is what it took before, `share_bytes` what one slot may take when all are busy, and
    `linked_bytes` the size of the Go source that a link brings together.
    """
    laziest = _laziest(action, earlier, linked_bytes)
    if action.kind is Kind.CGO:
        return MemoryEstimate(laziest, "off")
    if laziest * 2 <= share_bytes:
        return MemoryEstimate(laziest, "off")
    if laziest * _SHARE_OF_LAZIEST["400"] <= 2 * share_bytes:
        return MemoryEstimate(int(laziest * _SHARE_OF_LAZIEST["400"]), "400")
    return MemoryEstimate(int(laziest * _SHARE_OF_LAZIEST[""]), "")


def memory_estimate_within(
    action: Action, earlier: Timing | None, reserved_bytes: int, linked_bytes: int = 0
) -> MemoryEstimate:
    """The laziest GOGC with which an action is expected to stay within what was set aside for it."""
    laziest = _laziest(action, earlier, linked_bytes)
    wanted = [MemoryEstimate(int(laziest * share), gogc) for gogc, share in _SHARE_OF_LAZIEST.items()]
    if action.kind is Kind.CGO:
        return wanted[0]
    return next((each for each in wanted if each.peak_bytes <= reserved_bytes), wanted[-1])


def _laziest(action: Action, earlier: Timing | None, linked_bytes: int) -> int:
    if earlier is None:
        return _guess(action, linked_bytes)
    return int(earlier.peak_bytes / _SHARE_OF_LAZIEST[earlier.gogc])


def _guess(action: Action, linked_bytes: int) -> int:
    """The peak without collection of an action that was never seen, from the size of its source."""
    size = action.sources.go_bytes
    if action.kind is Kind.LINK:
        return 200 * MB + linked_bytes * _LINK_BYTES_PER_SOURCE_BYTE
    if action.kind is Kind.CGO:
        return 100 * MB + size * _C_BYTES_PER_SOURCE_BYTE
    if action.kind is Kind.PREPROFILE:
        return 100 * MB
    for kilobytes, megabytes in _COMPILE_PEAKS:
        if size < kilobytes * 1024:
            return megabytes * MB
    return max(_COMPILE_PEAKS[-1][1] * MB, size * _GIANT_BYTES_PER_SOURCE_BYTE)


class MemoryEstimates:
    """What the actions of one plan are expected to take on this node."""

    def __init__(self, known: KnownActions, context: ExecutionContext) -> None:
        self._known = known
        self._context = context
        self._reserved_bytes: dict[ActionId, int] = {}

    def estimate(self, action: Action) -> MemoryEstimate:
        """How much memory the action is expected to take, and how its tools collect garbage."""
        context = self._context
        linked = 0
        if action.kind is Kind.LINK:
            linked = sum(self._known.plan.actions[each].sources.go_bytes for _, each in action.imports)
        earlier = context.timings.earlier(action.id)
        reserved_bytes = self._reserved_bytes.get(action.id)
        if reserved_bytes:
            return memory_estimate_within(action, earlier, reserved_bytes, linked)
        share_bytes = context.budget_bytes // max(1, context.cpus)
        return memory_estimate(action, earlier, share_bytes, linked)

    def reserve(self, action_id: ActionId, peak_bytes: int) -> None:
        """Run the action with what was set aside for it elsewhere; 0 leaves it to this node."""
        self._reserved_bytes[action_id] = peak_bytes
