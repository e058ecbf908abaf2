"""Print the path of a Go 1.26 on PATH; exit 1 when there is none."""

import shutil
import subprocess

go = shutil.which("go")
if go is None:
    raise SystemExit(1)
version = subprocess.run([go, "env", "GOVERSION"], capture_output=True, text=True, cwd="/").stdout
if not version.startswith("go1.26"):
    raise SystemExit(1)
print(go)
