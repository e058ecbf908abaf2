"""The current folder, which somebody may have removed, and paths that start from it."""

from __future__ import annotations

import os

from luigigo.errors import PlanError, UsageError


def current_folder() -> str:
    """The current folder's absolute path. Raises `PlanError` with the go command's words (base.Cwd)."""
    try:
        return os.getcwd()
    except OSError as error:
        reason = (error.strerror or "").lower()
        raise PlanError(f"cannot determine current directory: getwd: {reason}") from error


def change_folder(folder: str) -> None:
    """Make another folder the current one. Raises `UsageError` with the go command's words (main.go, -C)."""
    try:
        os.chdir(folder)
    except OSError as error:
        raise UsageError(f"go: chdir {folder}: {(error.strerror or '').lower()}") from error
    # Programs that are run here take it for the current folder's name.
    os.environ["PWD"] = os.getcwd()


def absolute(path: str) -> str:
    """A path by its absolute name. Raises `PlanError` for a relative one where the current folder is gone."""
    return os.path.normpath(path if os.path.isabs(path) else os.path.join(current_folder(), path))


def folder_or_none() -> str:
    """The current folder; "" where it is gone, from which nothing has a shorter name."""
    try:
        return os.getcwd()
    except OSError:
        return ""


def short_path(path: str, here: str | None = None) -> str:
    """The path from the folder `here`, by default the current one, where that is shorter (base.ShortPath)."""
    folder = folder_or_none() if here is None else here
    if not folder:
        return path
    relative = os.path.relpath(path, folder)
    return relative if len(relative) < len(path) and _is_same(relative, path, folder) else path


def _is_same(relative: str, path: str, folder: str) -> bool:
    """Whether both names lead to one file, or to none: a link on the way may lead elsewhere."""
    try:
        return os.path.samefile(os.path.join(folder, relative), path)
    except OSError:
        return not os.path.exists(path)
