# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Going down and coming up again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from lab.scheduler import Scheduler, Timer
from lab.settings import WindowsSettings


class Machine(Protocol):
    """What a machine does when its power changes."""

    def going_down(self) -> None:
        """Ends everything that runs."""

    def coming_up(self) -> None:
        """Boots."""

    def stays_down(self) -> bool:
        """Whether a restart never comes back."""


class Power:
    """The power of one machine."""

    def __init__(self, machine: Machine, scheduler: Scheduler, settings: WindowsSettings) -> None:
        """Takes the machine, which is up."""
        self._machine = machine
        self._scheduler = scheduler
        self._settings = settings
        self._timer: Timer | None = None
        self.on = True
        """Whether the machine answers."""
        self.going_down = False
        """Whether a restart has begun that can't be taken back."""
        self.restarts = 0
        """How many times the machine has come up again."""
        self.when_changed: Callable[[bool], None] | None = None
        """Told of every change without the lab's lock: the endpoint goes down and up with the machine."""

    @property
    def scheduled(self) -> bool:
        """Whether a restart waits for its time."""
        return self._timer is not None

    def schedule_restart(self, seconds: float) -> None:
        """Restarts after so many of the machine's seconds."""
        self._timer = self._scheduler.after(seconds * self._settings.time_scale, self.restart)

    def abort(self) -> None:
        """Takes a scheduled restart back."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def restart(self) -> None:
        """Goes down now and comes up again."""
        self.off()
        if not self._machine.stays_down():
            self._scheduler.after(self._settings.reboot_seconds, self.up)

    def off(self) -> None:
        """Goes down now."""
        self.abort()
        self.going_down = True
        self.on = False
        self._machine.going_down()
        self._tell(on=False)

    def up(self) -> None:
        """Comes up now; nothing happens when the machine is on."""
        if self.on:
            return
        self.on = True
        self.going_down = False
        self.restarts += 1
        self._machine.coming_up()
        self._tell(on=True)

    def _tell(self, *, on: bool) -> None:
        callback = self.when_changed
        if callback is not None:
            self._scheduler.after(0, lambda: callback(on), locked=False)
