# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sees to it that the machine behind a connection is the one that the inventory means.

An address that was given to another machine, a stale DNS record or a wrong `ansible_host` would else let one host be
installed in place of another. Most tasks read something that names its computer anyway; then nothing is asked for this.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import WrongMachine
from ansible_collections.entsso.password_sync.plugins.module_utils.codec._cim_instance import CimInstance
from ansible_collections.entsso.password_sync.plugins.module_utils.codec._computer_name import (
    CLUSTER_NAME,
    COMPUTER_NAMES,
    ExpectedMachine,
    expected_machine,
    reported_names,
)


class Identity:
    """What is known of the machine behind one connection."""

    def __init__(self, host: str, expected: ExpectedMachine) -> None:
        self._host = host
        self._expected = expected
        self._proved = not expected.names

    @property
    def proved(self) -> bool:
        """Whether the machine has been seen to be the right one, or nothing says which one is."""
        return self._proved

    def forget(self) -> None:
        """Says that the next answer comes over a new connection."""
        self._proved = not self._expected.names

    def look(self, instance: CimInstance) -> None:
        """Looks at an instance that was read.

        Raises:
            WrongMachine: It says that it is on another computer.
        """
        if self._proved or not (names := reported_names(instance)):
            return
        if not any(self._expected.is_called(name) for name in names):
            raise self._wrong(names[0])
        self._proved = True

    def confirm(self, names: Iterable[str]) -> None:
        """Takes names from a fault: one that fits proves the machine, another says nothing."""
        self._proved = self._proved or any(self._expected.is_called(name) for name in names)

    def _wrong(self, name: str) -> WrongMachine:
        known = " or ".join(self._expected.names)
        return WrongMachine(
            self._host,
            "computer name",
            f"the machine that answers calls itself {name}, not {known}; nothing was changed on it",
            f"Correct ansible_host or the DNS record; where {name} is right, name it in {COMPUTER_NAMES} for this host "
            f"(for a cluster's network name set {CLUSTER_NAME})",
        )


def expected_of(task_vars: Mapping[str, Any], host: str, address: str) -> ExpectedMachine:
    """Returns which machine a task's variables mean.

    Args:
        task_vars: The task's variables.
        host: The host's name in the inventory; another one than the task's own where the task is delegated.
        address: Where it is reached.

    Raises:
        ansible.errors.AnsibleError: A variable can't be rendered.
    """
    own = host == str(task_vars.get("inventory_hostname", ""))
    hostvars = task_vars.get("hostvars")
    variables: Mapping[str, Any] = task_vars
    if not own and hostvars is not None and host in hostvars:
        variables = hostvars[host]
    names = _rendered(variables, COMPUTER_NAMES) or ()
    return expected_machine(
        host,
        address,
        str(_rendered(variables, CLUSTER_NAME) or ""),
        [names] if isinstance(names, str) else [str(name) for name in names],
    )


def _rendered(variables: Mapping[str, Any], name: str) -> Any:
    """Returns a variable; an action gets its variables before their templates are rendered."""
    value = variables.get(name)
    if value is None:
        return None
    from ansible.template import Templar

    return Templar(variables=dict(variables)).template(value)
