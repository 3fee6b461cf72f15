# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""pcnscfg: all verbs of pcns.md 3.

The text of `list` is Microsoft's sample; every other sentence, the exit codes and the ranges of targets are the lab's
own (UNKNOWN), so nothing may depend on them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from lab.directory import Directory, PcnsConfiguration, PcnsObjects, PcnsTarget
from lab.schema import CLASSES
from lab.settings import ListWithoutConfiguration
from lab.windows.console import Invocation, instant
from lab.windows.identity import HostRole

if TYPE_CHECKING:
    from lab.windows.host import SimulatedHost

MAXIMUM_TARGETS = 50
_UNLIMITED = (0, 4294967295)
_SERVICE = {
    "L": ("max_queue_length", _UNLIMITED),
    "A": ("max_queue_age", _UNLIMITED),
    "R": ("max_retries", (0, 1000)),
    "I": ("retry_interval", (10, 3600)),
}
_TARGET_SWITCHES = frozenset({"N", "A", "S", "FI", "FE", "F", "I", "D", "WL", "WI"})
_COMMON = frozenset({"SERVER", "USER", "PASSWORD"})
_SWITCHES = {
    "list": frozenset[str](),
    "service": frozenset(_SERVICE),
    "addtarget": _TARGET_SWITCHES,
    "modifytarget": _TARGET_SWITCHES,
    "securetarget": frozenset({"N", "FI", "FE"}),
    "deletetarget": frozenset({"N"}),
    "disabletarget": frozenset({"N"}),
    "enabletarget": frozenset({"N"}),
}


class _Refused(Exception):
    pass


@instant
def pcnscfg(call: Invocation) -> int:
    """Runs one verb against the directory of a DC."""
    if not call.arguments or call.arguments[0] in ("/?", "-?"):
        call.out("Verbs: " + ", ".join(_SWITCHES))
        return 0
    verb = call.arguments[0].lower()
    try:
        if verb not in _SWITCHES:
            raise _Refused(f"Unknown verb '{call.arguments[0]}'.")
        if "/?" in call.arguments:
            call.out(f"{verb} " + " ".join(f"/{name}:" for name in sorted(_SWITCHES[verb])))
            return 0
        switches = _parse(call.arguments[1:], _SWITCHES[verb])
        server = _server(call.host, switches)
        directory = call.host.surroundings.directory_of(server.identity.domain)
        objects = directory.pcns(server.identity.name)
        if verb == "list":
            return _list(call, directory, objects)
        if not set(CLASSES) <= directory.schema.view(server.identity.fqdn):
            raise _Refused("The PCNS classes are not in the schema.")
        if server.identity.role is HostRole.READ_ONLY_DC:
            raise _Refused("The domain controller is read-only.")
        changed = _change(call, verb, switches, directory, objects)
        if changed != objects:
            directory.set_pcns(changed, server.identity.name)
    except _Refused as error:
        call.error(f"Error: {error}")
        return call.host.settings.pcns.failure_exit_code
    call.out("The command completed successfully.")
    return 0


def _parse(arguments: tuple[str, ...], known: frozenset[str]) -> dict[str, str]:
    switches: dict[str, str] = {}
    for argument in arguments:
        match = re.fullmatch(r"/([A-Za-z]+):(.*)", argument, re.DOTALL)
        name = match[1].upper() if match else ""
        if match is None or (name not in known and name not in _COMMON):
            raise _Refused(f"Invalid parameter '{argument}'.")
        switches[name] = match[2]
    return switches


def _server(host: SimulatedHost, switches: Mapping[str, str]) -> SimulatedHost:
    name = switches.get("SERVER")
    found = host.surroundings.find_host(name) if name else host
    if found is None or not found.power.on or not found.identity.role.is_dc:
        raise _Refused("The specified domain either does not exist or could not be contacted.")
    return found


def _change(
    call: Invocation, verb: str, switches: Mapping[str, str], directory: Directory, objects: PcnsObjects
) -> PcnsObjects:
    if verb == "service":
        configuration = objects.configuration or PcnsConfiguration()
        for switch, (attribute, allowed) in _SERVICE.items():
            if switch in switches:
                configuration = replace(configuration, **{attribute: _number(switches[switch], allowed)})
        return replace(objects, configuration=configuration)
    name = switches.get("N", "")
    if not name:
        raise _Refused("The parameter /N is required.")
    existing = objects.target(name)
    if verb == "addtarget":
        return _add(call, name, switches, directory, objects)
    if existing is None:
        raise _Refused(f"The target '{name}' does not exist.")
    if verb == "deletetarget":
        return objects.without_target(name)
    if verb in ("disabletarget", "enabletarget"):
        return objects.with_target(replace(existing, disabled=verb == "disabletarget"))
    if verb == "securetarget" and switches.get("FE") == "":
        call.out("Warning: the exclusion group is removed.")
    return objects.with_target(_apply(call, existing, switches, directory))


