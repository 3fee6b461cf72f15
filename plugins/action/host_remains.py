# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action of the module host_remains."""

from __future__ import annotations

from ansible_collections.entsso.password_sync.plugins.module_utils import _arguments
from ansible_collections.entsso.password_sync.plugins.plugin_utils._action import ResourceAction
from ansible_collections.entsso.password_sync.plugins.plugin_utils._host_remains import HostRemainsResource


class ActionModule(ResourceAction):
    """See the module's documentation."""

    resource = HostRemainsResource
    argument_spec = _arguments.HOST_REMAINS
