# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter targets_of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.entsso.password_sync.plugins.module_utils._wanted_targets import targets_of

DOCUMENTATION = r"""
name: targets_of
short_description: PCNS targets that belong to a domain
version_added: 0.1.0
author: Contributors to the entsso.password_sync project (@entsso)
description:
  - Picks the targets whose C(domain) is the given one, or that name none.
positional: _input, domain
options:
  _input:
    description: Targets in the form that the role C(pcns_directory) takes.
    type: list
    elements: dict
    required: true
  domain:
    description: DNS name of the domain.
    type: str
    required: true
  live:
    description: Whether only those are wanted that are to exist and to be enabled. The default is V(false).
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Show what is enabled at go-live
  ansible.builtin.debug:
    msg: "{{ pcns_directory_targets | entsso.password_sync.targets_of('corp.example', live=true) }}"
"""

RETURN = r"""
_value:
  description: The targets, in the same order.
  type: list
  elements: dict
"""


def _filtered(targets: object, domain: object, live: bool = False) -> list[Mapping[str, Any]]:
    if not isinstance(targets, Sequence) or isinstance(targets, str):
        raise AnsibleFilterError("targets_of: the targets must be a list, as pcns_directory_targets is one.")
    return targets_of(targets, str(domain or ""), live=bool(live))


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Returns it by its name."""
        return {"targets_of": _filtered}
