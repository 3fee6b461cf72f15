# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an SMB server's refusal means: NT status codes (MS-ERREF 2.3.1) in words, and what to do.

Servers send a number and no text. The numbers are Microsoft's; which of them a domain controller sends in which case
is not documented everywhere, so every refusal of a session counts as one of the account, whatever its number.
"""

from __future__ import annotations

from typing import NamedTuple

LOGON_FAILURE = 0xC000006D
ACCESS_DENIED = 0xC0000022
BAD_NETWORK_NAME = 0xC00000CC
DISK_FULL = 0xC000007F
SHARING_VIOLATION = 0xC0000043
NETWORK_NAME_DELETED = 0xC00000C9
USER_SESSION_DELETED = 0xC0000203

WRONG_PASSWORD = (0xC0000064, 0xC000006A, LOGON_FAILURE, 0xC0000234)
"""No such user, wrong password, one of both, locked out: to try again may lock the account."""

LOST = (NETWORK_NAME_DELETED, USER_SESSION_DELETED)
"""The server has dropped the session or the share under us."""


class Meaning(NamedTuple):
    """Two clauses for people."""

    reason: str
    remedy: str


_ANOTHER_WAY = "or set transfer: stream"
_ACCOUNT = {
    0xC0000064: Meaning("the account is not known there", "Correct ansible_user"),
    0xC000006A: Meaning("the password is wrong", "Correct ansible_password"),
    LOGON_FAILURE: Meaning(
        "the account's name or password is wrong, or it may not use NTLM",
        f"Correct them, connect with Kerberos, {_ANOTHER_WAY}",
    ),
    0xC000006E: Meaning(
        "the account is restricted (members of Protected Users may not use NTLM, for example)",
        f"Connect with Kerberos, {_ANOTHER_WAY}",
    ),
    0xC000006F: Meaning("the account may not log on at this time", "Change its logon hours, or run later"),
    0xC0000070: Meaning("the account may not log on from this control node", f"Change that, {_ANOTHER_WAY}"),
    0xC0000071: Meaning("the password has expired", "Change it"),
    0xC0000072: Meaning("the account is disabled", "Enable it"),
    0xC00000BB: Meaning("the server does not support it (NTLM may be blocked)", f"Use Kerberos, {_ANOTHER_WAY}"),
    0xC0000133: Meaning("its clock and that of the control node differ too much", "Set the clocks"),
    0xC000015B: Meaning(
        "the account may not log on over the network (Deny access to this computer from the network)",
        f"Give it the right, {_ANOTHER_WAY}",
    ),
    0xC0000193: Meaning("the account has expired", "Extend it"),
    0xC0000224: Meaning("the password must be changed first", "Change it"),
    0xC0000234: Meaning("the account is locked out", "Unlock it, and find out what locked it"),
    0xC0000413: Meaning("selective authentication keeps the account out", f"Allow it, {_ANOTHER_WAY}"),
    0xC0000418: Meaning("NTLM is blocked there", f"Connect with Kerberos, {_ANOTHER_WAY}"),
}
_SHARE = {
    ACCESS_DENIED: Meaning(
        "the account may not use the share, which is for administrators of the host",
        f"Connect as an administrator, {_ANOTHER_WAY}",
    ),
    BAD_NETWORK_NAME: Meaning(
        "there is no such share; administrative shares can be switched off (AutoShareServer)",
        f"Create the share again, choose another with smb_share, {_ANOTHER_WAY}",
    ),
}
_FILE = {
    ACCESS_DENIED: Meaning("the account may not write there", "Connect as an administrator of the host"),
    DISK_FULL: Meaning("the disk is full", "Make room on drive C:"),
    SHARING_VIOLATION: Meaning("another program or run has it open", "Run again when that one has ended"),
}


def of_account(status: int) -> Meaning:
    """Says why a session was refused."""
    return _ACCOUNT.get(status, Meaning("the server gave no other reason", f"Look the number up, {_ANOTHER_WAY}"))


def of_share(status: int) -> Meaning:
    """Says why a share was refused."""
    return _SHARE.get(status, Meaning("the server gave no other reason", f"Look the number up, {_ANOTHER_WAY}"))


def of_file(status: int) -> Meaning:
    """Says why an operation on a file failed."""
    return _FILE.get(status, Meaning("the server gave no other reason", f"Look the number up, {_ANOTHER_WAY}"))


def number(status: int) -> str:
    """Returns a status as Microsoft's lists write it."""
    return f"0x{status:08X}"
