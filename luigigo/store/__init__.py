"""The store: what was built, by key and by digest, in one folder that may be shared."""

from luigigo.store.leases import Lease
from luigigo.store.stathashes import StatHashes
from luigigo.store.store import Store

__all__ = ["Lease", "StatHashes", "Store"]
