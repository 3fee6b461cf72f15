# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The base of the actions that talk to a directory instead of the host of the play."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

from ansible_collections.entsso.password_sync.plugins.module_utils._arguments import LDAP
from ansible_collections.entsso.password_sync.plugins.module_utils._errors import HostError
from ansible_collections.entsso.password_sync.plugins.module_utils._plan import PlanError
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._ldap_settings import (
    ldap_settings,
    with_variables,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils._action import WindowsAction
from ansible_collections.entsso.password_sync.plugins.plugin_utils._run_folder import run_folder
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._directory import Directory


class DirectoryAction(WindowsAction):
    """An action that works on a directory alone."""

    def _directory(self, arguments: Mapping[str, Any], task_vars: Mapping[str, Any]) -> Directory:
        """Returns the directory that the arguments name, else the variables; nothing is opened yet.

        Raises:
            UnsupportedConnection: They contradict each other, or would show the password.
        """
        options = with_variables({name: arguments.get(name) for name in LDAP}, self._directory_variables(task_vars))
        return Directory(ldap_settings(options), run_folder())

    def _raise(self, error: PlanError | HostError, task_vars: Mapping[str, Any]) -> NoReturn:
        """Fails the task: a domain controller that can't be reached says nothing about the host of the play."""
        if isinstance(error, HostError):
            raise self._failure(str(error), "", {"server": error.host}) from None
        super()._raise(error, task_vars)
