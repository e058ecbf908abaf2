"""Fixtures that several folders of tests share."""

from support import compiled_cache, empty_lab, lab

__all__ = ["compiled_cache", "empty_lab", "lab"]
