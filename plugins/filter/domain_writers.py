# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter domain_writers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.entsso.password_sync.plugins.module_utils._hosts import domain_writers
from ansible_collections.entsso.password_sync.plugins.plugin_utils._host_filters import named_hosts

DOCUMENTATION = r"""
name: domain_writers
short_description: Names of the domain controllers that write the settings of their domains
version_added: 0.1.0
author: Contributors to the entsso.password_sync project (@entsso)
description:
  - Picks one host for each domain, of those that are not exempt (C(pcns_exempt)) the first on which PCNS works, so that
    C(pcnscfg) is there. Where it works on none, the first is picked.
  - The domain of a host is the one that M(entsso.password_sync.pcns_info) observed, registered as
    C(pcns_observation). Hosts of which it is not known are left out, unless it is not known of any of them. Then they
    count as one domain.
positional: _input, hostvars
options:
  _input:
    description: Names of hosts, in the order in which they are worked on.
    type: list
    elements: str
    required: true
  hostvars:
    description: Ansible's variable of the same name.
    type: dict
    required: true
seealso:
  - plugin: entsso.password_sync.exempt_hosts
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Do something once for each domain
  ansible.builtin.debug:
    msg: "{{ inventory_hostname }} writes for its domain"
  when: inventory_hostname in ansible_play_hosts_all | entsso.password_sync.domain_writers(hostvars)
"""

RETURN = r"""
_value:
  description: One name for each domain.
  type: list
  elements: str
"""


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Returns it by its name."""
        return {"domain_writers": named_hosts("domain_writers", domain_writers)}
