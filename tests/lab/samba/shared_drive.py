# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One drive with two sides: what a real SMB server writes, a simulated machine has on its drive C:, and the reverse."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from lab.backend import CimValue, Process
from lab.windows.host import SimulatedHost


class SharedDrive:
    """Keeps a folder of a simulated machine and a real folder the same, whenever the machine is asked something."""

    def __init__(self, host: SimulatedHost, drive: Path, folder: str) -> None:
        """Takes part in what the machine is asked from now on.

        Args:
            host: The machine.
            drive: The real folder that stands for drive C:.
            folder: The part of drive C: that both have; it need not exist.
        """
        self._host = host
        self._drive = drive
        self._folder = folder
        self._real(folder).parent.mkdir(parents=True, exist_ok=True)
        self._seen_files: dict[str, str] = {}
        self._seen_folders: set[str] = set()
        self._asked = (host.start_process, host.wmi_instances)
        host.start_process = self._start_process  # type: ignore[method-assign]
        host.wmi_instances = self._wmi_instances  # type: ignore[method-assign]
        self.settle()

    def _start_process(
        self, command_line: str, working_directory: str | None, environment: Mapping[str, str]
    ) -> Process:
        self.settle()
        process = self._asked[0](command_line, working_directory, environment)
        self.settle()
        return process

    def _wmi_instances(self, namespace: str, class_name: str) -> Sequence[Mapping[str, CimValue]] | None:
        self.settle()
        return self._asked[1](namespace, class_name)

    def settle(self) -> None:
        """Brings each side what the other has got or lost since the last time."""
        with self._host.surroundings.scheduler.lock:
            model, real = self._model_folders(), self._real_folders()
            kept = (model & real) | (model - self._seen_folders) | (real - self._seen_folders)
            for path in sorted(kept):
                self._host.files.make_folder(path)
                self._real(path).mkdir(exist_ok=True)
            self._settle_files()
            for path in sorted((model | real) - kept, reverse=True):
                self._host.files.remove_folder(path)
                if path in real:
                    self._real(path).rmdir()
            self._seen_folders = kept

    def _settle_files(self) -> None:
        files = self._host.files
        model = {file.path: file.sha256 for file in files.inside(self._folder)}
        real = {self._modelled(path): _digest(path) for path in self._inside() if path.is_file()}
        for path in {*model, *real}:
            ours, theirs, before = model.get(path), real.get(path), self._seen_files.get(path)
            if ours == theirs:
                continue
            file = files.get(path)
            if theirs == before and file is None:
                self._real(path).unlink()
            elif theirs == before and file is not None:
                self._real(path).write_bytes(file.content or b"")
            elif theirs is None:
                files.delete(path)
            else:
                files.write(path, self._real(path).read_bytes(), self._host.now())
        self._seen_files = {file.path: file.sha256 for file in files.inside(self._folder)}

    def _model_folders(self) -> set[str]:
        below = f"{self._folder}\\".lower()
        return {path for path in self._host.files.folders if f"{path}\\".lower().startswith(below)}

    def _real_folders(self) -> set[str]:
        root = self._real(self._folder)
        return {self._modelled(path) for path in (root, *self._inside()) if path.is_dir()}

    def _inside(self) -> list[Path]:
        return list(self._real(self._folder).rglob("*"))

    def _real(self, path: str) -> Path:
        return self._drive.joinpath(*path.split("\\")[1:])

    def _modelled(self, path: Path) -> str:
        return "\\".join(("C:", *path.relative_to(self._drive).parts))


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
