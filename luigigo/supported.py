"""Where luigigo runs. Imports nothing, so that it can say so where nothing else can be imported."""

from __future__ import annotations


def why_unsupported(platform: str) -> str:
    """One line for a user on a system that luigigo does not run on, by `sys.platform`; "" on Linux."""
    if platform == "linux":
        return ""
    return f"luigigo: runs on Linux only, and this is {platform}: use it on Linux, or go build here"
