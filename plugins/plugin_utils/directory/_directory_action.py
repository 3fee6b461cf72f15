# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The base of the actions that talk to a directory instead of the host of the play."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import HostError
from ansible_collections.entsso.password_sync.plugins.module_utils._plan import PlanError
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._ldap_settings import ldap_settings
from ansible_collections.entsso.password_sync.plugins.plugin_utils._action import WindowsAction
from ansible_collections.entsso.password_sync.plugins.plugin_utils._run_folder import run_folder
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._directory import Directory


class DirectoryAction(WindowsAction):
    """An action that reads a directory."""

    @staticmethod
    def _directory(arguments: Mapping[str, Any]) -> Directory:
        """Returns the directory that the arguments name; nothing is opened yet.

        Raises:
            UnsupportedConnection: The arguments contradict each other, or would show the password.
        """
        return Directory(ldap_settings(arguments), run_folder())

    def _raise(self, error: PlanError | HostError, task_vars: Mapping[str, Any]) -> NoReturn:
        """Fails the task: a domain controller that can't be reached says nothing about the host of the play."""
        if isinstance(error, HostError):
            raise self._failure(str(error), "", {"server": error.host}) from None
        super()._raise(error, task_vars)
