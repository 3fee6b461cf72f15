# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a host could not read a file for us, and what to grant: the second hop in plain words.

Sources: "Making the second hop in PowerShell Remoting" (Microsoft) for the ways and what rules them out; wsman.md 6 for
whom a share sees. Which error a second hop shows as is not documented, so every refusal on a UNC path is explained.
"""

from __future__ import annotations

_NOT_THERE = (0x80070002, 0x80070003)
"""HRESULTs of ERROR_FILE_NOT_FOUND and ERROR_PATH_NOT_FOUND."""

_HOP = (
    "A UNC path is a second hop. WinRM logs the account on over the network, and such a logon can't be shown to a "
    "third machine: the file server sees an anonymous user, whatever the account may do there. "
    "Best let the control node push the file (remote_src: false with a path there), or copy it to a drive of the host. "
    "To allow the hop: connect with Kerberos and set ansible_winrm_kerberos_delegation (psrp: "
    "ansible_psrp_negotiate_delegate) to true; or let the file server's computer account accept this host "
    "(resource-based constrained delegation: Set-ADComputer <file server> -PrincipalsAllowedToDelegateToAccount "
    "<account of this host>). Both fail for members of Protected Users and accounts marked as sensitive. Then the "
    "account needs read access to share and file. What runs as SYSTEM on the host reads as its computer account, "
    "which needs read access of its own."
)


def explain(path: str, code: int | None) -> str:
    """Says what to do about a file that could not be read on the host.

    Args:
        path: Its path as the host was given it.
        code: Exit code of certutil, an HRESULT; None when it was not asked.
    """
    if not path.startswith("\\\\"):
        return "Check the path there, and that the account may read the file."
    if code in _NOT_THERE:
        return f"Check that the file is there. {_HOP}"
    return _HOP
