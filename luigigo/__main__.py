"""The `luigigo` command."""

from __future__ import annotations


def main() -> None:
    """Run the command line; ends the process."""
    from luigigo.cli import run

    run()


if __name__ == "__main__":
    main()
