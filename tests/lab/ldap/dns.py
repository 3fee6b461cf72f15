# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A DNS server for the lab: the addresses of its hosts, and the SRV records by which domain controllers are found."""

from __future__ import annotations

import socket
import threading
from collections.abc import Mapping, Sequence

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset


class NameServer:
    """Answers for the names it was given, and says of all others that they do not exist; a context manager."""

    def __init__(self, hosts: Mapping[str, str], services: Mapping[str, Sequence[str]]) -> None:
        """Describe the zone.

        Args:
            hosts: Addresses by full name in lower case, looked at anew for each question.
            services: By name, SRV records as text: priority, weight, port, target.
        """
        self._hosts = hosts
        self._services = {name.lower(): list(records) for name, records in services.items()}
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    def __enter__(self) -> NameServer:
        """Listen on a free port of 127.0.0.1."""
        self._socket.bind(("127.0.0.1", 0))
        threading.Thread(target=self._serve, name="lab-dns", daemon=True).start()
        return self

    def __exit__(self, *_exception: object) -> None:
        """Stop: a last empty datagram wakes the thread."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", self._socket.getsockname())

    @property
    def name(self) -> str:
        """Address and port, as ``name_servers`` takes them."""
        address, port = self._socket.getsockname()
        return f"{address}:{port}"

    def _serve(self) -> None:
        with self._socket:
            while True:
                data, peer = self._socket.recvfrom(4096)
                if not data:
                    return
                try:
                    self._socket.sendto(self._answer(data), peer)
                except dns.exception.DNSException:
                    continue  # not a question

    def _answer(self, data: bytes) -> bytes:
        question = dns.message.from_wire(data)
        response = dns.message.make_response(question)
        response.flags |= dns.flags.AA
        asked = question.question[0]
        name, kind = str(asked.name).lower().rstrip("."), dns.rdatatype.to_text(asked.rdtype)
        address, services = self._hosts.get(name), self._services.get(name)
        records = services if kind == "SRV" else [address] if kind == "A" and address else None
        if records:
            response.answer.append(dns.rrset.from_text(asked.name, 60, dns.rdataclass.IN, asked.rdtype, *records))
        elif address is None and services is None:
            response.set_rcode(dns.rcode.NXDOMAIN)
        return response.to_wire()
