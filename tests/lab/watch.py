# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Notices every change of a running forest, at the moment that it is made and before whoever made it is answered."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType

from lab.forest import Forest

_RANDOM = re.compile(r"~?[0-9a-f]{16,}")
_NUMBER = re.compile(r"\d+")


class ChangeWatch:
    """Compares the whole estate after each message that a host has handled and after each thing that time brought.

    A change is named by what has changed, without values, counters and random names: the same step of two runs has the
    same name. A program that goes on running when its message has been handled counts as well. Use it as a context
    manager; while the callback runs, the client of the message waits for its answer.
    """

    def __init__(self, forest: Forest, noticed: Callable[[str, str], None]) -> None:
        """Takes a started forest.

        Args:
            forest: The forest.
            noticed: Told of each change the name of the host, empty for the directory, and what has changed there.
        """
        self._forest = forest
        self._noticed = noticed
        self._guard = threading.Lock()
        self._seen: Mapping[str, object] = {}

    def __enter__(self) -> ChangeWatch:
        """Begins to watch."""
        self._seen = self._state()
        for endpoint in self._forest.endpoints.values():
            endpoint.faults.when_handled = self._look
        self._forest.scheduler.when_performed = self._look
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Ends watching."""
        self._forest.scheduler.when_performed = None
        for endpoint in self._forest.endpoints.values():
            endpoint.faults.when_handled = None

    def _look(self) -> None:
        with self._guard:
            before, now = self._seen, self._state()
            self._seen = now
            for name in now:
                changed = sorted({_plain(part) for part in differences(before.get(name), now[name])})
                if changed:
                    self._noticed(name, "; ".join(changed))

    def _state(self) -> dict[str, object]:
        forest = self._forest
        with forest.scheduler.lock:
            hosts = {
                name: {**host.snapshot(), "running": {item.command_line: True for item in host.processes.values()}}
                for name, host in forest.hosts.items()
            }
            return {**hosts, "": {item.dns_name: item.dump() for item in forest.domains}}


def differences(before: object, now: object, path: str = "") -> Iterator[str]:
    """Returns what was added (+), removed (-) or changed (=) from one snapshot to another, as paths without values."""
    if before == now:
        return
    if isinstance(before, dict) and isinstance(now, dict):
        for name in before.keys() | now.keys():
            yield from differences(before.get(name), now.get(name), f"{path}/{name}")
    elif path.endswith("/folders") and isinstance(before, list) and isinstance(now, list):
        yield from (f"-{path}/{name}" for name in before if name not in now)
        yield from (f"+{path}/{name}" for name in now if name not in before)
    else:
        sign = "-" if now is None else "+" if before is None else "="
        yield f"{sign}{path}"


def _plain(part: str) -> str:
    return _NUMBER.sub("#", _RANDOM.sub("~", part))
