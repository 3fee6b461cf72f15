# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""msiexec: its command line, and what its exit codes mean.

Sources: Microsoft win32 documentation, desktop-src/Msi: command-line-options.md, error-codes.md,
standard-installer-command-line-options.md; wsman.md 3.2 and 3.4; pcns.md 2 and 10.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import Unquotable
from ansible_collections.entsso.password_sync.plugins.module_utils._quoting import cmd_path, msiexec_property
from ansible_collections.entsso.password_sync.plugins.module_utils.msi._msi_log import telling_lines

__all__ = ["MsiOutcome", "install_command", "outcome_of", "remove_command", "repair_command", "telling_lines"]

_PRODUCT_CODE = re.compile(r"\{[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\}")
_ABSOLUTE_PATH = re.compile(r"(?:[A-Za-z]:\\|\\\\[^\\]+\\[^\\]+\\)[^<>|?*]*[^<>|?*\\]")
_REPAIR_MODES = re.compile(r"[poedcaumsv]+")
_NOT_TO_SET = {
    "REBOOT": "Leave it out: the collection decides on restarts",
    "REBOOTPROMPT": "Leave it out: the collection decides on restarts",
}
"""`/norestart` is REBOOT=ReallySuppress; a second value for it would restart a domain controller unasked."""


@dataclass(frozen=True)
class MsiOutcome:
    """What an exit code of msiexec means.

    Attributes:
        code: The exit code, 0 or more.
        name: Its name in Windows' headers, `unknown` when this collection does not know it.
        succeeded: Whether the product is now as was asked for.
        restart_required: Whether Windows must restart before all of it takes effect.
        retry: Whether the same command may well succeed a little later.
        sentence: What happened.
        remedy: What to do; empty when there is nothing to do.
    """

    code: int
    name: str
    succeeded: bool
    restart_required: bool
    retry: bool
    sentence: str
    remedy: str

    @property
    def restart_started(self) -> bool:
        """Whether the installer has already begun a restart, which `/norestart` should prevent."""
        return self.code == 1641

    @property
    def not_installed(self) -> bool:
        """Whether the product was not there: for a removal this is the wanted state."""
        return self.code == 1605


def install_command(package: str, log: str, *, properties: Mapping[str, str] | None = None) -> str:
    r"""Returns the command line that installs or upgrades a package without anybody present.

    Args:
        package: Absolute path of the .msi on the host.
        log: Absolute path for the verbose log; its folder must exist, else msiexec ends with 1622.
        properties: Public properties. Their values appear in the log unless the package hides them.

    Returns:
        For example `msiexec.exe /i "C:\m\p.msi" /qn /norestart /l*v "C:\m\p.log" ACCEPT_EULA="1"`.

    Raises:
        Unquotable: A path is not absolute, a name is no public property, or a value cannot pass cmd unchanged.
    """
    return _command("/i", _path(package, "package"), log, properties)


def remove_command(product: str, log: str, *, properties: Mapping[str, str] | None = None) -> str:
    """Returns the command line that removes a product, named by its product code or its package.

    Raises:
        Unquotable: See `install_command`.
    """
    return _command("/x", _product(product), log, properties)


def repair_command(product: str, log: str, *, mode: str = "omus") -> str:
    """Returns the command line that repairs a product, named by its product code or its package.

    Args:
        product: Product code in braces, or absolute path.
        log: See `install_command`.
        mode: What is renewed, letters of `REINSTALLMODE`; msiexec ignores properties with `/f`, so there are none.

    Raises:
        Unquotable: See `install_command`; or the mode has other letters.
    """
    if not _REPAIR_MODES.fullmatch(mode):
        raise Unquotable("", "repair mode", f"{mode!r} is none", "Use letters of p o e d c a u m s v")
    return _command(f"/f{mode}", _product(product), log, None)


def _command(operation: str, target: str, log: str, properties: Mapping[str, str] | None) -> str:
    # /norestart always: without it /qn restarts the computer "whenever necessary without displaying any prompt".
    parts = ["msiexec.exe", operation, target, "/qn", "/norestart", "/l*v", _path(log, "log")]
    for name, value in (properties or {}).items():
        if name in _NOT_TO_SET:
            raise Unquotable("", f"MSI property {name}", "it contradicts /norestart", _NOT_TO_SET[name])
        parts.append(msiexec_property(name, value))
    return " ".join(parts)


def _product(product: str) -> str:
    return product if _PRODUCT_CODE.fullmatch(product) else _path(product, "package")


def _path(path: str, what: str) -> str:
    if not _ABSOLUTE_PATH.fullmatch(path):
        raise Unquotable(
            "",
            f"{what} {path!r}",
            "it is no absolute path of a file on Windows",
            r"Give a path such as C:\folder\file or \\server\share\file",
        )
    return cmd_path(path)