def _add(
    call: Invocation, name: str, switches: Mapping[str, str], directory: Directory, objects: PcnsObjects
) -> PcnsObjects:
    settings = call.host.settings.pcns
    missing = [item for item in ("A", "S", "FI") if not switches.get(item)]
    if missing:
        raise _Refused(f"The parameter /{missing[0]} is required.")
    if objects.target(name) is not None:
        raise _Refused(f"The target '{name}' already exists.")
    if len(objects.targets) >= MAXIMUM_TARGETS:
        raise _Refused(f"There are already {MAXIMUM_TARGETS} targets.")
    if objects.configuration is None:
        if not settings.addtarget_creates_configuration:
            raise _Refused("The service object does not exist.")
        objects = replace(objects, configuration=PcnsConfiguration())
    target = PcnsTarget(
        name=name,
        guid=directory.new_guid(name),
        server="",
        spn="",
        inclusion_sid="",
        exclusion_sid=None,
        user_name_format=settings.new_target_user_name_format,
        keep_alive=settings.new_target_keep_alive,
        warning_level=settings.new_target_warning_level,
        warning_interval=settings.new_target_warning_interval,
        disabled=False,
    )
    return objects.with_target(_apply(call, target, switches, directory))


def _apply(call: Invocation, target: PcnsTarget, switches: Mapping[str, str], directory: Directory) -> PcnsTarget:
    allowed = call.host.settings.pcns.target_value_range
    for switch, value in switches.items():
        if switch == "A":
            target = replace(target, server=value)
        elif switch == "S":
            target = replace(target, spn=value)
        elif switch == "FI":
            target = replace(target, inclusion_sid=_group(directory, value))
        elif switch == "FE":
            target = replace(target, exclusion_sid=_group(directory, value) if value else None)
        elif switch == "F":
            target = replace(target, user_name_format=_number(value, (1, 3)))
        elif switch == "D":
            if value.lower() not in ("true", "false"):
                raise _Refused(f"'{value}' is neither True nor False.")
            target = replace(target, disabled=value.lower() == "true")
        elif switch == "I":
            target = replace(target, keep_alive=_number(value, allowed))
        elif switch == "WL":
            target = replace(target, warning_level=_number(value, allowed))
        elif switch == "WI":
            target = replace(target, warning_interval=_number(value, allowed))
    return target


def _group(directory: Directory, name: str) -> str:
    group = directory.find_group(name)
    if group is None:
        raise _Refused(f"The group '{name}' could not be found.")
    return group.sid


def _number(value: str, allowed: tuple[int, int]) -> int:
    if not value.isdigit() or not allowed[0] <= int(value) <= allowed[1]:
        raise _Refused(f"'{value}' is not between {allowed[0]} and {allowed[1]}.")
    return int(value)


def _list(call: Invocation, directory: Directory, objects: PcnsObjects) -> int:
    settings = call.host.settings.pcns
    configuration = objects.configuration
    if configuration is None:
        if settings.list_without_configuration is ListWithoutConfiguration.ERROR:
            call.error(
                "Error: the Password Change Notification Service configuration was not found in Active Directory."
            )
            return settings.failure_exit_code
        configuration = PcnsConfiguration()
    blank = [""] if settings.list_blank_lines else []
    lines = [
        f"MaxQueueLength........: {configuration.max_queue_length}",
        f"MaxQueueAge...........: {configuration.max_queue_age} seconds",
        f"MaxNotificationRetries: {configuration.max_retries}",
        f"RetryInterval.........: {configuration.retry_interval} seconds",
        *blank,
        "Targets",
        *blank,
    ]
    for target in objects.targets:
        lines += [" " * settings.list_indent + line for line in _target_lines(call, directory, target)] + blank
    for line in [*lines, f"Total targets: {len(objects.targets)}"]:
        call.out(line)
    return 0


def _target_lines(call: Invocation, directory: Directory, target: PcnsTarget) -> list[str]:
    settings = call.host.settings.pcns

    def group(sid: str | None) -> str:
        found = directory.groups.get(sid or "")
        if found is None:
            return sid or ""
        return f"{directory.netbios_name}\\{found.name}" if settings.list_prints_group_domain else found.name

    lines = [
        f"Target Name...........: {target.name}",
        f"Target GUID...........: {target.guid}",
        f"Server FQDN or Address: {target.server}",
        f"Service Principal Name: {target.spn}",
        "Authentication Service: Kerberos",
        f"Inclusion Group Name..: {group(target.inclusion_sid)}",
        f"Exclusion Group Name..: {group(target.exclusion_sid)}".rstrip(),
        f"Keep Alive Interval...: {target.keep_alive} seconds",
        f"User Name Format......: {target.user_name_format}",
        f"Queue Warning Level...: {target.warning_level}",
        f"Queue Warning Interval: {target.warning_interval} minutes",
        f"Disabled..............: {target.disabled}",
    ]
    return [line for line in lines if settings.list_prints_user_name_format or not line.startswith("User Name Format")]
