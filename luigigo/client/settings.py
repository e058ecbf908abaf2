"""What the user set for Luigi, in a configuration file or on the command line."""

from __future__ import annotations

import luigi.configuration
from luigi.cmdline_parser import CmdlineParser


def user_set(section: str, option: str, *aliases: str) -> bool:
    """Whether the user chose a value for `[section] option`.

    `aliases` are older names of the option, which Luigi still reads in `[core]`. An option that `supply`
    gave a value to counts as chosen.
    """
    parser = CmdlineParser.get_instance()
    if parser is not None and getattr(parser.known_args, f"{section}_{option}", None):
        return True
    config = luigi.configuration.get_config()
    return config.has_option(section, option) or any(config.has_option("core", name) for name in aliases)


def supply(section: str, option: str, value: str) -> None:
    """Give an option of Luigi's configuration a value, unless it has one."""
    config = luigi.configuration.get_config()
    if not config.has_option(section, option):
        config.set(section, option, value)
