# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the exceptions of pywinrm, pypsrp and the libraries below them mean for a host."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import (
    AuthenticationRejected,
    ConnectionLost,
    Excess,
    HostError,
    HostUnreachable,
    NotWindows,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils.connection._answer_limit import AnswerExcess
from ansible_collections.entsso.password_sync.plugins.plugin_utils.connection._connection_settings import (
    BASIC,
    CERTIFICATE,
    CREDSSP,
    KERBEROS,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils.connection._link import Attempt, NotSealed
from ansible_collections.entsso.password_sync.plugins.plugin_utils.connection._ticket_trouble import (
    kdc_rejected,
    kerberos_trouble,
    rejected_by_kdc,
)

_REJECTIONS = ("InvalidCredentialsError", "AuthenticationError")
"""What pywinrm and pypsrp raise for HTTP status 401, by name: only one of the two need be installed."""
_NO_TOKEN = ("KerberosExchangeError",)
"""What pywinrm raises, as if it came from the network, when Kerberos has no token to send or to answer with."""
_NOT_OFFERED = "being an available authentication method"
"""What requests-credssp says before it has shown anything."""
_GSSAPI = re.compile(r"""\(['"](.+?)['"], -?\d+\)""")
"""pykerberos shows each of GSSAPI's sentences with its number."""


def failure(error: Exception, attempt: Attempt, *, sent: bool, answered: bool) -> HostError | ConnectionLost:
    """Returns what an exception of the client library stands for.

    Args:
        error: The exception.
        attempt: What was tried.
        sent: Whether the request may have reached the host, where the exception does not say.
        answered: Whether an answer had come.
    """
    from requests import exceptions as http

    settings, host = attempt.settings, attempt.host
    text = _innermost(error)
    if isinstance(error, NotSealed):
        return HostUnreachable(
            host,
            "WinRM",
            "an answer came without the encryption that was agreed on, and was not used",
            "Find out what is between the control node and the host",
        )
    if type(error).__name__ in _REJECTIONS:
        return _rejected(error, attempt)
    if isinstance(error, http.SSLError) and "certificate" in str(error).lower():
        return HostUnreachable(
            host,
            f"TLS certificate of {settings.endpoint}",
            f"it is not trusted ({text})",
            f"Name the file with the issuing CA in {settings.kind.authority_variable}, and use the host name that is "
            "in the certificate",
        )
    if isinstance(error, (http.ConnectTimeout, http.ProxyError)) or _never_connected(error):
        return ConnectionLost(text, sent=False)
    if "BadStatusLine" in repr(error):
        return NotWindows(
            host,
            "",
            f"what answers does not speak HTTP ({text})",
            f"Check ansible_host, ansible_port and {settings.kind.scheme_variable}",
        )
    token = type(error).__name__ in _NO_TOKEN
    if isinstance(error, (http.RequestException, OSError)) and not isinstance(error, PermissionError) and not token:
        return ConnectionLost(text, sent=sent, excess=_excess(error))
    if sent and answered and not token:
        return ConnectionLost(f"{type(error).__name__}: {text}")
    # Neither the network nor an answer: the mechanism could not make its token or seal the message.
    return _unusable(error, attempt, text)


def never_sent(status: int) -> ConnectionLost:
    """Returns what it means that the handshake before a message was answered with a status: it was not sent."""
    return ConnectionLost(f"HTTP status {status}", sent=False, status=status)


def nobody_asks(attempt: Attempt, context: Any) -> None:
    """Refuses to go on with a server that did not want to know who is there.

    Raises:
        NotWindows: It is no WinRM service.
    """
    if context is None:
        raise NotWindows(
            attempt.host,
            "",
            "what answers does not ask who is there, as no WinRM service does",
            "Check ansible_host, ansible_port and the path of the WinRM service",
        )


def _rejected(error: Exception, attempt: Attempt) -> AuthenticationRejected:
    """Tells a rejected password from a host that never saw one."""
    settings, mechanism = attempt.settings, attempt.mechanism
    authentication = settings.authentication(mechanism)
    response = getattr(error.__context__, "response", None)
    offered = response.headers.get("WWW-Authenticate", "") if response is not None else _after_actual(str(error))
    # Basic is sent without being asked for; a host that does not offer it has not looked at it.
    ignored = authentication == BASIC and bool(offered) and "basic" not in offered.lower()
    if response is None or "Authorization" not in response.request.headers or ignored:
        return AuthenticationRejected(
            attempt.host,
            f"transport {mechanism}",
            f"the host does not offer it, but {offered or 'nothing'}",
            f"Set {settings.kind.mechanism_variable} to what the host offers",
            credentials_presented=False,
        )
    if authentication == KERBEROS:
        return AuthenticationRejected(
            attempt.host,
            f"Kerberos ticket for {settings.host_name}",
            "the host rejected it",
            "Check that this is the host's own name, that the clocks agree within five minutes, and that the account "
            "may log on to it over the network",
            # A ticket that is refused says nothing about the password.
            credentials_presented=False,
        )
    if authentication == CERTIFICATE:
        return AuthenticationRejected(
            attempt.host,
            "client certificate",
            "the host rejected it",
            "Map it to an account on the host (winrm/config/service/certmapping), and allow Certificate there",
            credentials_presented=False,
        )
    return _password_rejected(attempt)


def _password_rejected(attempt: Attempt) -> AuthenticationRejected:
    return AuthenticationRejected(
        attempt.host,
        f"account {attempt.settings.account}",
        f"the host rejected it (transport {attempt.mechanism})",
        "Correct the account's name or password (a member of Protected Users needs Kerberos); nothing else is tried "
        "in this run, so as not to lock it out",
    )


def _unusable(error: Exception, attempt: Attempt, text: str) -> AuthenticationRejected:
    settings, mechanism = attempt.settings, attempt.mechanism
    said = " ".join(str(item) for item in _chain(error))
    if mechanism == KERBEROS:
        if settings.uses_password(mechanism) and kdc_rejected(said):
            return rejected_by_kdc(attempt, text)
        reason, remedy = kerberos_trouble(settings, said, text)
    elif mechanism == CREDSSP and _NOT_OFFERED not in said:
        # Its logon is within its own messages: a wrong password shows as one of many errors, none of them HTTP's.
        return _password_rejected(attempt)
    else:
        reason = f"it can't be used with this host ({text})"
        remedy = f"Set {settings.kind.mechanism_variable} to what the host offers, and install what that needs"
    return AuthenticationRejected(
        attempt.host,
        f"transport {mechanism}",
        reason,
        remedy,
        credentials_presented=False,
    )


def _after_actual(text: str) -> str:
    """What pypsrp says that the host offers."""
    return text.partition("actual: ")[2].strip().strip("'")


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yields an error and those it is made of, the outermost first."""
    seen: set[int] = set()
    following: BaseException | None = error
    while following is not None and id(following) not in seen:
        seen.add(id(following))
        yield following
        inner = [getattr(following, "reason", None), *following.args, following.__cause__, following.__context__]
        following = next((item for item in inner if isinstance(item, BaseException)), None)


def _excess(error: BaseException) -> Excess | None:
    return next((item.excess for item in _chain(error) if isinstance(item, AnswerExcess)), None)


def _never_connected(error: BaseException) -> bool:
    names = {type(item).__name__ for item in _chain(error)}
    return bool(names & {"NewConnectionError", "ConnectTimeoutError", "NameResolutionError"})


def _innermost(error: BaseException) -> str:
    """The text of the innermost cause."""
    texts = [_readable(str(item)) for item in _chain(error)]
    return next((text for text in reversed(texts) if text), type(error).__name__)


def _readable(text: str) -> str:
    """Leaves the addresses of objects out that urllib3 puts in front, and the numbers that GSSAPI puts behind."""
    sentences = _GSSAPI.findall(text)
    if sentences:
        return ": ".join(sentence.strip() for sentence in sentences)
    text = re.sub(r"^<?[\w.]+(\(.*?\)| object at 0x[0-9a-f]+)>?: ", "", text)
    return re.sub(r" -\d{5,}$", "", text.strip())
