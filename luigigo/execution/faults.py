"""What ends an action that is no fault of the program's."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

from luigigo.errors import ActionError, ExitCode, LuigigoError, StoreError
from luigigo.golang.actions import Action


@contextmanager
def disk_errors(action: Action, work_dir: str) -> Iterator[None]:
    """A disk under the work folder that is full or fails is no fault of the program's: `StoreError`."""
    try:
        yield
    except OSError as error:
        place = error.filename or work_dir
        raise StoreError(f"luigigo: {action.label}: {place}: {error.strerror}") from error
    except ActionError as error:
        if os.strerror(errno.ENOSPC).lower() not in str(error).lower():
            raise
        advice = f"luigigo: the disk of {work_dir} is full: make room, or set [luigigo] cache= in luigi.cfg"
        raise StoreError(f"{error}{advice}") from error


def interrupted() -> LuigigoError:
    """What ends an action whose runner was told to stop."""
    error = LuigigoError("interrupted")
    error.exit_code = ExitCode.INTERRUPTED
    return error
