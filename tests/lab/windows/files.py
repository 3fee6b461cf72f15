# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The file system of one machine: drive C:, names without regard to case."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

GIB = 1024**3


class DiskFull(Exception):
    """There is not enough space on the disk (Win32 error 112)."""


@dataclass(frozen=True)
class File:
    """One file. `content` is None where only size and hash matter."""

    path: str
    size: int
    sha256: str
    version: str | None
    created: datetime
    modified: datetime
    content: bytes | None = None
    manufacturer: str | None = None


class FileSystem:
    """Files and folders of drive C:. Paths are absolute; `normal` makes them so."""

    def __init__(self, folders: Iterable[str] = (), is_full: Callable[[], bool] = lambda: False) -> None:
        """Makes an empty drive.

        Args:
            folders: Folders that exist.
            is_full: Whether nothing more can be written, however much is free.
        """
        self._is_full = is_full
        self.capacity = 60 * GIB
        self.other_use = 20 * GIB
        """What takes space beside the files that are known here."""
        self._files: dict[str, File] = {}
        self._folders: dict[str, str] = {"c:": "C:"}
        for folder in folders:
            self.make_folder(folder)

    @property
    def free(self) -> int:
        """Free bytes."""
        return 0 if self._is_full() else max(0, self.capacity - self.other_use - sum(item.size for item in self))

    def __iter__(self) -> Iterator[File]:
        return iter(tuple(self._files.values()))

    def get(self, path: str) -> File | None:
        """Returns a file, None when there is none of that path."""
        return self._files.get(normal(path).lower())

    def is_folder(self, path: str) -> bool:
        """Whether a folder of that path exists."""
        return normal(path).lower() in self._folders

    @property
    def folders(self) -> tuple[str, ...]:
        """Every folder, as it was spelled when it was made."""
        return tuple(self._folders.values())

    def make_folder(self, path: str) -> None:
        """Makes a folder and all above it; nothing happens when it exists."""
        parts = normal(path).split("\\")
        for count in range(1, len(parts) + 1):
            name = "\\".join(parts[:count])
            self._folders.setdefault(name.lower(), name)

    def remove_folder(self, path: str) -> bool:
        """Removes an empty folder; False when it is absent or not empty."""
        name = normal(path).lower()
        if name not in self._folders or any(True for _unused in self.inside(path)):
            return False
        if any(other.startswith(name + "\\") for other in self._folders):
            return False
        del self._folders[name]
        return True

    def inside(self, folder: str) -> Iterator[File]:
        """Returns the files anywhere below a folder."""
        prefix = normal(folder).lower() + "\\"
        return iter([item for name, item in self._files.items() if name.startswith(prefix)])

    def write(
        self, path: str, content: bytes, now: datetime, version: str | None = None, *, reserved: bool = False
    ) -> File:
        """Writes a file with content; its folder must exist.

        Args:
            path: Where to.
            content: What.
            now: Time of creation, or of change when the file exists.
            version: File version.
            reserved: Whether there is room for it however full the disk is.

        Raises:
            FileNotFoundError: The folder does not exist.
            DiskFull: There is no room.
        """
        digest = hashlib.sha256(content).hexdigest()
        return self.put(path, len(content), digest, now, version=version, content=content, reserved=reserved)

    def put(
        self,
        path: str,
        size: int,
        sha256: str,
        now: datetime,
        *,
        version: str | None = None,
        content: bytes | None = None,
        manufacturer: str | None = None,
        reserved: bool = False,
    ) -> File:
        """Writes a file of which only size and hash are known; as `write` otherwise."""
        path = normal(path)
        if not self.is_folder(path.rpartition("\\")[0]):
            raise FileNotFoundError(path)
        before = self._files.get(path.lower())
        if not reserved and (self._is_full() or size - (before.size if before else 0) > self.free):
            raise DiskFull(path)
        created = before.created if before else now
        file = File(before.path if before else path, size, sha256, version, created, now, content, manufacturer)
        self._files[path.lower()] = file
        return file

    def delete(self, path: str) -> bool:
        """Deletes a file; False when there is none."""
        return self._files.pop(normal(path).lower(), None) is not None

    def move(self, source: str, target: str) -> None:
        """Renames a file, over an existing one.

        Raises:
            FileNotFoundError: The file or the target's folder does not exist.
        """
        file = self.get(source)
        target = normal(target)
        if file is None or not self.is_folder(target.rpartition("\\")[0]):
            raise FileNotFoundError(source)
        del self._files[file.path.lower()]
        self._files[target.lower()] = replace(file, path=target)

    def checkpoint(self) -> tuple[dict[str, File], dict[str, str]]:
        """Returns a copy of everything, for `restore`."""
        return dict(self._files), dict(self._folders)

    def restore(self, checkpoint: tuple[dict[str, File], dict[str, str]]) -> None:
        """Goes back to what `checkpoint` returned."""
        self._files, self._folders = dict(checkpoint[0]), dict(checkpoint[1])

    def dump(self) -> dict[str, object]:
        """Returns every file and folder in a form for JSON."""
        return {
            "folders": sorted(self._folders.values(), key=str.lower),
            "files": {
                item.path: [item.size, item.sha256, item.version, item.created.isoformat(), item.modified.isoformat()]
                for item in sorted(self._files.values(), key=lambda item: item.path.lower())
            },
        }


def normal(path: str, folder: str = "C:\\Windows\\System32") -> str:
    """Returns an absolute path without a trailing backslash.

    Args:
        path: Absolute, or relative to `folder`; slashes count as backslashes.
        folder: Where a relative path begins.
    """
    path = path.strip().strip('"').replace("/", "\\")
    if path.startswith("\\\\?\\"):
        path = path[4:]
    if path.startswith("\\\\"):
        return path.rstrip("\\")
    if path.startswith("\\"):
        path = "C:" + path
    elif path[1:2] != ":":
        path = f"{folder}\\{path}"
    parts: list[str] = []
    for part in path.split("\\"):
        if part == "..":
            parts = parts[:-1] or parts
        elif part not in ("", "."):
            parts.append(part)
    parts[0] = parts[0].upper()
    return "\\".join(parts)
