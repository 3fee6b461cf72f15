# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds out whether an account may use a host's administrative share, with the code that pushes files there."""

from __future__ import annotations

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import AuthenticationRejected, HostError
from ansible_collections.entsso.password_sync.plugins.module_utils.connection._connection_rights import (
    SHARE,
    Outcome,
    RightStanding,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.transfer import _smb_status as smb_status
from ansible_collections.entsso.password_sync.plugins.module_utils.transfer._transfer import login_for
from ansible_collections.entsso.password_sync.plugins.plugin_utils._run_folder import run_folder
from ansible_collections.entsso.password_sync.plugins.plugin_utils.connection._authentication_guard import (
    AuthenticationGuard,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._host import Host
from ansible_collections.entsso.password_sync.plugins.plugin_utils.transfer._smb import open_share
from ansible_collections.entsso.password_sync.plugins.plugin_utils.transfer._smb_session import ConnectionCut, Server

_SHARE = "C$"
_SILENCE = 20.0


def try_share(host: Host, port: int) -> RightStanding:
    """Connects to the share and disconnects; nothing is read or written.

    Args:
        host: The host, which has let the account in over WinRM.
        port: TCP port of its SMB server.
    """
    credentials = host.credentials
    if credentials is None:
        return _unknown("the account of the connection is not known")
    login = login_for(
        host.authentication,
        kerberos=credentials.kerberos,
        password=credentials.password is not None,
        ticket=credentials.ticket_cache is not None,
    )
    if login is None:
        return _unknown("the connection authenticates with a certificate, which SMB does not take")
    guard = AuthenticationGuard(run_folder(), credentials.account)
    server = Server(host.name, port, _SHARE, credentials, login)
    try:
        with open_share(server, lambda attempt: guard.attempt(host.name, attempt), silence=_SILENCE):
            return RightStanding(SHARE, Outcome.OK)
    except ConnectionCut as cut:
        return _unknown(f"the connection broke ({cut.reason})")
    except HostError as error:
        refused = isinstance(error, AuthenticationRejected)
        denied = refused or smb_status.number(smb_status.ACCESS_DENIED) in error.reason
        return RightStanding(SHARE, Outcome.DENIED if denied else Outcome.UNKNOWN, error.reason)


def not_tried(state: str) -> RightStanding:
    """Returns what is known of the share without logging on to it.

    Args:
        state: State of the port.
    """
    if state == "open":
        return _unknown("the port is open, and the share was not tried: set probe_share to true to log on to it")
    return _unknown(f"its port: {state}")


def _unknown(why: str) -> RightStanding:
    return RightStanding(SHARE, Outcome.UNKNOWN, why)
