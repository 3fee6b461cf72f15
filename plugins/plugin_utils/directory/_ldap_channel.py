# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One TCP connection to a directory: bytes out, whole LDAP messages in, TLS or sealing below, each with a deadline."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable
from typing import Protocol

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import (
    DeadlineExceeded,
    DirectoryError,
    DirectoryUnreachable,
    UnreadableOutput,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._deadline import Deadline

MAX_MESSAGE = 16 * 1024 * 1024
"""Bytes of one LDAP message, sealed or not. A DC's answers are far smaller; more than this is no answer to us."""

_CHUNK = 65536
_SEQUENCE = 0x30
_LONG_FORM = 0x80


class Sealing(Protocol):
    """What seals and opens messages: the security context of the logon."""

    def seal(self, data: bytes) -> bytes:
        """Returns sealed bytes."""

    def open(self, data: bytes) -> bytes:
        """Returns what was sealed.

        Raises:
            ValueError: It was not sealed in this context.
        """


class Wait:
    """A wait for an answer, with the deadline that it has.

    Attributes:
        host: The domain controller.
        subject: What was asked for.
        seen: The last thing seen, for the sentence.
    """

    def __init__(self, seconds: float, host: str, subject: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.host = host
        self.subject = subject
        self.seen = "nothing"
        self._deadline = Deadline(seconds, clock)

    def remaining(self) -> float:
        """Returns the seconds that are left.

        Raises:
            DeadlineExceeded: There are none.
        """
        if self._deadline.passed:
            raise self.exceeded()
        return max(self._deadline.left, 0.001)

    def exceeded(self) -> DeadlineExceeded:
        """Returns the error of having waited in vain."""
        return DeadlineExceeded(
            self.host,
            self.subject,
            f"the answer had not come after {self._deadline.seconds:g} seconds; the last thing seen was {self.seen}",
            "Look at this domain controller, raise `timeout`, or name another one in `server`",
        )


class Channel:
    """The connection.

    Args:
        connected: The connected socket.
        host: Name of the domain controller.
    """

    def __init__(self, connected: socket.socket, host: str) -> None:
        self.host = host
        self._socket = connected
        self._sealing: Sealing | None = None
        self._sealed = bytearray()
        self._clear = bytearray()

    def send(self, data: bytes, wait: Wait) -> None:
        """Sends a message.

        Raises:
            DeadlineExceeded: It could not be sent in time.
            DirectoryUnreachable: The connection broke.
        """
        if self._sealing is not None:
            sealed = self._sealing.seal(data)
            data = len(sealed).to_bytes(4, "big") + sealed
        try:
            self._socket.settimeout(wait.remaining())
            self._socket.sendall(data)
        except TimeoutError:
            raise wait.exceeded() from None
        except OSError as error:
            raise self._broken(error) from None

    def receive(self, wait: Wait) -> bytes:
        """Returns the next message, whole.

        Raises:
            DeadlineExceeded: None came in time.
            DirectoryUnreachable: The connection broke.
            UnreadableOutput: What came is no LDAP, or too large.
        """
        while True:
            size = _message_size(self._clear)
            if size is not None and size > MAX_MESSAGE:
                raise self._unreadable(f"it announced a message of {size} bytes")
            if size is not None and size <= len(self._clear):
                message = bytes(self._clear[:size])
                del self._clear[:size]
                return message
            if self._clear and self._clear[0] != _SEQUENCE:
                raise self._unreadable(f"its answer begins with {bytes(self._clear[:8]).hex(' ')}")
            self._read(wait)

    def wrap_tls(self, context: ssl.SSLContext, wait: Wait) -> None:
        """Goes on within TLS.

        Raises:
            DeadlineExceeded: The handshake took too long.
            DirectoryError: The certificate is not trusted, or there is no TLS.
        """
        try:
            self._socket.settimeout(wait.remaining())
            self._socket = context.wrap_socket(self._socket, server_hostname=self.host)
        except TimeoutError:
            raise wait.exceeded() from None
        except ssl.SSLCertVerificationError as error:
            raise DirectoryUnreachable(
                self.host,
                "TLS certificate",
                f"it is not trusted ({error.verify_message})",
                "Name the file with the issuing CA in `ca_cert`, and use the name in `server` that is in the "
                "certificate; nothing was sent",
            ) from None
        except OSError as error:
            raise DirectoryUnreachable(
                self.host,
                "TLS",
                f"the handshake failed ({_words(error)})",
                "Check that the domain controller has a certificate for LDAP and that `port` fits `tls_mode`",
            ) from None

    def seal_with(self, sealing: Sealing) -> None:
        """Seals every message from now on."""
        self._sealing = sealing

    def close(self) -> None:
        """Closes the connection."""
        self._socket.close()

    def _read(self, wait: Wait) -> None:
        try:
            self._socket.settimeout(wait.remaining())
            data = self._socket.recv(_CHUNK)
        except TimeoutError:
            raise wait.exceeded() from None
        except OSError as error:
            raise self._broken(error) from None
        if not data:
            raise self._broken("the domain controller closed it")
        if self._sealing is None:
            self._clear += data
            return
        self._sealed += data
        while len(self._sealed) >= 4:
            size = int.from_bytes(self._sealed[:4], "big")
            if size > MAX_MESSAGE:
                raise self._unreadable(f"it announced {size} sealed bytes")
            if len(self._sealed) < 4 + size:
                return
            try:
                self._clear += self._sealing.open(bytes(self._sealed[4 : 4 + size]))
            except ValueError as error:
                raise self._unreadable(f"its answer can't be unsealed ({error})") from None
            del self._sealed[: 4 + size]

    def _broken(self, error: OSError | str) -> DirectoryError:
        return DirectoryUnreachable(
            self.host,
            "LDAP",
            f"the connection broke ({error if isinstance(error, str) else _words(error)})",
            "Run again, or name another domain controller in `server`",
        )

    def _unreadable(self, reason: str) -> UnreadableOutput:
        return UnreadableOutput(
            self.host, "LDAP", f"what answers does not speak LDAP: {reason}", "Check `server`, `port` and `tls_mode`"
        )


def connect(host: str, addresses: tuple[str, ...], port: int, seconds: float) -> Channel:
    """Returns a connection to the first address that accepts one.

    Raises:
        DirectoryUnreachable: None did in time; the sentence has the last address and why.
    """
    last = "it has no address"
    end = time.monotonic() + seconds
    for number, address in enumerate(addresses):
        left = (end - time.monotonic()) / (len(addresses) - number)
        try:
            return Channel(socket.create_connection((address, port), max(left, 0.01)), host)
        except TimeoutError:
            last = f"{address} port {port} did not answer within {seconds:g} seconds"
        except OSError as error:
            last = f"{address} port {port}: {_words(error)}"
    raise DirectoryUnreachable(
        host,
        "LDAP",
        f"it can't be reached ({last})",
        "Check that it runs and that its port is open to the control node, or name another one in `server`",
    )


def _message_size(data: bytearray) -> int | None:
    """Returns how long the message is that begins here, None while that is not known (X.690 8.1.3)."""
    if len(data) < 2 or data[0] != _SEQUENCE:
        return None
    if data[1] < _LONG_FORM:
        return 2 + data[1]
    count = data[1] - _LONG_FORM
    if not 1 <= count <= 8:
        return MAX_MESSAGE + 1
    if len(data) < 2 + count:
        return None
    return 2 + count + int.from_bytes(data[2 : 2 + count], "big")


def _words(error: OSError) -> str:
    return error.strerror or str(error) or type(error).__name__
