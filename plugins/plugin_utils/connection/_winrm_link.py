# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A link over pywinrm, the library of Ansible's winrm connection. No shell is opened."""

from __future__ import annotations

import sys
from typing import Any

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import (
    AuthenticationRejected,
    NotWindows,
    UnsupportedConnection,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils.connection._answer_limit import AnswerLimit
from ansible_collections.entsso.password_sync.plugins.plugin_utils.connection._connection import get_ticket
from ansible_collections.entsso.password_sync.plugins.plugin_utils.connection._connection_settings import KERBEROS
from ansible_collections.entsso.password_sync.plugins.plugin_utils.connection._http_status import NOT_NOW
from ansible_collections.entsso.password_sync.plugins.plugin_utils.connection._link import AnswerWatch, Attempt, Link
from ansible_collections.entsso.password_sync.plugins.plugin_utils.connection._link_failure import (
    failure,
    never_sent,
    nobody_asks,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils.connection._ticket_trouble import (
    kdc_rejected,
    kerberos_trouble,
    rejected_by_kdc,
)


def open_winrm(attempt: Attempt) -> Link:
    """Opens a session and, where messages get encrypted, authenticates; nothing of ours is sent.

    Raises:
        ConnectionLost: The host can't be reached.
        HostError: There is no getting in this way.
    """
    try:
        from winrm.protocol import Protocol
    except ImportError as error:
        raise UnsupportedConnection(
            attempt.host,
            "connection",
            f"the Python that runs Ansible ({sys.executable}) has no pywinrm ({error})",
            "Install pywinrm 0.5.0 or later for it",
        ) from error
    settings = attempt.settings
    if attempt.mechanism == KERBEROS and settings.managed_kerberos:
        _get_ticket(attempt)
    ours = ("read_timeout_sec", "operation_timeout_sec")
    arguments = {name: value for name, value in settings.arguments.items() if name not in ours}
    new_protocol: Any = Protocol
    try:
        transport = new_protocol(settings.endpoint, transport=attempt.mechanism, **arguments).transport
    except Exception as error:
        raise UnsupportedConnection(
            attempt.host,
            f"transport {attempt.mechanism}",
            f"pywinrm does not take the settings ({error})",
            "Correct them",
        ) from error
    transport.read_timeout_sec = (settings.connect_timeout, settings.read_timeout)
    return _WinrmLink(attempt, transport)


class _WinrmLink:
    def __init__(self, attempt: Attempt, transport: Any) -> None:
        self._attempt = attempt
        self._transport = transport
        self._watch = AnswerWatch(seals=attempt.seals)
        self._limit = AnswerLimit(attempt.settings.answer_limit)
        self._open = False
        # pywinrm makes its session and sends the handshake in one step; this is between the two.
        self._set_up_encryption = transport.setup_encryption
        transport.setup_encryption = self._limited_handshake

    def send(self, body: bytes) -> tuple[int, bytes]:
        """Sends one request; see `Link`."""
        from winrm.exceptions import WinRMTransportError

        self._watch.begin()
        self._limit.begin()
        handshake = not self._open
        try:
            if handshake:
                self._authenticate()
                handshake = False
            return 200, self._transport.send_message(body)
        except WinRMTransportError as error:
            if handshake and int(error.code) in NOT_NOW:
                raise never_sent(int(error.code)) from error
            clear = self._watch.untrusted or (handshake and self._attempt.seals)
            return int(error.code), b"" if clear else str(error.response_text).encode()
        except UnicodeDecodeError as error:
            # The library decodes the answers that come with an error status, and only those.
            return self._watch.status, bytes(error.object)
        except (AuthenticationRejected, NotWindows):
            raise
        except Exception as error:
            raise failure(error, self._attempt, sent=not handshake, answered=self._watch.answered) from error

    def close(self) -> None:
        """Ends the session; see `Link`."""
        self._transport.close_session()

    def _limited_handshake(self, session: Any) -> None:
        self._limit.bind(session)
        self._set_up_encryption(session)

    def _authenticate(self) -> None:
        session = self._transport.build_session()
        self._limit.bind(session)
        # pywinrm has taken over what the environment says (proxies, CA bundle); looking there again with every request
        # takes a fifth of the controller's time.
        session.trust_env = False
        if self._attempt.mechanism == "ntlm" and self._transport.encryption is not None:
            nobody_asks(self._attempt, getattr(session.auth, "session_security", None))
        self._watch.attach(session)
        self._open = True


def _get_ticket(attempt: Attempt) -> None:
    from ansible.errors import AnsibleError

    try:
        get_ticket(attempt.settings.connection)
    except AnsibleError as error:
        text = str(error)
        if kdc_rejected(text):
            raise rejected_by_kdc(attempt, text) from error
        reason, remedy = kerberos_trouble(attempt.settings, text, text)
        raise AuthenticationRejected(
            attempt.host, f"account {attempt.settings.account}", reason, remedy, credentials_presented=False
        ) from error
