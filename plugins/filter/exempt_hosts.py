# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter exempt_hosts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.entsso.password_sync.plugins.module_utils._hosts import exempt_hosts
from ansible_collections.entsso.password_sync.plugins.plugin_utils._host_filters import named_hosts

DOCUMENTATION = r"""
name: exempt_hosts
short_description: Names of the domain controllers that are left out on purpose
version_added: 0.1.0
author: Contributors to the entsso.password_sync project (@entsso)
description:
  - Picks the hosts whose variable C(pcns_exempt) holds a reason.
positional: _input, hostvars
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
"""

EXAMPLES = r"""
- name: Show who is left out
  ansible.builtin.debug:
    msg: "{{ groups['domain_controllers'] | entsso.password_sync.exempt_hosts(hostvars) }}"
"""

RETURN = r"""
_value:
  description: Those of the names that are exempt, in the same order.
  type: list
  elements: str
"""


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Returns it by its name."""
        return {"exempt_hosts": named_hosts("exempt_hosts", exempt_hosts)}
