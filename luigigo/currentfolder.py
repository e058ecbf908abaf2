"""The current folder, which somebody may have removed, and paths that start from it."""

from __future__ import annotations

import os

from luigigo.errors import PlanError


def current_folder() -> str:
    """The current folder's absolute path. Raises `PlanError` with the go command's words (base.Cwd)."""
    try:
        return os.getcwd()
    except OSError as error:
        reason = (error.strerror or "").lower()
        raise PlanError(f"cannot determine current directory: getwd: {reason}") from error


def absolute(path: str) -> str:
    """A path by its absolute name. Raises `PlanError` for a relative one where the current folder is gone."""
    return os.path.normpath(path if os.path.isabs(path) else os.path.join(current_folder(), path))
