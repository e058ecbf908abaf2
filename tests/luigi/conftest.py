"""Fixtures of the tests with Luigi's command line."""

from runs import flows, luigid

__all__ = ["flows", "luigid"]
