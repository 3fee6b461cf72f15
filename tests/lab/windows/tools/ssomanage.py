# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ssomanage: the whole SSO system, applications and mappings (entsso.md 2.2).

Its texts are the lab's own but for the published fragments; exit codes are settings.
"""

from __future__ import annotations

from dataclasses import replace

from lab.sso import Application, Mapping, SsoError, SsoSystem
from lab.sso_files import read_applications, read_global_info, read_mappings
from lab.windows.console import Invocation
from lab.windows.entsso import DATABASE_KEY, SsoServer
from lab.windows.tools.sso_common import Command, UsageError, check_account, content_of, say, tool, words


def _switch(call: Invocation, sso: SsoSystem, value: bool) -> bool:
    names = {"winsync": "windows_sync", "extsync": "external_sync", "hisso": "host_initiated"}
    name = names.get(words(call, 1)[0].lower())
    if name is None:
        raise UsageError
    setattr(sso, name, value)
    return True


def _enable_sso(call: Invocation, sso: SsoSystem, _server: SsoServer) -> bool:
    words(call, 0)
    sso.enabled = True
    return True


def _disable_sso(call: Invocation, sso: SsoSystem, _server: SsoServer) -> bool:
    words(call, 0)
    sso.enabled = False
    return True


def _display_database(call: Invocation, sso: SsoSystem, _server: SsoServer) -> bool:
    registry, info = call.host.registry, sso.global_info
    rows = (
        ("SQL Server", registry.string(DATABASE_KEY, "Server")),
        ("Single Sign-On database", registry.string(DATABASE_KEY, "Database")),
        ("Single Sign-On Secret Server name", info.get("secretserver", "")),
        ("SSO Administrators account", info.get("ssoadminaccount", "")),
        ("SSO Affiliate Administrators account", info.get("ssoaffiliateadminaccount", "")),
        ("Size of audit table for deleted applications", info.get("auditdeletedapps", "1000")),
        ("Size of audit table for deleted mappings", info.get("auditdeletedmappings", "1000")),
        ("Size of audit table for external credential lookups", info.get("auditcredentiallookups", "1000")),
        ("Ticket timeout (in minutes)", info.get("tickettimeout", "2")),
        ("Credential cache timeout (in minutes)", info.get("credcachetimeout", "60")),
        ("Single Sign-On Status", "enabled" if sso.enabled else "disabled"),
        ("Tickets allowed", "yes" if sso.tickets_allowed else "no"),
        ("Validate tickets", "yes" if sso.tickets_validated else "no"),
    )
    for label, value in rows:
        call.out(f"{label:<52}: {value}")
    return False


def _update_database(call: Invocation, sso: SsoSystem, _server: SsoServer) -> bool:
    sso.global_info.update(read_global_info(content_of(call, words(call, 1)[0])))
    return True


def _tickets(call: Invocation, sso: SsoSystem, _server: SsoServer) -> bool:
    values = [item.lower() for item in words(call, 2)]
    if any(item not in ("yes", "no", "on", "off") for item in values):
        raise UsageError
    sso.tickets_allowed, sso.tickets_validated = (item in ("yes", "on") for item in values)
    return True


def _show_server(call: Invocation, _sso: SsoSystem, _server: SsoServer) -> bool:
    say(call, "Using SSO server on this computer.")
    return False


def _set_server(call: Invocation, _sso: SsoSystem, _server: SsoServer) -> bool:
    words(call, 1)
    return True


def _create_applications(call: Invocation, sso: SsoSystem, _server: SsoServer) -> bool:
    applications = read_applications(content_of(call, words(call, 1)[0]))
    for application in applications:
        check_account(call, application.user_account)
        check_account(call, application.admin_account)
        if not call.host.settings.sso.application_created_enabled:
            application.enabled = False
    for application in applications:
        sso.add_application(application)
    return True


def _update_applications(call: Invocation, sso: SsoSystem, _server: SsoServer) -> bool:
    for new in read_applications(content_of(call, words(call, 1)[0])):
        old = sso.application(new.name)
        # Name, fields and type can't be changed afterwards (entsso.md 3.2).
        sso.applications[old.name.lower()] = replace(
            old,
            description=new.description,
            contact=new.contact,
            user_account=new.user_account,
            admin_account=new.admin_account,
            enabled=new.enabled,
            flags={**old.flags, **new.flags},
        )
    return True


def _delete_application(call: Invocation, sso: SsoSystem, _server: SsoServer) -> bool:
    sso.delete_application(words(call, 1)[0])
    return True


def _enable_application(call: Invocation, sso: SsoSystem, _server: SsoServer) -> bool:
    sso.application(words(call, 1)[0]).enabled = True
    return True


def _disable_application(call: Invocation, sso: SsoSystem, _server: SsoServer) -> bool:
    sso.application(words(call, 1)[0]).enabled = False
    return True


def _list_applications(call: Invocation, sso: SsoSystem, _server: SsoServer) -> bool:
    everything = [item.lower() for item in call.arguments[1:]] == ["all"]
    if call.arguments[1:] and not everything:
        raise UsageError
    say(call, "Using SSO server on this computer.")
    call.out()
    call.out(f"Applications available for {call.user} -")
    for application in sorted(sso.applications.values(), key=lambda item: item.name.lower()):
        if everything or application.kind != "Config Store":
            call.out(f"{application.name}")
    return False


def _display_application(call: Invocation, sso: SsoSystem, _server: SsoServer) -> bool:
    application = sso.application(words(call, 1)[0])
    rows = [
        ("Application name", application.name),
        ("Application type", application.kind),
        ("Description", application.description),
        ("Contact", application.contact),
        ("Application Users account", application.user_account),
        ("Application Administrators account", application.admin_account),
        ("Application enabled", "Yes" if application.enabled else "No"),
        *(
            (f"Field {index}", f"{label}{' (masked)' if masked else ''}")
            for index, (label, masked) in enumerate(application.fields)
        ),
    ]
    for label, value in rows:
        call.out(f"{label:<36}: {value}".rstrip())
    return False


def _is_application_user(call: Invocation, mapping: Mapping, application: Application) -> bool:
    directory = call.host.surroundings.directory_of(call.host.identity.domain)
    if mapping.domain.lower() != directory.netbios_name.lower():
        raise SsoError(10841)
    user = directory.users.get(mapping.user.lower())
    groups = [directory.find_group(item.strip()) for item in application.user_account.split(";") if item.strip()]
    if user is None:
        raise SsoError(10786)
    return not groups or any(group is not None and directory.is_member(user, group.sid) for group in groups)


def _create_mappings(call: Invocation, sso: SsoSystem, _server: SsoServer) -> bool:
    for mapping in read_mappings(content_of(call, words(call, 1)[0])):
        sso.add_mapping(mapping, lambda item, application: _is_application_user(call, item, application))
    return True


def _delete_mappings(call: Invocation, sso: SsoSystem, _server: SsoServer) -> bool:
    for mapping in read_mappings(content_of(call, words(call, 1)[0])):
        sso.mappings.remove(_found(sso, f"{mapping.domain}\\{mapping.user}", mapping.application))
    return True


def _found(sso: SsoSystem, account: str, application: str) -> Mapping:
    domain, _unused, user = account.rpartition("\\")
    mapping = sso.find_mapping(domain, user, sso.application(application).name)
    if mapping is None:
        raise SsoError(10835)
    return mapping


def _delete_mapping(call: Invocation, sso: SsoSystem, _server: SsoServer) -> bool:
    sso.mappings.remove(_found(sso, *words(call, 2)))
    return True


def _enable_mapping(call: Invocation, sso: SsoSystem, _server: SsoServer) -> bool:
    _found(sso, *words(call, 2)).enabled = True
    return True


def _disable_mapping(call: Invocation, sso: SsoSystem, _server: SsoServer) -> bool:
    _found(sso, *words(call, 2)).enabled = False
    return True


def _list_mappings(call: Invocation, sso: SsoSystem, _server: SsoServer) -> bool:
    found = call.arguments[1:]
    if not 1 <= len(found) <= 2:
        raise UsageError
    account = next((item.lower() for item in found if "\\" in item), None)
    application = next((item.lower() for item in found if "\\" not in item), None)
    for mapping in sso.mappings:
        name = f"{mapping.domain}\\{mapping.user}"
        if account in (None, name.lower()) and application in (None, mapping.application.lower()):
            state = "enabled" if mapping.enabled else "disabled"
            call.out(f"{name}  {mapping.application}  {mapping.external_user}  {state}")
    return False


def _purge_cache(call: Invocation, sso: SsoSystem, _server: SsoServer) -> bool:
    sso.application(words(call, 1)[0])
    return True


_COMMANDS: dict[str, Command] = {
    "-enable": lambda call, sso, _server: _switch(call, sso, True),
    "-disable": lambda call, sso, _server: _switch(call, sso, False),
    "-enablesso": _enable_sso,
    "-disablesso": _disable_sso,
    "-displaydb": _display_database,
    "-updatedb": _update_database,
    "-tickets": _tickets,
    "-showserver": _show_server,
    "-server": _set_server,
    "-serverall": _set_server,
    "-createapps": _create_applications,
    "-updateapps": _update_applications,
    "-deleteapp": _delete_application,
    "-enableapp": _enable_application,
    "-disableapp": _disable_application,
    "-listapps": _list_applications,
    "-displayapp": _display_application,
    "-createmappings": _create_mappings,
    "-deletemappings": _delete_mappings,
    "-deletemapping": _delete_mapping,
    "-enablemapping": _enable_mapping,
    "-disablemapping": _disable_mapping,
    "-listmappings": _list_mappings,
    "-purgecache": _purge_cache,
}
ssomanage = tool(_COMMANDS)
