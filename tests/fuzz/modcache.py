"""A module cache as the go command leaves it, made by hand.

Sums are those of golang.org/x/mod/sumdb/dirhash.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import zipfile
from collections.abc import Mapping

from .tree import Entry, File

FOLDER = "modcache"
"""Below a world's root; GOMODCACHE names it."""
_OLDEST = (1980, 1, 1, 0, 0, 0)


def sum_of(files: Mapping[str, bytes]) -> str:
    """The h1: sum of files by their full names."""
    lines = "".join(f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files))
    return "h1:" + base64.b64encode(hashlib.sha256(lines.encode()).digest()).decode()


def cached(module: str, version: str, files: Mapping[str, bytes]) -> tuple[dict[str, Entry], list[str]]:
    """The entries of one version in the cache, extracted and not, and its lines for go.sum."""
    named = {f"{module}@{version}/{path}": content for path, content in files.items()}
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in sorted(named):
            archive.writestr(zipfile.ZipInfo(name, _OLDEST), named[name])
    total, of_mod = sum_of(named), sum_of({"go.mod": files["go.mod"]})
    place = f"{FOLDER}/cache/download/{module}/@v"
    contents = {
        f"{place}/{version}.info": json.dumps({"Version": version}).encode(),
        f"{place}/{version}.mod": files["go.mod"],
        f"{place}/{version}.zip": packed.getvalue(),
        f"{place}/{version}.ziphash": total.encode(),
        f"{place}/{version}.lock": b"",
        f"{place}/list": b"v1.0.0\nv1.1.0\n",
        **{f"{FOLDER}/{name}": content for name, content in named.items()},
    }
    entries: dict[str, Entry] = {path: File(content) for path, content in contents.items()}
    return entries, [f"{module} {version} {total}", f"{module} {version}/go.mod {of_mod}"]
