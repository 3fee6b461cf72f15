# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real connection of Ansible, with the variables of a host."""

from __future__ import annotations

from typing import Any

from ansible.playbook.play_context import PlayContext
from ansible.plugins.loader import connection_loader


def connection(kind: str = "winrm", **variables: Any) -> Any:
    """Returns the connection plugin that Ansible would hand to an action, options set, nothing sent."""
    found = connection_loader.get(kind, PlayContext(), "/dev/null")
    found.set_options(var_options=variables)
    extras = {name: value for name, value in variables.items() if name.startswith("ansible_winrm_")}
    if kind == "winrm":
        found.set_options(var_options={**variables, "_extras": extras})
    return found
