# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host with http and https, and the two clients that we did not write, with each way to log on that they know."""

from __future__ import annotations

import contextlib
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import requests
from pypsrp.exceptions import AuthenticationError
from pypsrp.wsman import WSMan
from requests_credssp.exceptions import AuthenticationException, NTStatusException
from unit.lab.endpoint_kit import (
    CIMV2,
    NS,
    PASSWORD,
    TRANSFER,
    UPN,
    USER,
    Machine,
    message,
    new_address,
    no_bugs,
    pywinrm,
)
from winrm.exceptions import InvalidCredentialsError

from lab.endpoint import Endpoint, EndpointServer, EndpointSettings
from lab.endpoint.authority import Authority
from lab.endpoint.tls import TlsListener

GET = message(f"{TRANSFER}/Get", f"{CIMV2}Win32_OperatingSystem")
_RSP = NS["rsp"]
_SHELL = message(
    f"{TRANSFER}/Create",
    f"{_RSP}/cmd",
    f'<r:Shell xmlns:r="{_RSP}"><r:InputStreams>stdin</r:InputStreams>'
    "<r:OutputStreams>stdout stderr</r:OutputStreams></r:Shell>",
)
EVERYTHING = EndpointSettings(basic=True, credssp=True, certificate=True, certificate_mapping={UPN: USER})

REFUSED = (
    InvalidCredentialsError,
    AuthenticationError,
    AuthenticationException,
    NTStatusException,
    requests.exceptions.RequestException,
)
"""What the clients raise when a host does not let them in, or TLS does not."""

Send = Callable[[str], ET.Element]
"""Sends a message and returns the envelope of the answer."""


@dataclass
class Site:
    """One endpoint, and the files that its clients need."""

    endpoint: Endpoint
    authority: Authority
    folder: Path
    name: str

    @property
    def ca(self) -> str:
        """File with what to trust."""
        return str(self.folder / "ca.pem")

    def user(self, upn: str = UPN, authority: Authority | None = None) -> tuple[str, str]:
        """Return the files of a user's certificate and key."""
        certificate, key = (authority or self.authority).user(upn)
        number = len(list(self.folder.glob("*.key")))
        paths = self.folder / f"user{number}.pem", self.folder / f"user{number}.key"
        for path, content in zip(paths, (certificate, key), strict=True):
            path.write_bytes(content)
        return str(paths[0]), str(paths[1])

    def pywinrm(self, scheme: str, transport: str, **more: Any) -> Send:
        """Return pywinrm; it seals whenever the mechanism can."""
        port = 5986 if scheme == "https" else 5985
        options: dict[str, Any] = {
            "endpoint": f"{scheme}://{self.endpoint.address}:{port}/wsman",
            "transport": transport,
            "ca_trust_path": self.ca,
            "message_encryption": "auto" if transport in ("basic", "certificate") else "always",
        }
        if transport == "kerberos":
            options |= {"user": None, "password": None, "kerberos_hostname_override": self.name}
        if transport == "certificate":
            options["cert_pem"], options["cert_key_pem"] = self.user()
        client = pywinrm(self.endpoint.address, **(options | more))
        return lambda text: ET.fromstring(client.transport.send_message(text))

    def pypsrp(self, scheme: str, transport: str, **more: Any) -> Send:
        """Return pypsrp; it seals whenever the mechanism can."""
        options: dict[str, Any] = {
            "ssl": scheme == "https",
            "port": 5986 if scheme == "https" else 5985,
            "auth": transport,
            "username": USER,
            "password": PASSWORD,
            "cert_validation": self.ca,
            "encryption": "auto" if transport in ("basic", "certificate") else "always",
            "reconnection_retries": 0,
        }
        if transport == "kerberos":
            options |= {"username": None, "password": None, "negotiate_hostname_override": self.name}
            options["negotiate_service"] = "HTTP"
        if transport == "certificate":
            options["certificate_pem"], options["certificate_key_pem"] = self.user()
        options |= more
        client = WSMan(options.pop("server", self.endpoint.address), **options)
        return lambda text: ET.fromstring(client.transport.send(text.encode()))


@contextlib.contextmanager
def site(
    folder: Path, settings: EndpointSettings = EVERYTHING, machine: Machine | None = None, name: str = "", **more: Any
) -> Iterator[Site]:
    """Serve a machine with http and https; a bug of the endpoint or the machine fails the test."""
    authority = Authority("Lab CA")
    (folder / "ca.pem").write_bytes(authority.certificate)
    address = new_address()
    certificate, key = authority.server([address, name or "dc01.corp.example"])
    listener = TlsListener(certificate, key, client_authorities=authority.certificate)
    with EndpointServer() as server:
        endpoint = server.add(address, machine or Machine(), tls=listener, settings=settings, **more)
        with no_bugs(endpoint):
            yield Site(endpoint, authority, folder, name)


def only(**mechanisms: bool) -> EndpointSettings:
    """Return settings of a service that has these mechanisms on and no other."""
    off = dict.fromkeys(("kerberos", "negotiate", "credssp", "basic", "certificate"), False)
    return replace(EVERYTHING, **(off | mechanisms))


def owner(send: Send) -> str:
    """Open a shell, and return as whom the machine sees who opened it."""
    return send(_SHELL).findtext(f".//{{{_RSP}}}Owner", "")
