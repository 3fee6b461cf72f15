# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The clock of the lab, and what is to happen at a time to come.

Without a thread the clock stands still until ``advance`` moves it, which makes tests exact. With ``start`` it follows
the wall clock and a thread does what is due. Actions run with the estate's lock held, except those that touch the
network.
"""

from __future__ import annotations

import heapq
import itertools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta


@dataclass(order=True)
class Timer:
    """One action at one time."""

    due: float
    number: int
    action: Callable[[], None] = field(compare=False)
    locked: bool = field(compare=False)
    cancelled: bool = field(default=False, compare=False)

    def cancel(self) -> None:
        """Makes sure that the action does not happen."""
        self.cancelled = True


class Scheduler:
    """A clock with timers."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        """Guards the whole estate: whoever looks at it or changes it holds this lock."""
        self.when_performed: Callable[[], None] | None = None
        """Called after each action, without the lock."""
        self._wake = threading.Condition(threading.Lock())
        self._timers: list[Timer] = []
        self._numbers = itertools.count()
        self._thread: threading.Thread | None = None
        self._stopping = False
        self._base = datetime.now(UTC)
        self._virtual = 0.0
        self._started = 0.0

    def time(self) -> float:
        """Returns seconds since the lab began."""
        if self._thread is None:
            return self._virtual
        return self._virtual + time.monotonic() - self._started

    def now(self) -> datetime:
        """Returns the lab's true time in UTC."""
        return self._base + timedelta(seconds=self.time())

    def after(self, seconds: float, action: Callable[[], None], *, locked: bool = True) -> Timer:
        """Does something later.

        Args:
            seconds: From now.
            action: What to do.
            locked: Whether the estate's lock is held meanwhile. What waits for another thread must not hold it.
        """
        timer = Timer(self.time() + max(0.0, seconds), next(self._numbers), action, locked)
        with self._wake:
            heapq.heappush(self._timers, timer)
            self._wake.notify()
        return timer

    def start(self) -> None:
        """Follows the wall clock from now on."""
        if self._thread is not None:
            return
        self._started = time.monotonic()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="lab-scheduler", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stands still again; what is not due yet stays waiting."""
        thread = self._thread
        if thread is None:
            return
        with self._wake:
            self._stopping = True
            self._wake.notify()
        thread.join()
        self._virtual = self.time()
        self._thread = None

    def advance(self, seconds: float) -> None:
        """Moves a clock that stands still, and does what falls due on the way in its order.

        Raises:
            RuntimeError: The clock follows the wall clock.
        """
        if self._thread is not None:
            raise RuntimeError("the lab's clock follows the wall clock; wait instead")
        end = self._virtual + seconds
        while (timer := self._due(end)) is not None:
            self._virtual = max(self._virtual, timer.due)
            self._perform(timer)
        self._virtual = end

    def wait(self, seconds: float) -> None:
        """Lets time pass, whichever way this clock goes."""
        if self._thread is None:
            self.advance(seconds)
        else:
            time.sleep(seconds)

    def _due(self, until: float) -> Timer | None:
        with self._wake:
            while self._timers and self._timers[0].cancelled:
                heapq.heappop(self._timers)
            if self._timers and self._timers[0].due <= until:
                return heapq.heappop(self._timers)
        return None

    def _perform(self, timer: Timer) -> None:
        if timer.cancelled:
            return
        if timer.locked:
            with self.lock:
                timer.action()
        else:
            timer.action()
        if self.when_performed is not None:
            self.when_performed()

    def _run(self) -> None:
        while True:
            timer = self._due(self.time())
            if timer is not None:
                self._perform(timer)
                continue
            with self._wake:
                if self._stopping:
                    return
                wait = max(0.0, self._timers[0].due - self.time()) if self._timers else None
                if wait is None or wait > 0:
                    self._wake.wait(wait)
