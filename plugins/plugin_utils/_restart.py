# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module domain_controller_restart: a restart that ends when the domain controller serves again."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from ansible_collections.entsso.password_sync.plugins.module_utils import _notification_package, _restart
from ansible_collections.entsso.password_sync.plugins.module_utils._errors import (
    AuthenticationRejected,
    DeadlineExceeded,
    HostError,
    OutcomeUnknown,
    WrongMachine,
)
from ansible_collections.entsso.password_sync.plugins.module_utils._plan import (
    Change,
    Estate,
    Key,
    Observation,
    PlanError,
)
from ansible_collections.entsso.password_sync.plugins.module_utils._quoting import command_line
from ansible_collections.entsso.password_sync.plugins.plugin_utils._domain_controller import (
    INSTALLED_MARKER,
    REGISTERED_MARKER,
    observe_notification_packages,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils._markers import delete_marker
from ansible_collections.entsso.password_sync.plugins.plugin_utils._resource import Resource, Task
from ansible_collections.entsso.password_sync.plugins.plugin_utils._system import (
    System,
    read_system,
    require_domain_controller,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._host import Host

SHUTDOWN_SCHEDULED, SHUTDOWN_IN_PROGRESS = 1190, 1115
"""Exit codes of shutdown.exe: one is already scheduled, one is in progress (wsman.md 4)."""

PAUSE_AFTER_REFUSAL = 6
"""Intervals to wait after a refused logon; half a minute at the default."""

REASON = "p:4:1"
"""Planned, application, maintenance: what the shutdown event log shows (design.md, modules)."""


class RestartResource(Resource):
    """The restart of one domain controller."""

    def __init__(self, host: Host, task: Task) -> None:
        super().__init__(host, task)
        self.packages = [str(name) for name in task.arguments["notification_packages"]]
        self.loaded = task.arguments["state"] == "loaded"
        self.services = [str(name) for name in task.arguments["required_services"]]

    def observe(self) -> Mapping[Key, Observation]:
        system = read_system(self.host)
        require_domain_controller(self.task.subject, system)
        return observe_notification_packages(self.host, self.task.subject, self.packages, system)

    def plan(self, estate: Estate) -> tuple[Change, ...]:
        changes = _restart.plan(self.task.subject, self.packages, estate, loaded=self.loaded)
        if changes and not self.task.arguments["allowed"]:
            sentence = restart_refused(self.task.subject, self.packages, loaded=self.loaded)
            if not self.task.check_mode:
                raise PlanError(self.task.subject, *sentence)
            self.task.warn(f"A run would stop before this restart. {' '.join(sentence)}")
        if changes:
            self._command()  # a comment that can't be written down fails in check mode too
        return changes

    def _command(self) -> str:
        arguments = self.task.arguments
        return command_line(
            "shutdown.exe", "/r", "/t", str(arguments["delay"]), "/d", REASON, "/c", str(arguments["comment"])
        )

    def apply(self, change: Change) -> None:
        asked = time.monotonic()
        before = read_system(self.host)
        self._shut_down(before)
        self._wait(before, asked)
        # What LSA refused at this boot is told by the plan: event 16953, and that another restart does not help.
        _restart.plan(self.task.subject, self.packages, Estate(self.observe()), loaded=self.loaded)

    def _shut_down(self, before: System) -> None:
        self.host.expect_restart()
        try:
            result = self.host.run(self._command(), deadline=60)
        except OutcomeUnknown as error:
            # It may have gone down before it could answer; the boot time tells.
            self.task.say(f"the answer of shutdown.exe was lost ({error.reason}); looking whether it restarts")
            self.host.reset()
            return
        if result.exit_code in (SHUTDOWN_SCHEDULED, SHUTDOWN_IN_PROGRESS):
            self.task.warn(
                f"Somebody else's shutdown is already on its way ({result.exit_code}); it is left alone and waited for."
            )
        elif result.exit_code != 0:
            raise HostError(
                self.task.subject,
                "shutdown.exe",
                f"it ended with {result.exit_code}: {' '.join(result.stderr.split())[:200]}",
                "Give the account the right to shut the system down, then run again",
            )
        purpose = f"{'load' if self.loaded else 'unload'} {', '.join(self.packages)}"
        self.task.say(f"restarting to {purpose}; last boot {before.boot_time:%Y-%m-%d %H:%M:%S}Z")

    def _wait(self, before: System, asked: float) -> None:
        """Waits until the same machine has restarted and runs with its services; says what it waits for.

        Args:
            before: The machine before it was told to restart.
            asked: When that was read, by the monotonic clock of the control node.
        """
        deadline, interval = float(self.task.arguments["deadline"]), float(self.task.arguments["interval"])
        started = time.monotonic()
        seen = ""
        while True:
            waiting_for = self._missing(before, asked)
            if not waiting_for:
                self.task.say(f"serves again after {time.monotonic() - started:.0f} s")
                return
            if waiting_for != seen:
                self.task.say(f"waiting for {waiting_for}")
                seen = waiting_for
            if time.monotonic() - started > deadline:
                raise DeadlineExceeded(
                    self.task.subject,
                    "restart",
                    f"after {deadline:g} s it still waits for {waiting_for}",
                    "Look at its console. No further domain controller is touched; run again when it serves",
                )
            time.sleep(interval)

    def _missing(self, before: System, asked: float) -> str:
        name = before.name
        try:
            system = read_system(self.host)
            if system.name != name:
                return f"{name} (now {system.name} answers at its address)"
            # A clock may have been set meanwhile, so times of before can't be compared: how long it runs can.
            if (system.local_time - system.boot_time).total_seconds() >= time.monotonic() - asked:
                return "the restart to begin"
            if system.local_time < before.local_time:
                self._forget_the_future()
            stopped = [service for service in self.services if not self._running(service)]
            if stopped:
                return f"the services {', '.join(stopped)}"
            states = observe_notification_packages(self.host, self.task.subject, self.packages, system)
            estate = Estate(states)
            return self._not_loaded(estate)
        except AuthenticationRejected as error:
            # While it starts, a domain controller can refuse an account that is right: few tries, far apart.
            self.host.reset()
            time.sleep(PAUSE_AFTER_REFUSAL * float(self.task.arguments["interval"]))
            return f"its logon service ({error.reason.split('.')[0][:120]})"
        except WrongMachine as error:
            self.host.reset()
            return f"{name} ({error.reason.split(';')[0]})"
        except HostError as error:
            self.host.reset()
            return f"WinRM ({error.reason.split('.')[0][:120]})"
        except PlanError as error:
            # WinRM answers before all that it asks is up.
            return f"what it can be asked ({error.reason.rstrip('.')[:300]})"

    def _forget_the_future(self) -> None:
        """Forgets when packages were installed and registered: by a clock that was set back that is yet to come, and
        would seem to have been after this restart."""
        for name in self.packages:
            for marker in (INSTALLED_MARKER, REGISTERED_MARKER):
                delete_marker(self.host, marker.format(name))

    def _not_loaded(self, estate: Estate) -> str:
        """Names the packages that LSA has neither loaded nor refused yet; a refusal is for the verification to tell."""
        states = {name: _notification_package.observed_state(self.task.subject, name, estate) for name in self.packages}
        pending = [
            name for name, state in states.items() if state.registered and state.loaded != "yes" and not state.blocked
        ]
        return f"LSA to load {', '.join(pending)}" if pending else ""

    def _running(self, name: str) -> bool:
        service = self.host.services.get(name)
        return service is None or service.state.value.lower() == "running"


def restart_refused(subject: str, packages: Sequence[str], *, loaded: bool = True) -> tuple[str, str]:
    """Returns why a restart that is not allowed stops the run, and what to do."""
    purpose = f"{'load' if loaded else 'unload'} {', '.join(packages)}"
    return (
        f"{subject} must restart to {purpose}, and may not (pcns_restart_allowed is false).",
        "Set pcns_restart_allowed (option `allowed`) to true for the DCs that may restart; they do so one at a time.",
    )
