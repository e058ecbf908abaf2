"""Fixtures that several folders of tests share."""

import signal

from support import compiled_cache, empty_lab, lab

__all__ = ["compiled_cache", "empty_lab", "lab"]

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell without job control starts what it puts into the background with Ctrl-C ignored, and children
    # would inherit that; the tests send it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
