"""The store: what was built, by key and by digest, in one folder that may be shared."""

from luigigo.store.pins import Pin
from luigigo.store.stathashes import StatHashes
from luigigo.store.store import Store

__all__ = ["Pin", "StatHashes", "Store"]
