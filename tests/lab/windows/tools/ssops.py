# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ssops: password sync adapters (entsso.md 2.4). Field names are documented; layout and exit codes are settings."""

from __future__ import annotations

from dataclasses import replace

from lab.settings import AdapterListLayout
from lab.sso import Adapter, SsoError, SsoSystem
from lab.sso_files import read_adapters
from lab.windows.console import Invocation
from lab.windows.entsso import SsoServer
from lab.windows.tools.sso_common import Command, check_account, content_of, say, tool, words

_FLAG_LABELS = (
    ("Allow local accounts", "allowLocalAccounts"),
    ("Receive password changes from adapter", "syncFromAdapter"),
    ("Verify old password", "verifyOldPassword"),
    ("Change Windows password", "changeWindowsPassword"),
    ("Send Windows password changes to adapter", "syncToAdapter"),
    ("Send old password to adapter", "sendOldPassword"),
    ("Allow mapping conflicts", "allowMappingConflicts"),
)


def _print(call: Invocation, line: str) -> None:
    width = call.host.settings.sso.list_width
    call.out(line[:width] if width else line)


def _list(call: Invocation, sso: SsoSystem, _server: SsoServer) -> bool:
    settings = call.host.settings.sso
    words(call, 0)
    if settings.list_header:
        say(call, "Using SSO server on this computer.")
        call.out()
    for adapter in sorted(sso.adapters.values(), key=lambda item: item.name.lower()):
        mark = settings.enabled_mark if adapter.enabled else settings.disabled_mark
        if settings.list_layout is AdapterListLayout.MARK_FIRST:
            _print(call, f"{mark} {adapter.name:<28} : {adapter.description}")
        else:
            _print(call, f"{adapter.name + ' ' + mark:<36}  {adapter.description}")
    return False


def _display(call: Invocation, sso: SsoSystem, _server: SsoServer) -> bool:
    _show(call, sso.adapter(words(call, 1)[0]))
    return False


def _show(call: Invocation, adapter: Adapter) -> None:
    settings = call.host.settings.sso

    def yes(value: bool) -> str:
        return settings.display_yes if value else settings.display_no

    lines = [
        ("Adapter name", adapter.name),
        ("Adapter type", "Password Sync Group Adapter" if adapter.group_adapter else "Password Sync Adapter"),
        ("Adapter description", adapter.description),
        ("Contact", adapter.contact),
        ("Computer", adapter.computer),
        ("Application Users account", adapter.user_account),
        ("Application Administrators account", adapter.admin_account),
        ("Adapter enabled", yes(adapter.enabled)),
        *((label, yes(adapter.flags[flag])) for label, flag in _FLAG_LABELS),
        ("Notification retry count", str(adapter.retry_count)),
        ("Notification retry delay (in mins)", str(adapter.retry_delay_minutes)),
        ("Maximum pending notifications", str(adapter.maximum_pending)),
        ("Store notifications (when offline)", str(adapter.store_offline)),
        ("Server name", adapter.server),
        ("Port number", str(adapter.port)),
    ]
    for label, value in lines:
        _print(call, f"{label:<42}: {value}".rstrip())
    call.out()
    _print(call, "Applications for this adapter:")
    for name in adapter.applications:
        _print(call, f"  {name}")


def _create(call: Invocation, sso: SsoSystem, _server: SsoServer) -> bool:
    settings = call.host.settings.sso
    adapters = read_adapters(content_of(call, words(call, 1)[0]), settings)
    for adapter in adapters:
        check_account(call, adapter.user_account)
        check_account(call, adapter.admin_account)
        if not settings.created_enabled:
            adapter.enabled = False
    for adapter in adapters:
        sso.add_adapter(adapter)
        _show(call, adapter)
    return True


def _update(call: Invocation, sso: SsoSystem, _server: SsoServer) -> bool:
    for new in read_adapters(content_of(call, words(call, 1)[0]), call.host.settings.sso):
        old = sso.adapter(new.name)
        check_account(call, new.user_account)
        check_account(call, new.admin_account)
        # "settings and flags only, not properties"; enabling has its own command.
        sso.adapters[old.name.lower()] = replace(
            old,
            description=new.description,
            contact=new.contact,
            computer=new.computer,
            user_account=new.user_account,
            admin_account=new.admin_account,
            flags=dict(new.flags),
        )
    return True


def _delete(call: Invocation, sso: SsoSystem, _server: SsoServer) -> bool:
    sso.delete_adapter(words(call, 1)[0])
    return True


def _enable(call: Invocation, sso: SsoSystem, _server: SsoServer) -> bool:
    sso.adapter(words(call, 1)[0]).enabled = True
    return True


def _disable(call: Invocation, sso: SsoSystem, _server: SsoServer) -> bool:
    sso.adapter(words(call, 1)[0]).enabled = False
    return True


def _add_application(call: Invocation, sso: SsoSystem, _server: SsoServer) -> bool:
    sso.assign(*words(call, 2))
    return True


def _delete_application(call: Invocation, sso: SsoSystem, _server: SsoServer) -> bool:
    sso.unassign(words(call, 1)[0])
    return True


def _reset(call: Invocation, sso: SsoSystem, server: SsoServer) -> bool:
    (what,) = words(call, 1)
    if what.lower() == "damping":
        if server.service is not None:
            server.service.delivery.reset_damping()
    elif what.lower() != "all":
        sso.adapter(what)
    return True


def _add_to_group(call: Invocation, sso: SsoSystem, _server: SsoServer) -> bool:
    sso.add_to_group(*words(call, 2))
    return True


def _delete_from_group(call: Invocation, sso: SsoSystem, _server: SsoServer) -> bool:
    sso.remove_from_group(*words(call, 2))
    return True


def _set_properties(call: Invocation, sso: SsoSystem, _server: SsoServer) -> bool:
    sso.adapter(words(call, 1)[0])
    raise SsoError(0x80004001, "The lab does not simulate the interactive -setprops.")


_COMMANDS: dict[str, Command] = {
    "-list": _list,
    "-display": _display,
    "-create": _create,
    "-update": _update,
    "-delete": _delete,
    "-enable": _enable,
    "-disable": _disable,
    "-addapp": _add_application,
    "-deleteapp": _delete_application,
    "-reset": _reset,
    "-addtogroup": _add_to_group,
    "-deletefromgroup": _delete_from_group,
    "-setprops": _set_properties,
}
ssops = tool(_COMMANDS)
