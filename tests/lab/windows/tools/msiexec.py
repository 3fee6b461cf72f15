# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""msiexec: its own command line grammar (wsman.md 3.2), then the installer. Exit codes: wsman.md 3.4."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from lab.windows.command_line import NotMsiexec, msiexec_property, msiexec_words
from lab.windows.console import Forever, Invocation, Job, Sleep
from lab.windows.files import normal
from lab.windows.installer import BUSY, Action, Request
from lab.windows.msi.log import Log

INVALID_COMMAND_LINE = 1639
CANNOT_OPEN_LOG = 1622
_ACTIONS = {"i": Action.INSTALL, "package": Action.INSTALL, "x": Action.REMOVE, "uninstall": Action.REMOVE}


@dataclass
class Parsed:
    """A command line of msiexec."""

    action: Action | None = None
    package: str = ""
    properties: dict[str, str] = field(default_factory=dict)
    quiet: bool = False
    suppress_restart: bool = False
    force_restart: bool = False
    log: str = ""


def msiexec(call: Invocation) -> Job:
    """Runs one installation."""
    host = call.host
    if host.faults.msiexec_exit_code is not None:
        yield Sleep(host.settings.windows.install_seconds)
        return host.faults.msiexec_exit_code
    try:
        parsed = parse(call.tail)
    except NotMsiexec:
        return INVALID_COMMAND_LINE
    if parsed.action is None:
        return INVALID_COMMAND_LINE
    log_path = normal(parsed.log, call.folder) if parsed.log else ""
    if log_path and not host.files.is_folder(log_path.rpartition("\\")[0]):
        return CANNOT_OPEN_LOG
    if not parsed.quiet:
        # A dialog on a desktop that nobody sees.
        yield Forever()
    if host.faults.installer_busy > 0 or host.installer.active:
        host.faults.installer_busy = max(0, host.faults.installer_busy - 1)
        return BUSY
    log = Log(host.now)
    log.note(f"******* Product: {parsed.package}")
    host.installer.active = True
    try:
        yield Sleep(host.settings.windows.install_seconds)
        package = parsed.package if parsed.package.startswith("{") else normal(parsed.package, call.folder)
        request = Request(
            parsed.action, package, parsed.properties, parsed.suppress_restart, parsed.force_restart, call.user
        )
        exit_code = host.installer.run(request, log)
    finally:
        host.installer.active = False
    if log_path:
        # The log is open before anything is installed: it has its room even when the disk then turns out to be full.
        host.files.write(log_path, log.content(exit_code), host.now(), reserved=True)
    return exit_code


def parse(tail: str) -> Parsed:
    """Parses the command line behind `msiexec`.

    Raises:
        NotMsiexec: It is not understood (exit code 1639).
    """
    words = msiexec_words(tail)
    parsed = Parsed()
    while words:
        word = words.pop(0)
        if word[0] in "/-":
            _option(word[1:].lower(), words, parsed)
            continue
        name, value = msiexec_property(word)
        parsed.properties[name] = value
    return parsed


def _option(option: str, words: list[str], parsed: Parsed) -> None:
    if option in _ACTIONS:
        parsed.action, parsed.package = _ACTIONS[option], _take(words)
    elif re.fullmatch(r"f[pecmsuvaod]*", option):
        parsed.action, parsed.package = Action.REPAIR, _take(words)
        parsed.properties.setdefault("REINSTALL", "ALL")
        parsed.properties.setdefault("REINSTALLMODE", option[1:] or "omus")
    elif re.fullmatch(r"q([nb][+\-!]*)?", option) or option in ("quiet", "passive"):
        parsed.quiet = True
    elif option in ("qr", "qf"):
        parsed.quiet = False
    elif option == "norestart":
        parsed.suppress_restart = True
    elif option == "forcerestart":
        parsed.force_restart = True
    elif option == "promptrestart":
        pass
    elif re.fullmatch(r"l[iwearucmopvx+!*]*", option) or option == "log":
        parsed.log = _take(words)
    else:
        raise NotMsiexec(option)


def _take(words: list[str]) -> str:
    if not words or words[0].startswith("/"):
        raise NotMsiexec("an argument is missing")
    return words.pop(0)
