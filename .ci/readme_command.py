"""Print the README's command that ends with the words given."""

import sys
from pathlib import Path

readme = (Path(__file__).resolve().parents[1] / "README.md").read_text()
commands = [line[2:] for line in readme.splitlines() if line.startswith("$ ") and line.endswith(sys.argv[1])]
if len(commands) != 1:
    raise SystemExit(f"README.md has {len(commands)} commands that end with {sys.argv[1]!r}")
print(commands[0])
