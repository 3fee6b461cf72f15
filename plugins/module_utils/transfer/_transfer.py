# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a file comes to a host: which ways there are, which one is taken, and where the file lies there."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import HostError, TransferUnavailable

FOLDER_PREFIX = "media-"
"""What the names of the folders begin with in which files wait for the installer (`_protected_folder`)."""

_FIRST = len("C:\\")

BLOCK = 1 << 20
"""Bytes in one SMB write: the size with which smbprotocol is quickest (samba.md 7)."""

OUTSTANDING = 4
"""SMB writes on their way at once, so that a long way to the host costs less."""

CREDIT = 1 << 16
"""Bytes that one SMB credit pays for (MS-SMB2 3.1.5.2)."""

PROGRESS_FROM = 10_000_000
"""Bytes from which a push tells how far it is."""


class Transfer(StrEnum):
    """What the user wants.

    AUTO: SMB where it is possible, else the WinRS stream.
    SMB: SMB or nothing.
    STREAM: The WinRS stream.
    """

    AUTO = "auto"
    SMB = "smb"
    STREAM = "stream"


class Login(NamedTuple):
    """How to authenticate to SMB.

    Attributes:
        protocol: `kerberos` or `ntlm`.
        with_password: Whether the password is used, and not a ticket that is already there.
    """

    protocol: str
    with_password: bool


def falls_back(wanted: Transfer, error: HostError) -> bool:
    """Whether the stream is taken after SMB has failed with an error.

    Only where SMB is not open at all, or open to others. A host that refused the account ends the task: it may have
    counted a wrong password, and the user must know of it. So does a transfer that began and broke, since what breaks
    a push in the middle is no reason to try one that takes a hundred times as long.
    """
    return wanted is Transfer.AUTO and isinstance(error, TransferUnavailable)


def login_for(authentication: str, *, kerberos: bool, password: bool, ticket: bool) -> Login | None:
    """Chooses how to authenticate to SMB: as the WinRM connection did, so that nothing new is tried with an account.

    Args:
        authentication: How the account got into WinRM (`Exchange.authentication`); empty when it is not known.
        kerberos: Whether the connection may use Kerberos.
        password: Whether the connection has a password.
        ticket: Whether a ticket cache is known.

    Returns:
        None when the connection has nothing that SMB takes: it authenticates with a certificate.
    """
    if authentication == "certificate":
        return None
    if authentication == "kerberos" or (kerberos and not authentication):
        return Login("kerberos", with_password=password and not ticket)
    return Login("ntlm", with_password=True) if password else None


def folder_name(sha256: str) -> str:
    """Returns the name of a file's folder on the host. It follows from the content, so that a later run finds what a
    killed run has left, and goes on with it or removes it."""
    return f"{FOLDER_PREFIX}{sha256[:16].lower()}"


def below_share(path: str) -> str:
    """Returns a path on drive C: as it is written below a share that shows the whole drive."""
    return path[_FIRST:]


def block_size(largest: int, granted: int) -> int:
    """Returns how much to write at once.

    Args:
        largest: What the server takes in one write.
        granted: Credits that the server has granted and that are free.
    """
    return max(1, min(BLOCK, largest, max(1, granted) * CREDIT))


def milestone(done: int, total: int, told: int) -> int:
    """Returns the quarter of a file that has been reached beyond the one last told, else that one."""
    return max(told, min(3, 4 * done // total)) if total >= PROGRESS_FROM else told


def megabytes(size: int) -> str:
    """Returns a size for people."""
    return f"{size:,} bytes" if size < 1_000_000 else f"{size / 1_000_000:,.1f} MB"
