# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run has observed of its SSO servers: which domain they are in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.entsso.password_sync.plugins.module_utils._target_names import observed_system, server_names


def observed_sso_servers(task_vars: Mapping[str, Any]) -> dict[str, str]:
    """Returns names and addresses of the SSO servers that this run has observed, each with its domain.

    Args:
        task_vars: The task's variables.
    """
    hostvars: Any = task_vars.get("hostvars") or {}
    found: dict[str, str] = {}
    for name in hostvars:
        variables = hostvars.raw_get(name)
        domain = str(observed_system(variables).get("domain") or "").lower()
        if domain:
            found |= dict.fromkeys(server_names(name, variables), domain)
    return found
