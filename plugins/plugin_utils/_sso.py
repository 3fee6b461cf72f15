# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Observes an SSO server: the feature, the switches, applications and adapters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from ansible_collections.entsso.password_sync.plugins.module_utils import (
    _sso_adapter,
    _sso_application,
    _sso_feature,
    _sso_server,
)
from ansible_collections.entsso.password_sync.plugins.module_utils._errors import AccessDenied, WsmanFault
from ansible_collections.entsso.password_sync.plugins.module_utils._names import ENTSSO_SERVICE, PASSWORD_SYNC_LIBRARY
from ansible_collections.entsso.password_sync.plugins.module_utils._plan import (
    Absent,
    Key,
    Observation,
    Present,
    Unknown,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.codec._eventlog import Event, EventQuery
from ansible_collections.entsso.password_sync.plugins.plugin_utils._markers import read_marker
from ansible_collections.entsso.password_sync.plugins.plugin_utils._resource import unknown
from ansible_collections.entsso.password_sync.plugins.plugin_utils._tools import run_tool, tool_error
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._host import Host

ALLOW_PCNS_MARKER = "sso_server_allow_pcns"
SYNC_AGE_MARKER = "sso_server_password_sync_age"
DEFINITION_MARKER = "sso_adapter_{}"


def tool_path(directory: str, name: str) -> str:
    """Returns the full path of an ENTSSO tool."""
    return rf"{directory.rstrip(chr(92))}\{name}.exe"


def event_query(boot_time: datetime) -> EventQuery:
    """Returns the query for everything that ENTSSO says about password sync since Windows started."""
    wanted = (
        *_sso_feature.STARTED_EVENTS,
        *_sso_feature.FAILED_EVENTS,
        _sso_server.RECEIVED_EVENT,
        _sso_server.REFUSED_EVENT,
    )
    return EventQuery("Application", provider="ENTSSO", event_ids=wanted, since=boot_time)


def observe_feature(host: Host, directory: str, events: Sequence[Event], boot_time: datetime) -> Observation:
    """Observes the Password Synchronization feature."""
    try:
        return _sso_feature.judge_presence(
            entsso_exists=host.services.get(ENTSSO_SERVICE) is not None,
            library_exists=host.files.stat(rf"{directory.rstrip(chr(92))}\{PASSWORD_SYNC_LIBRARY}") is not None,
            events=events,
            boot_time=boot_time,
        )
    except (AccessDenied, WsmanFault) as error:
        return unknown(error)


def observe_server(
    host: Host, directory: str, events: Sequence[Event], boot_time: datetime, *, with_age: bool
) -> Observation:
    """Observes the password sync switches; absent where ssoconfig is.

    Args:
        host: The SSO server.
        directory: Installation directory of ENTSSO.
        events: Events of `event_query`.
        boot_time: Start of Windows.
        with_age: Whether to ask ssoconfig for the password sync age, which starts a process.
    """
    ssoconfig = tool_path(directory, "ssoconfig")
    if host.files.stat(ssoconfig) is None:
        return Absent()
    allow = _sso_server.believe_allow_pcns(read_marker(host, ALLOW_PCNS_MARKER), events, boot_time)
    displayed = _sso_server.displayed_age(run_tool(host, ssoconfig, ["-syncage"])) if with_age else None
    age = _sso_server.believe_sync_age(read_marker(host, SYNC_AGE_MARKER), displayed)
    return Present(
        _sso_server.ServerState(
            allow_pcns=None if allow.value is None else bool(allow.value),
            password_sync_age=None if age.value is None else int(age.value),
            allow_pcns_proved=allow.proved,
            allow_pcns_evidence=allow.evidence,
            password_sync_age_proved=age.proved,
            password_sync_age_evidence=age.evidence,
        )
    )


def observe_applications(host: Host, directory: str, subject: str, names: Sequence[str]) -> Mapping[Key, Observation]:
    """Observes affiliate applications by name: one run of ssomanage for all, and one for each that it does not list."""
    keys = {name: _sso_application.key(subject, name) for name in names}
    if not names:
        return {}
    ssomanage = tool_path(directory, "ssomanage")
    if host.files.stat(ssomanage) is None:
        return dict.fromkeys(keys.values(), Unknown(f"{ssomanage} does not exist"))
    output = run_tool(host, ssomanage, ["-listapps", "all"])
    failure = tool_error(output)
    if failure:
        return {key: Unknown(f"ssomanage -listapps printed {failure}") for key in keys.values()}
    return {
        keys[name]: Present(_sso_application.ApplicationState())
        if _sso_application.listed_in(output, name)
        else _application_by_name(host, ssomanage, name)
        for name in names
    }


def _application_by_name(host: Host, ssomanage: str, name: str) -> Observation:
    """Asks for one application: the form of the list is not public, so not to be found in it proves nothing."""
    output = run_tool(host, ssomanage, ["-displayapp", name])
    failure = tool_error(output)
    if _sso_application.NO_APPLICATION.lower() in failure.lower():
        return Absent()
    if failure:
        return Unknown(f"ssomanage -displayapp printed {failure}")
    if _sso_application.named_in(output, name):
        return Present(_sso_application.ApplicationState())
    return Unknown("the output of ssomanage -listapps and -displayapp could not be understood")


def observe_adapters(
    host: Host, directory: str, subject: str, wanted: Mapping[str, Sequence[str]]
) -> Mapping[Key, Observation]:
    """Observes adapters: one run of `ssops -list`, and one of `ssops -display` for each that should have applications
    or is not listed.

    Args:
        host: The SSO server.
        directory: Installation directory of ENTSSO.
        subject: Its name in plans.
        wanted: Adapter name to the applications that it should have.
    """
    if not wanted:
        return {}
    ssops = tool_path(directory, "ssops")
    output = run_tool(host, ssops, ["-list"])
    failure = tool_error(output)
    observations: dict[Key, Observation] = {}
    for name, applications in wanted.items():
        observations[_sso_adapter.key(subject, name)] = (
            Unknown(f"ssops -list printed {failure}")
            if failure
            else _observe_adapter(host, ssops, output, name, applications)
        )
    return observations


def _observe_adapter(host: Host, ssops: str, listed: str, name: str, applications: Sequence[str]) -> Observation:
    try:
        enabled = _sso_adapter.enabled_in(_sso_adapter.parse_list(listed), name)
    except _sso_adapter.AdapterListError as error:
        return Unknown(f"the output of ssops -list could not be understood: {error}")
    shown = run_tool(host, ssops, ["-display", name]) if applications or enabled is None else ""
    failure = tool_error(shown)
    if enabled is None:
        # The form of the list is not public: not to be found in it proves nothing.
        if any(code.lower() in failure.lower() for code in _sso_adapter.NO_ADAPTER):
            return Absent()
        return Unknown(f"ssops -list does not name it, and ssops -display printed {failure or 'no error'}")
    if failure:
        return Unknown(f"ssops -display printed {failure}")
    try:
        assigned = _sso_adapter.applications_in(shown, applications) if applications else ()
    except _sso_adapter.AdapterListError as error:
        return Unknown(f"the output of ssops -display could not be understood: {error}")
    marker = read_marker(host, DEFINITION_MARKER.format(name.lower()))
    return Present(
        _sso_adapter.AdapterState(enabled=enabled, applications=assigned, definition=marker.value if marker else "")
    )
