# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter lost_changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.entsso.password_sync.plugins.module_utils._go_live import lost_changes

DOCUMENTATION = r"""
name: lost_changes
short_description: Domain controllers that would lose password changes once the targets are enabled
version_added: 0.1.0
author: Contributors to the entsso.password_sync project (@entsso)
description:
  - Picks the domain controllers of a domain that neither work nor are exempt (C(pcns_exempt)), each with what is known
    of it, and those that the directory knows and the run did not look at.
  - What a host was observed to be is the C(pcns_observation) of M(entsso.password_sync.pcns_info). A host of which the
    domain is not known counts as one of this domain.
positional: _input, hostvars, domain
options:
  _input:
    description: Names of the domain controllers of the run.
    type: list
    elements: str
    required: true
  hostvars:
    description: Ansible's variable of the same name.
    type: dict
    required: true
  domain:
    description: DNS name of the domain.
    type: str
    required: true
  answer:
    description: What M(entsso.password_sync.domain_controller_info) returned. Without it, the inventory is believed.
    type: dict
"""

EXAMPLES = r"""
- name: Show who would lose password changes
  ansible.builtin.debug:
    msg: "{{ ansible_play_hosts_all | entsso.password_sync.lost_changes(hostvars, 'corp.example') }}"
"""

RETURN = r"""
_value:
  description: One text for each of them, its name and the reason.
  type: list
  elements: str
"""


def _filtered(names: object, hostvars: object, domain: object, answer: object = None) -> list[str]:
    if not isinstance(names, Sequence) or isinstance(names, str):
        raise AnsibleFilterError("lost_changes: the names of hosts must be a list, for example ansible_play_hosts_all.")
    if not isinstance(hostvars, Mapping):
        raise AnsibleFilterError("lost_changes: its first argument must be `hostvars`, the variable with that name.")
    if answer is not None and not isinstance(answer, Mapping):
        raise AnsibleFilterError("lost_changes: `answer` must be what domain_controller_info returned.")
    return lost_changes([str(name) for name in names], hostvars, str(domain), answer)


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Returns it by its name."""
        return {"lost_changes": _filtered}
