# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an HTTP status without a SOAP body means for a request."""

from __future__ import annotations

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import (
    AccessDenied,
    AuthenticationRejected,
    EnvelopeTooLarge,
    HostError,
    NotWindows,
)

NOT_NOW = (425, 429, 503)
"""Too early, too many requests, not available: try again later (wsman.md 1.9)."""

NEVER_BEGUN = (425, 429)
"""Statuses by which the request was not begun, whoever sends them (RFC 8470 5.2, RFC 6585 4).

503 is not one of them. HTTP.sys sends it for requests that never reach the WinRM service ("never pass into user mode",
learn.microsoft.com, 503-Service Unavailable), and a proxy sends it as well after it lost the connection on which it had
handed the request on; which of the two has answered is not to be seen here.
"""


def status_error(status: int, host: str, subject: str, *, answered: bool) -> HostError:
    """Returns the error that a status stands for.

    Args:
        status: The HTTP status.
        host: The host's name in the inventory.
        subject: The object that was asked for.
        answered: Whether the host has answered as a WinRM service before.
    """
    if status == 401:
        return AuthenticationRejected(
            host, subject, "the host rejected the account", "Check the account's name and password"
        )
    if status == 403:
        return AccessDenied(
            host,
            subject,
            "the WinRM service answered HTTP 403",
            "Give the account the right to use WinRM on the host",
        )
    if status == 413:
        return EnvelopeTooLarge(
            host,
            subject,
            "the request is larger than the host takes (HTTP 413)",
            "Raise MaxEnvelopeSizekb in winrm/config on the host to its default of 500",
        )
    return NotWindows(
        host,
        subject if answered else "",
        f"what answers is no WinRM service (HTTP status {status}, no SOAP)",
        "Check ansible_host, ansible_port and ansible_winrm_path",
    )
