# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""setup.exe of `Platforms\\SSO`: adds and removes Password Synchronization.

Which switches it takes, what its feature is called and what it returns is UNKNOWN (entsso.md 1.2): all of it is a
setting.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from lab.settings import SetupStyle
from lab.windows.console import Forever, Invocation, Job, Sleep
from lab.windows.entsso import FEATURE_FILES, FEATURES, FOLDER, PRODUCT_CODE, SERVICE, put_program
from lab.windows.files import DiskFull, normal
from lab.windows.guid import packed

FATAL = 1603
FEATURE_KEY = rf"SOFTWARE\Classes\Installer\Features\{packed(PRODUCT_CODE)}"


@dataclass
class _Options:
    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    log: str = ""
    quiet: bool = False


def setup(call: Invocation) -> Job:
    """Runs set-up."""
    settings = call.host.settings
    style = settings.sso.setup_style
    options = _biztalk(call.arguments) if style is SetupStyle.BIZTALK else _msi_properties(call.arguments)
    known = {*FEATURES, settings.sso.feature_id, "ALL"}
    if options is None or not (options.add or options.remove) or not {*options.add, *options.remove} <= known:
        return settings.sso.setup_usage_exit_code
    if not options.quiet:
        yield Forever()
    yield Sleep(settings.windows.setup_seconds)
    exit_code = _carry_out(call, options)
    if options.log:
        _write_log(call, options.log, exit_code)
    return exit_code


def _biztalk(arguments: tuple[str, ...]) -> _Options | None:
    """Switches of BizTalk's own setup (entsso.md 1.2): case does not matter, values follow behind a blank."""
    options = _Options()
    words = list(arguments)
    while words:
        word = words.pop(0).lower().replace("-", "/", 1)
        if word in ("/quiet", "/passive"):
            options.quiet = True
        elif word in ("/norestart", "/noceip", "/ignoredependencies"):
            continue
        elif word in ("/addlocal", "/remove") and words:
            names = tuple(words.pop(0).split(","))
            options.add, options.remove = (names, options.remove) if word == "/addlocal" else (options.add, names)
        elif word == "/l" and words:
            options.log = words.pop(0)
        else:
            return None
    return options


def _msi_properties(arguments: tuple[str, ...]) -> _Options | None:
    """Switches of Windows Installer."""
    options = _Options()
    words = list(arguments)
    while words:
        word = words.pop(0)
        match = re.fullmatch(r"(ADDLOCAL|REMOVE)=(.+)", word)
        if match is not None:
            names = tuple(match[2].split(","))
            options.add, options.remove = (names, options.remove) if match[1] == "ADDLOCAL" else (options.add, names)
        elif word.lower() in ("/qn", "/quiet", "/passive"):
            options.quiet = True
        elif word.lower() == "/norestart":
            continue
        elif word.lower().startswith("/l") and words:
            options.log = words.pop(0)
        else:
            return None
    return options


def _carry_out(call: Invocation, options: _Options) -> int:
    host, feature = call.host, call.host.settings.sso.feature_id
    before = host.files.checkpoint()
    programs = (*FEATURE_FILES, "SSOPS.exe")
    try:
        if feature in options.add or "ALL" in options.add:
            for name in programs:
                put_program(host, f"{FOLDER}\\{name}")
            host.registry.set_string(FEATURE_KEY, feature, FEATURES[0])
        elif feature in options.remove or "ALL" in options.remove:
            for name in programs:
                if name != "SSOPS.exe" or not host.settings.sso.ssops_before_feature:
                    host.files.delete(f"{FOLDER}\\{name}")
            host.registry.delete_value(FEATURE_KEY, feature)
    except DiskFull:
        host.files.restore(before)
        return FATAL
    if host.settings.sso.setup_restarts_service and host.services.is_running(SERVICE):
        host.services.stop(SERVICE)
        host.services.start(SERVICE)
    return host.settings.sso.setup_exit_code


def _write_log(call: Invocation, path: str, exit_code: int) -> None:
    """Appends to the log, as BizTalk's setup does."""
    path = normal(path, call.folder)
    before = call.host.files.get(path)
    line = f"Setup ended with {exit_code}\r\n".encode()
    try:
        call.host.files.write(path, (before.content or b"" if before else b"") + line, call.host.now())
    except (DiskFull, FileNotFoundError):
        call.error("The log could not be written.")
