# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter hosts_to_observe."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible_collections.entsso.password_sync.plugins.module_utils._hosts import hosts_to_observe
from ansible_collections.entsso.password_sync.plugins.plugin_utils._host_filters import named_hosts

DOCUMENTATION = r"""
name: hosts_to_observe
short_description: Names of the domain controllers that a play still has to observe
version_added: 0.1.0
author: Contributors to the entsso.password_sync project (@entsso)
description:
  - Picks the hosts of which the run does not know what is the case, so that none is asked twice.
  - Hosts that are exempt (C(pcns_exempt)) are none of them.
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
  after_rollout:
    description:
      - Whether what was observed before a rollout of the same run is out of date. That of a host that worked stands
        where the rollout had nothing to do, and after a rollout that failed none is picked.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Show who is still to be observed
  ansible.builtin.debug:
    msg: "{{ groups['domain_controllers'] | entsso.password_sync.hosts_to_observe(hostvars) }}"
"""

RETURN = r"""
_value:
  description: Those of the names that are to be observed, in the same order.
  type: list
  elements: str
"""


def _filtered(names: object, hostvars: object, after_rollout: object = False) -> list[str]:
    def pick(found: Sequence[str], variables: Mapping[str, Mapping[str, Any]]) -> list[str]:
        return hosts_to_observe(found, variables, after_rollout=bool(after_rollout))

    return named_hosts("hosts_to_observe", pick)(names, hostvars)


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Returns it by its name."""
        return {"hosts_to_observe": _filtered}
