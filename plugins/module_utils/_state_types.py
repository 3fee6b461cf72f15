# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which state belongs to which resource: what an effect needs to be projected on an object that is not there yet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.entsso.password_sync.plugins.module_utils import (
    _host_remains,
    _notification_package,
    _package,
    _pcns_configuration,
    _pcns_schema,
    _pcns_service,
    _pcns_target,
    _rollout_lock,
    _service_principal_name,
    _sso_adapter,
    _sso_application,
    _sso_feature,
    _sso_server,
)

STATE_TYPES: Mapping[str, type[Any]] = {
    "tool": _package.ToolState,
    _host_remains.RESOURCE: _host_remains.HostRemainsState,
    _package.RESOURCE: _package.PackageState,
    _notification_package.RESOURCE: _notification_package.NotificationPackageState,
    _pcns_service.RESOURCE: _pcns_service.ServiceState,
    _pcns_configuration.RESOURCE: _pcns_configuration.ConfigurationState,
    _pcns_schema.RESOURCE: _pcns_schema.SchemaState,
    _pcns_target.RESOURCE: _pcns_target.TargetState,
    _rollout_lock.RESOURCE: _rollout_lock.LockState,
    _service_principal_name.RESOURCE: _service_principal_name.SpnState,
    _sso_feature.RESOURCE: _sso_feature.FeatureState,
    _sso_server.RESOURCE: _sso_server.ServerState,
    _sso_application.RESOURCE: _sso_application.ApplicationState,
    _sso_adapter.RESOURCE: _sso_adapter.AdapterState,
}
