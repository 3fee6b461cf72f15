# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter target_names."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.entsso.password_sync.plugins.module_utils._target_names import target_names

DOCUMENTATION = r"""
name: target_names
short_description: Service principal names of PCNS targets, by the account that is to have them
version_added: 0.1.0
author: Contributors to the entsso.password_sync project (@entsso)
description:
  - Collects the service principal names that targets use, in the form in which they use them, by account.
  - The account is the one that the service ENTSSO was observed to run as, by M(entsso.password_sync.sso_info) in the
    same run, on the SSO server that the target sends to. Where it runs as the machine, that is the computer's account.
positional: _input, servers, hostvars
options:
  _input:
    description: Targets in the form that the role C(pcns_directory) takes. Those with C(state=absent) are left out.
    type: list
    elements: dict
    required: true
  servers:
    description: Names of the SSO servers of the inventory.
    type: list
    elements: str
    required: true
  hostvars:
    description: Ansible's variable of the same name.
    type: dict
    required: true
  account:
    description: The account of all of them. Without it, the observed ones.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Show which account is to have which names
  ansible.builtin.debug:
    msg: "{{ pcns_directory_targets | entsso.password_sync.target_names(groups['sso_servers'], hostvars) }}"
"""

RETURN = r"""
_value:
  description: Accounts (C(account)), each with its C(names). An empty account stands for one that is not known.
  type: list
  elements: dict
"""


def _filtered(targets: object, servers: object, hostvars: object, account: object = "") -> list[dict[str, Any]]:
    if not isinstance(targets, Sequence) or isinstance(targets, str):
        raise AnsibleFilterError("target_names: the targets must be a list, as pcns_directory_targets is one.")
    if not isinstance(servers, Sequence) or isinstance(servers, str):
        raise AnsibleFilterError("target_names: the SSO servers must be a list, for example groups['sso_servers'].")
    if not isinstance(hostvars, Mapping):
        raise AnsibleFilterError("target_names: its second argument must be `hostvars`, the variable with that name.")
    return target_names(targets, [str(name) for name in servers], hostvars, str(account or ""))


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Returns it by its name."""
        return {"target_names": _filtered}
