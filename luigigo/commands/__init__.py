"""The `luigigo` command: parse, call, print."""
