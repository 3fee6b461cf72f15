# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The verbose log of an installation, in UTF-16 as Windows writes it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime


class Log:
    """Collects lines and writes them as a file."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        """Takes the machine's clock."""
        self._now = now
        self._lines: list[str] = []
        self._head(
            f"=== Verbose logging started: {now():%m/%d/%Y  %H:%M:%S}  Build type: SHIP UNICODE 5.00.10011.00 ==="
        )

    def action(self, name: str, value: int) -> None:
        """Records the end of an action; 1 is success and 3 a fatal error ("Logging of Action Return Values")."""
        self._head(f"Action ended {self._now():%H:%M:%S}: {name}. Return value {value}.")

    def note(self, text: str) -> None:
        """Records a line of the installer service."""
        self._head(f"MSI (s) (A4:1C) [{self._now():%H:%M:%S}:000]: {text}")

    def error(self, text: str) -> None:
        """Records an error message as the user would see it."""
        self._head(text)

    def content(self, exit_code: int) -> bytes:
        """Returns the whole file."""
        lines = [
            *self._lines,
            f"MSI (s) (A4:1C) [{self._now():%H:%M:%S}:000]: MainEngineThread is returning {exit_code}",
            f"=== Verbose logging stopped: {self._now():%m/%d/%Y  %H:%M:%S} ===",
        ]
        return b"\xff\xfe" + ("\r\n".join(lines) + "\r\n").encode("utf-16-le")

    def _head(self, line: str) -> None:
        self._lines.append(line)
