# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ssoconfig: settings of one server (entsso.md 2.1). Its texts and exit codes are the lab's own (UNKNOWN)."""

from __future__ import annotations

from lab.settings import SyncAgeDisplay
from lab.sso import SsoSystem
from lab.windows.console import Invocation
from lab.windows.entsso import DATABASE_KEY, SsoServer
from lab.windows.tools.sso_common import Command, UsageError, tool, words


def _yes(value: str) -> bool:
    # "yes/no/on/off are case-independent and invariant across languages" is published for ssomanage -tickets.
    if value.lower() not in ("yes", "no", "on", "off"):
        raise UsageError
    return value.lower() in ("yes", "on")


def _sync_age(call: Invocation, _sso: SsoSystem, server: SsoServer) -> bool:
    if len(call.arguments) == 1:
        if call.host.settings.sso.sync_age_display is SyncAgeDisplay.ERROR:
            raise UsageError
        label = (
            "Max. Alter der Kennwortsynchronisierung"
            if call.host.settings.sso.localised
            else "Password sync age (hours)"
        )
        call.out(f"{label}: {server.sync_age_hours}")
        return False
    (hours,) = words(call, 1)
    if not hours.isdigit():
        raise UsageError
    server.sync_age_hours = int(hours)
    return True


def _allow(call: Invocation, _sso: SsoSystem, server: SsoServer) -> bool:
    source, value = words(call, 2)
    allowed = _yes(value)
    if not allowed and not call.host.settings.sso.allow_ps_no:
        raise UsageError
    if source.upper() == "PCNS":
        server.allow_pcns = allowed
    elif source.upper() == "MIIS":
        server.allow_miis = allowed
    else:
        raise UsageError
    return True


def _remote_lookup(call: Invocation, _sso: SsoSystem, server: SsoServer) -> bool:
    server.remote_lookup = _yes(words(call, 1)[0])
    return True


def _replay_files(call: Invocation, _sso: SsoSystem, server: SsoServer) -> bool:
    (folder,) = words(call, 1)
    server.replay_folder = "" if folder.lower() == "-default" else folder
    return True


def _ssl(call: Invocation, _sso: SsoSystem, server: SsoServer) -> bool:
    server.ssl = _yes(words(call, 1)[0])
    return True


def _audit_level(call: Invocation, _sso: SsoSystem, server: SsoServer) -> bool:
    levels = words(call, 2)
    if any(item not in ("0", "1", "2", "3") for item in levels):
        raise UsageError
    server.audit_levels = (int(levels[0]), int(levels[1]))
    return True


def _show_database(call: Invocation, _sso: SsoSystem, _server: SsoServer) -> bool:
    call.out(f"SQL Server   : {call.host.registry.string(DATABASE_KEY, 'Server')}")
    call.out(f"SSO database : {call.host.registry.string(DATABASE_KEY, 'Database')}")
    return False


_COMMANDS: dict[str, Command] = {
    "-syncage": _sync_age,
    "-allowps": _allow,
    "-remotelookup": _remote_lookup,
    "-replayfiles": _replay_files,
    "-setssl": _ssl,
    "-auditlevel": _audit_level,
    "-showdb": _show_database,
}
ssoconfig = tool(_COMMANDS)
