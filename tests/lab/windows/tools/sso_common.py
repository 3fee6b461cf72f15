# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the ENTSSO tools have in common: how they say that something worked or not (entsso.md 2)."""

from __future__ import annotations

from collections.abc import Callable

from lab.sso import SsoError, SsoSystem
from lab.windows.console import Invocation, Program, instant
from lab.windows.entsso import SERVICE, SsoServer
from lab.windows.files import normal

RPC_UNAVAILABLE = 0x800706BA
FILE_NOT_FOUND = 0x80070002
INVALID_PARAMETER = 0x80070057
_GERMAN = {
    "The operation completed successfully.": "Der Vorgang wurde erfolgreich beendet.",
    "Using SSO server on this computer.": "SSO-Server auf diesem Computer wird verwendet.",
}


class UsageError(Exception):
    """The arguments are not understood."""


Command = Callable[[Invocation, SsoSystem, SsoServer], bool]
"""Does the work; True when "the operation completed successfully" is still to be printed."""


def tool(commands: dict[str, Command]) -> Program:
    """Makes a program of commands by their first argument, `-list` and so on, without regard to case."""

    @instant
    def run(call: Invocation) -> int:
        settings = call.host.settings.sso
        name = call.arguments[0].lower() if call.arguments else "-help"
        if name in ("-help", "-?", "/?"):
            for option in sorted(commands):
                call.out(f"{option:<17}: see the documentation")
            return settings.success_exit_code
        command = commands.get(name)
        try:
            if command is None:
                raise UsageError
            server = call.host.sso_server
            if server is None or not call.host.services.is_running(SERVICE):
                raise SsoError(RPC_UNAVAILABLE, "The RPC server is unavailable.")
            if command(call, call.host.surroundings.sso, server):
                say(call, "The operation completed successfully.")
        except UsageError:
            call.out("ERROR: 0x80070057: The parameter is incorrect.")
            return settings.failure_exit_code
        except SsoError as error:
            call.out(f"{'FEHLER' if settings.localised else 'ERROR'}: 0x{error.code:08X}: {error}")
            return settings.failure_exit_code
        return settings.success_exit_code

    return run


def say(call: Invocation, text: str) -> None:
    """Prints a sentence, in German where the setting says so."""
    call.out(_GERMAN.get(text, text) if call.host.settings.sso.localised else text)


def words(call: Invocation, count: int) -> tuple[str, ...]:
    """Returns exactly so many arguments behind the command.

    Raises:
        UsageError: There are more or fewer.
    """
    found = call.arguments[1:]
    if len(found) != count or any(not item for item in found):
        raise UsageError
    return found


def content_of(call: Invocation, path: str) -> bytes:
    """Returns the content of a file.

    Raises:
        SsoError: There is none.
    """
    file = call.host.files.get(normal(path, call.folder))
    if file is None or file.content is None:
        raise SsoError(FILE_NOT_FOUND, "The system cannot find the file specified.")
    return file.content


def check_account(call: Invocation, account: str) -> None:
    """Makes sure that an account is a group of the domain: an access account must be one (entsso.md 3.4).

    Raises:
        SsoError: It is not.
    """
    directory = call.host.surroundings.directory_of(call.host.identity.domain)
    for item in filter(None, (part.strip() for part in account.split(";"))):
        if directory.find_group(item) is None:
            raise SsoError(10786)
