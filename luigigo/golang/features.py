"""What an action of Go needs of a node, as features: a Go toolchain, and a C toolchain."""

from __future__ import annotations


def go_feature(toolchain: str) -> str:
    """The feature of a Go toolchain, by its identity."""
    return f"go:{toolchain}"


def c_feature(c_toolchain: str) -> str:
    """The feature of a C toolchain, by its identity. A node finds out whether it has it when it is asked."""
    return f"?cc:{c_toolchain}"
