# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the filters on host names have in common: what may go wrong, said in a sentence."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError

Pick = Callable[[Sequence[str], Mapping[str, Mapping[str, Any]]], list[str]]


def named_hosts(title: str, pick: Pick) -> Callable[[object, object], list[str]]:
    """Returns a filter that takes names of hosts and `hostvars`.

    Args:
        title: The filter's name.
        pick: What it does.
    """

    def filtered(names: object, hostvars: object) -> list[str]:
        if isinstance(names, (str, bytes)) or not isinstance(names, Sequence):
            raise AnsibleFilterError(f"{title}: the names of hosts must be a list, for example ansible_play_hosts_all.")
        if not isinstance(hostvars, Mapping):
            raise AnsibleFilterError(f"{title}: its argument must be `hostvars`, the variable with that name.")
        unknown = [str(name) for name in names if name not in hostvars]
        if unknown:
            raise AnsibleFilterError(f"{title}: the inventory has no host {', '.join(unknown)}.")
        return pick([str(name) for name in names], hostvars)

    return filtered