def outcome_of(exit_code: int) -> MsiOutcome:
    """Returns what an exit code of msiexec means; codes that are not known count as failures.

    Args:
        exit_code: As Windows gave it; negative numbers are read as the unsigned code they stand for.
    """
    code = exit_code & 0xFFFF_FFFF
    known = _OUTCOMES.get(code)
    if known is not None:
        return known
    return MsiOutcome(
        code,
        "unknown",
        succeeded=False,
        restart_required=False,
        retry=False,
        sentence=f"Windows Installer ended with code {code} (0x{code:08X}), which this collection does not know.",
        remedy="Read the log of the installation, and look the code up in Microsoft's list of system error codes.",
    )


def _success(code: int, name: str, restart: bool, sentence: str, remedy: str = "") -> MsiOutcome:
    return MsiOutcome(code, name, True, restart, False, sentence, remedy)


def _failure(code: int, name: str, sentence: str, remedy: str, retry: bool = False) -> MsiOutcome:
    return MsiOutcome(code, name, False, False, retry, sentence, remedy)


_OUTCOMES = {
    outcome.code: outcome
    for outcome in (
        _success(0, "ERROR_SUCCESS", False, "Windows Installer finished."),
        _success(
            3010,
            "ERROR_SUCCESS_REBOOT_REQUIRED",
            True,
            "Windows Installer finished, and Windows must restart for all of it to take effect.",
            "Restart the host when it may be down.",
        ),
        _success(
            1641,
            "ERROR_SUCCESS_REBOOT_INITIATED",
            True,
            "Windows Installer finished and has started a restart of the host, although it was told not to.",
            "Wait for the host to come back, and find out which action of the package restarts.",
        ),
        _failure(
            1602,
            "ERROR_INSTALL_USEREXIT",
            "The installation was cancelled.",
            "Find out in the log which action asked to cancel; nobody was there to do so.",
        ),
        _failure(
            1603,
            "ERROR_INSTALL_FAILURE",
            "The installation failed and was rolled back.",
            "Read the log of the installation around the action that returned 3.",
        ),
        _failure(
            1605,
            "ERROR_UNKNOWN_PRODUCT",
            "The product is not installed.",
            "Nothing is to be done for a removal; for a repair, install the product instead.",
        ),
        _failure(
            1612,
            "ERROR_INSTALL_SOURCE_ABSENT",
            "The package that the product was installed from is not where it was.",
            "Bring the same .msi file back to where it was installed from, or install it again from the new place.",
        ),
        _failure(
            1618,
            "ERROR_INSTALL_ALREADY_RUNNING",
            "Another installation is in progress on the host.",
            "Wait until it has ended; events 1040 and 1042 of MsiInstaller in the Application log tell which it is.",
            retry=True,
        ),
        _failure(
            1619,
            "ERROR_INSTALL_PACKAGE_OPEN_FAILED",
            "Windows Installer could not open the package.",
            "Check that the file is there and that the account may read it; over WinRM a UNC path needs delegation.",
        ),
        _failure(
            1620,
            "ERROR_INSTALL_PACKAGE_INVALID",
            "Windows Installer does not accept the file as a package.",
            "Copy the .msi file again from its medium and compare the SHA-256.",
        ),
        _failure(
            1622,
            "ERROR_INSTALL_LOG_FAILURE",
            "Windows Installer could not open the log file.",
            "Make the folder of the log, and let the account write to it.",
        ),
        _failure(
            1625,
            "ERROR_INSTALL_PACKAGE_REJECTED",
            "A policy of the host forbids the installation.",
            "Allow the package in the software restriction or Windows Installer policy, or run as an administrator.",
        ),
        _failure(
            1632,
            "ERROR_INSTALL_TEMP_UNWRITABLE",
            "The folder for temporary files is full or cannot be written.",
            "Free space on the system drive, and check TEMP of the account.",
        ),
        _failure(
            1633,
            "ERROR_INSTALL_PLATFORM_UNSUPPORTED",
            "The package is for another processor platform.",
            "Use the package for this platform, on a 64-bit domain controller the x64 one.",
        ),
        _failure(
            1638,
            "ERROR_PRODUCT_VERSION",
            "Another version of the product is installed, and this package does not replace it.",
            "Remove the installed version first, or use a package that upgrades it.",
        ),
        _failure(
            1639,
            "ERROR_INVALID_COMMAND_LINE",
            "Windows Installer did not understand its command line.",
            "Check the names and values of the properties; if they are right, report this as a bug of the collection.",
        ),
    )
}
