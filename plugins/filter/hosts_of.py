# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter hosts_of."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.entsso.password_sync.plugins.module_utils._hosts import hosts_of
from ansible_collections.entsso.password_sync.plugins.plugin_utils._host_filters import named_hosts

DOCUMENTATION = r"""
name: hosts_of
short_description: Names of the hosts that the inventory has for a computer
version_added: 0.1.0
author: Contributors to the entsso.password_sync project (@entsso)
description:
  - Picks the hosts whose name, C(ansible_host) or C(password_sync_computer_names) is the full name of the computer.
    Where there is none, its short name decides.
positional: _input, hostvars, computer
options:
  _input:
    description: Names of hosts.
    type: list
    elements: str
    required: true
  hostvars:
    description: Ansible's variable of the same name.
    type: dict
    required: true
  computer:
    description: Full name of the computer.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Do something on the schema master
  ansible.builtin.debug:
    msg: "{{ inventory_hostname }} is the schema master"
  when: inventory_hostname in ansible_play_hosts_all | entsso.password_sync.hosts_of(hostvars, 'dc01.corp.example')
"""

RETURN = r"""
_value:
  description: Those of the names that are the computer, in the same order.
  type: list
  elements: str
"""


def _filtered(names: object, hostvars: object, computer: object) -> list[str]:
    return named_hosts("hosts_of", lambda found, variables: hosts_of(found, variables, str(computer or "")))(
        names, hostvars
    )


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Returns it by its name."""
        return {"hosts_of": _filtered}
