# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Kerberos' library says, as what is the case and what to do."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import AuthenticationRejected
from ansible_collections.entsso.password_sync.plugins.module_utils.connection._ticket_cache import (
    UnreadableCache,
    end_of_ticket,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils.connection._connection_settings import (
    KERBEROS,
    ConnectionSettings,
    Kind,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils.connection._link import Attempt

_NO_TICKET = ("no kerberos credentials available", "no credentials cache", "cache file", "no credentials were supplied")
_NO_SERVICE = re.compile(r"server (\S+ )?not found in kerberos database")
_EXPIRED = ("ticket expired", "credential has expired")
_KDC_REJECTED = ("password incorrect", "preauthentication failed", "revoked", "password has expired")
_GET_ONE = "run kinit before the playbook, or name a keytab in KRB5_CLIENT_KTNAME"


def kdc_rejected(text: str) -> bool:
    """Whether a KDC's answer says that it was shown a wrong password, or one that counts as wrong."""
    return any(word in text.lower() for word in _KDC_REJECTED)


def rejected_by_kdc(attempt: Attempt, text: str) -> AuthenticationRejected:
    """Returns what it means that a KDC did not take the password."""
    return AuthenticationRejected(
        attempt.host,
        f"account {attempt.settings.account}",
        f"the KDC gave no ticket for its password ({text})",
        f"Correct the account's name or password, or set {attempt.settings.kind.mechanism_variable}: ntlm for an "
        "account of the host; nothing else is tried in this run, so as not to lock it out",
    )


def kerberos_trouble(settings: ConnectionSettings, said: str, text: str) -> tuple[str, str]:
    """Returns what is the case, and what to do.

    Args:
        settings: How the host is reached.
        said: Everything that the libraries said.
        text: The part of it to be shown.
    """
    lower = said.lower()
    if _NO_SERVICE.search(lower):
        return (
            f"the KDC knows no service for {settings.host_name} ({text})",
            f"Set ansible_host or {settings.kind.host_name_variable} to the host's full name in the domain",
        )
    if "client" in lower and "not found in kerberos database" in lower:
        return (
            f"the KDC knows no account {settings.account} ({text})",
            "Write ansible_user as name@REALM, the realm in capitals",
        )
    if "clock skew" in lower:
        return f"the clocks are too far apart ({text})", "Set the clock of the control node by the domain's"
    if "cannot contact any kdc" in lower or "cannot find kdc" in lower:
        return (
            f"no KDC answers ({text})",
            "Check realm and KDC in krb5.conf, and that port 88 of the KDC can be reached",
        )
    expired = None if settings.uses_password(KERBEROS) else _expired(lower)
    if expired is not None:
        return expired, (
            "Name a keytab in KRB5_CLIENT_KTNAME, or set ansible_password, so that a run gets new tickets itself; "
            "or run kinit again"
        )
    if any(word in lower for word in _NO_TICKET):
        return f"there is no Kerberos ticket ({text})", f"Set ansible_password, {_GET_ONE}"
    if "pykerberos is not installed" in lower or "no module named" in lower or "requires the python" in lower:
        extra = "pywinrm[kerberos]" if settings.kind is Kind.WINRM else "pypsrp[kerberos]"
        return f"Kerberos' libraries are missing ({text})", f"Install {extra} for the Python that runs Ansible"
    return (
        f"there is no ticket for {settings.host_name} ({text})",
        "Check the account, the host's name, the realm in krb5.conf and that a KDC can be reached",
    )


def _expired(said: str) -> str | None:
    """Says that the tickets of the user's own cache have expired, when they have."""
    name = os.environ.get("KRB5CCNAME") or f"FILE:/tmp/krb5cc_{os.getuid()}"
    kind, separator, path = name.partition(":")
    if not separator:
        kind, path = "FILE", name
    end: float | None = None
    if kind.upper() == "FILE":
        try:
            end = end_of_ticket(Path(path).read_bytes())
        except (OSError, UnreadableCache):
            end = None
    if end is not None and end <= time.time():
        moment = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(end))
        return f"the Kerberos ticket in {name} expired at {moment}"
    if any(word in said for word in _EXPIRED):
        return f"the Kerberos ticket in {name if 'KRB5CCNAME' in os.environ else 'the default cache'} has expired"
    return None
