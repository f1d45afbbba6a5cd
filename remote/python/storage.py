"""In: paths and fsspec addresses. Out: folders brought here, folders sent there, files written whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import uuid
from pathlib import Path
from typing import Any

import fsspec
from fsspec.implementations.local import LocalFileSystem

#: Written last: a folder without it is not finished.
MANIFEST = "manifest.json"


def join(address: str, *names: str) -> str:
    return "/".join([address.rstrip("/"), *names])


def resolve(address: str, folder: Path) -> str:
    """A name in the job's folder as its path; a path or an address as it is."""
    return address if "://" in address or os.path.isabs(address) else str(folder / address)


def local_copy(address: str, folder: Path) -> str:
    """A directory that Python libraries can open: the one named, or what an address holds, fetched once."""
    found = resolve(address, folder)
    if "://" not in found:
        return found
    fs, root = fsspec.url_to_fs(found)
    target = Path(tempfile.gettempdir(), "rewardbook", hashlib.sha256(found.encode()).hexdigest()[:16])
    if not target.exists():
        fetched = target.with_name(f"{target.name}.{uuid.uuid4().hex}")
        fs.get(root.rstrip("/") + "/", str(fetched) + "/", recursive=True)
        try:
            fetched.rename(target)
        except OSError:  # Another worker of this machine was faster.
            pass
    return str(target)


def write_whole(address: str, data: bytes) -> None:
    """Object stores show a file only when it is whole; on a disk it is renamed into its place."""
    fs, path = fsspec.url_to_fs(address)
    fs.makedirs(os.path.dirname(path), exist_ok=True)
    if not isinstance(fs, LocalFileSystem):
        fs.pipe_file(path, data)
        return
    temporary = f"{path}.{uuid.uuid4().hex}.tmp"
    with open(temporary, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


def read_json(address: str) -> Any | None:
    """What a JSON file holds; None where there is no such file, or none that is whole."""
    fs, path = fsspec.url_to_fs(address)
    try:
        return json.loads(fs.cat_file(path))
    except (FileNotFoundError, ValueError):
        return None


def send_folder(folder: Path, address: str) -> list[dict[str, Any]]:
    """Copies the files of a folder, then a manifest of them; an old manifest goes first.

    @returns name, bytes and sha256 of each
    """
    fs, root = fsspec.url_to_fs(address)
    fs.makedirs(root, exist_ok=True)
    if fs.exists(f"{root}/{MANIFEST}"):
        fs.rm(f"{root}/{MANIFEST}")
    files = []
    for file in sorted(path for path in folder.iterdir() if path.is_file()):
        fs.put_file(str(file), f"{root}/{file.name}")
        files.append({"name": file.name, "bytes": file.stat().st_size, "sha256": sha256_of(file)})
    write_whole(join(address, MANIFEST), json.dumps({"files": files}, indent=2).encode())
    return files


def sha256_of(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
