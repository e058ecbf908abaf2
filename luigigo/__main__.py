"""The `luigigo` command."""

from __future__ import annotations

import os
import sys
import time


def main() -> None:
    """Run the command line; ends the process."""
    from luigigo.supported import why_unsupported

    refusal = why_unsupported(sys.platform)
    if refusal:
        print(refusal, file=sys.stderr, flush=True)
        raise SystemExit(2)
    try:
        from luigigo.encoding import let_bytes_through

        let_bytes_through(sys.stdout, sys.stderr)
        if sys.argv[1:2] == ["build"] and _repeats_a_build_that_is_current():
            return
        from luigigo.commands.main import run

        run()
    except KeyboardInterrupt:
        print("luigigo: interrupted", file=sys.stderr, flush=True)
        raise SystemExit(130) from None


def _repeats_a_build_that_is_current() -> bool:
    """Whether this very command has left a build in which nothing changed; if so, says it.

    The common case of a build that has nothing to do, at the cost of a few imports.
    """
    from luigigo.builds import uptodate
    from luigigo.config import read_config
    from luigigo.errors import LuigigoError

    if uptodate.WATCHED_VARIABLE in os.environ:
        # Whoever watches wants to know what it rests on.
        return False
    try:
        config = read_config(os.environ)
        place = uptodate.place_of_command(sys.argv[1:], os.getcwd(), config, os.environ)
    except (LuigigoError, OSError):
        # The long way reports it.
        return False
    current = uptodate.current_build(place)
    if current is None:
        return False
    uptodate.note_use(place, current, config.store_root, time.time())
    print(current.text, file=sys.stderr, flush=True)
    return True


if __name__ == "__main__":
    main()
