# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A link over pypsrp, the library of Ansible's psrp connection. No runspace is opened: PowerShell does not start."""

from __future__ import annotations

import logging
import sys
from typing import Any

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import UnsupportedConnection
from ansible_collections.entsso.password_sync.plugins.plugin_utils.connection._answer_limit import AnswerLimit
from ansible_collections.entsso.password_sync.plugins.plugin_utils.connection._http_status import NOT_NOW
from ansible_collections.entsso.password_sync.plugins.plugin_utils.connection._link import AnswerWatch, Attempt, Link
from ansible_collections.entsso.password_sync.plugins.plugin_utils.connection._link_failure import (
    failure,
    never_sent,
    nobody_asks,
)

_TESTED = "0.9"


def open_psrp(attempt: Attempt) -> Link:
    """Prepares a session; it authenticates with the first message.

    Raises:
        UnsupportedConnection: The settings can't be used.
    """
    try:
        from pypsrp.wsman import WSMan
    except ImportError as error:
        raise UnsupportedConnection(
            attempt.host,
            "connection",
            f"the Python that runs Ansible ({sys.executable}) has no pypsrp ({error})",
            f"Install pypsrp {_TESTED} or later for it, or set ansible_connection: winrm for this host",
        ) from error
    # It logs a traceback for each time-out, which Python prints where nobody listens.
    logging.getLogger("pypsrp").addHandler(logging.NullHandler())
    settings = attempt.settings
    arguments = {
        **settings.arguments,
        "auth": attempt.mechanism,
        "connection_timeout": settings.connect_timeout,
        "read_timeout": settings.read_timeout,
    }
    try:
        transport = WSMan(**arguments).transport
        transport.session = _session(transport, attempt)
    except (ImportError, TypeError, ValueError) as error:
        raise UnsupportedConnection(
            attempt.host, f"auth {attempt.mechanism}", f"pypsrp does not take the settings ({error})", "Correct them"
        ) from error
    return _PsrpLink(attempt, transport)


class _PsrpLink:
    def __init__(self, attempt: Attempt, transport: Any) -> None:
        self._attempt = attempt
        self._transport = transport
        self._watch = AnswerWatch(seals=attempt.seals)
        self._limit = AnswerLimit(attempt.settings.answer_limit)
        self._limit.bind(transport.session)
        self._watch.attach(transport.session)

    def send(self, body: bytes) -> tuple[int, bytes]:
        """Sends one request; see `Link`."""
        from pypsrp.exceptions import WinRMTransportError

        self._watch.begin()
        self._limit.begin()
        try:
            return 200, bytes(self._transport.send(body))
        except WinRMTransportError as error:
            if self._handshake and int(error.code) in NOT_NOW:
                raise never_sent(int(error.code)) from error
            clear = self._watch.untrusted or self._handshake
            return int(error.code), b"" if clear else str(error.response_text).encode()
        except UnicodeDecodeError as error:
            # The library decodes every answer for its log.
            return self._watch.status, bytes(error.object)
        except Exception as error:
            if self._handshake and self._watch.status == 200:
                nobody_asks(self._attempt, self._transport.session.auth.contexts or None)
            raise failure(error, self._attempt, sent=not self._handshake, answered=self._watch.answered) from error

    def close(self) -> None:
        """Ends the session; see `Link`."""
        self._transport.close()

    @property
    def _handshake(self) -> bool:
        """Whether no message of ours has been sent, since there is no key for it yet."""
        return self._attempt.seals and self._transport.encryption is None


def _session(transport: Any, attempt: Attempt) -> Any:
    build = getattr(transport, "_build_session", None)
    if build is None:
        raise UnsupportedConnection(
            attempt.host,
            "connection",
            "this pypsrp builds its sessions in another way than was tested",
            f"Install pypsrp {_TESTED}, or set ansible_connection: winrm for this host",
        )
    session = build()
    # As with pywinrm: what the environment says has been taken over.
    session.trust_env = False
    return session
