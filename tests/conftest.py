"""Fixtures that several folders of tests share."""

from support import lab, compiled_cache, empty_lab

__all__ = ["lab", "compiled_cache", "empty_lab"]
