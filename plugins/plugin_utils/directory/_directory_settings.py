# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the directory is and who asks, as the inventory says it once for all modules."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.entsso.password_sync.plugins.module_utils._arguments import LDAP
from ansible_collections.entsso.password_sync.plugins.module_utils._errors import UnsupportedConnection
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._ldap_settings import VARIABLES


def directory_variables(task_vars: Mapping[str, Any], template: Callable[[Any], Any]) -> dict[str, Any]:
    """Returns what the variables `password_sync_ldap_*` say, by option; empty values count as not given.

    Args:
        task_vars: The task's variables.
        template: Resolves the templates in a value.

    Raises:
        UnsupportedConnection: One of them has a value that its option does not take.
    """
    values = {name: template(task_vars[VARIABLES + name]) for name in LDAP if VARIABLES + name in task_vars}
    given = {name: value for name, value in values.items() if value not in (None, "", [])}
    validated = ArgumentSpecValidator(dict(LDAP)).validate(given)
    if validated.error_messages:
        raise UnsupportedConnection(
            str(given.get("server") or given.get("domain") or ""),
            "LDAP",
            f"one of the variables {VARIABLES}* is wrong: {' '.join(validated.error_messages)}",
            f"Correct it; `ansible-doc entsso.password_sync.domain_controller_info` has the options, and {VARIABLES} "
            "stands before each",
        )
    return {name: value for name, value in validated.validated_parameters.items() if value is not None}
