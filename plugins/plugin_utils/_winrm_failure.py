# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the exceptions of pywinrm and of the libraries below it mean for a host."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import (
    AuthenticationRejected,
    ConnectionLost,
    HostError,
    HostUnreachable,
    NotWindows,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils._connection import WinrmSettings


def failure(
    error: Exception, host: str, settings: WinrmSettings, transport: str, *, sent: bool
) -> HostError | ConnectionLost:
    """Returns what an exception of the client library stands for.

    Args:
        error: The exception.
        host: The host's name in the inventory.
        settings: How the host was to be reached.
        transport: pywinrm's name of the transport.
        sent: Whether the request may have reached the host, where the exception does not say.
    """
    from requests import exceptions as http
    from winrm.exceptions import InvalidCredentialsError

    text = _innermost(error)
    if isinstance(error, InvalidCredentialsError):
        return _rejected(error, host, settings, transport)
    if isinstance(error, http.SSLError) and "certificate" in str(error).lower():
        return HostUnreachable(
            host,
            f"TLS certificate of {settings.endpoint}",
            f"it is not trusted ({text})",
            "Name the file with the issuing CA in ansible_winrm_ca_trust_path, and use the host name that is in "
            "the certificate",
        )
    if isinstance(error, (http.ConnectTimeout, http.ProxyError)) or _never_connected(error):
        return ConnectionLost(text, sent=False)
    if "BadStatusLine" in repr(error):
        return NotWindows(
            host,
            "",
            f"what answers does not speak HTTP ({text})",
            "Check ansible_host, ansible_port and ansible_winrm_scheme",
        )
    if isinstance(error, (http.RequestException, OSError)) and not isinstance(error, PermissionError):
        return ConnectionLost(text, sent=sent)
    if sent:
        return ConnectionLost(f"{type(error).__name__}: {text}")
    return AuthenticationRejected(
        host,
        f"transport {transport}",
        f"it can't be used with this host ({text})",
        "Set ansible_winrm_transport to what the host offers, and install what that transport needs",
        credentials_presented=False,
    )


def _rejected(error: Exception, host: str, settings: WinrmSettings, transport: str) -> AuthenticationRejected:
    """Tells a rejected password from a host that never saw one."""
    response = getattr(error.__context__, "response", None)
    offered = response.headers.get("WWW-Authenticate", "") if response is not None else ""
    shown = response is None or "Authorization" in response.request.headers
    if not shown:
        return AuthenticationRejected(
            host,
            f"transport {transport}",
            f"the host does not offer it, but {offered or 'nothing'}",
            "Set ansible_winrm_transport to what the host offers",
            credentials_presented=False,
        )
    account = f"account {settings.account}" if settings.account else "client certificate"
    return AuthenticationRejected(
        host,
        account,
        f"the host rejected it (transport {transport})",
        "Correct the account's name or password; nothing else is tried in this run, so as not to lock it out",
        # A ticket that is refused says nothing about the password: the name of the host or its SPN is wrong.
        credentials_presented=transport not in ("kerberos", "certificate"),
    )


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yields an error and those it is made of, the outermost first."""
    seen: set[int] = set()
    following: BaseException | None = error
    while following is not None and id(following) not in seen:
        seen.add(id(following))
        yield following
        inner = [getattr(following, "reason", None), *following.args, following.__cause__, following.__context__]
        following = next((item for item in inner if isinstance(item, BaseException)), None)


def _never_connected(error: BaseException) -> bool:
    names = {type(item).__name__ for item in _chain(error)}
    return bool(names & {"NewConnectionError", "ConnectTimeoutError", "NameResolutionError"})


def _innermost(error: BaseException) -> str:
    """The text of the innermost cause, without the addresses of objects that urllib3 puts in front."""
    texts = [re.sub(r"^<?[\w.]+(\(.*?\)| object at 0x[0-9a-f]+)>?: ", "", str(item)).strip() for item in _chain(error)]
    return next((text for text in reversed(texts) if text), type(error).__name__)
