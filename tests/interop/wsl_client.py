# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Debian's `wsl`, a WS-Management client written for Dell's servers, in a home and a folder of its own.

Its shell scripts call curl, whose way to authenticate is set in `.curlrc`, and trust a file named after the endpoint.
"""

from __future__ import annotations

import os
import re
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lab.endpoint import Endpoint
from lab.windows.host import SimulatedHost

SOAP = "{http://www.w3.org/2003/05/soap-envelope}"

UUIDGEN = "#!/bin/sh\nexec cat /proc/sys/kernel/random/uuid\n"
"""wsl numbers its messages with uuidgen and does not depend on the package that has it (uuid-runtime)."""


@dataclass
class Wsl:
    """The client with a home of its own, and the machine that it talks to."""

    folder: Path
    endpoint: Endpoint
    tls_port: int
    certificate: bytes
    host: SimulatedHost
    user: str
    password: str
    name: str = ""
    """Host name in the URL, which curl is told the address of; the address when empty."""

    def run(
        self, *arguments: str, curl: str = "basic", https: bool = True, environment: Mapping[str, str] | None = None
    ) -> str:
        """Run the client; return what it printed, its colours taken off."""
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        port = self.tls_port if https else self.endpoint.port
        known = f'resolve = "{self.name}:{port}:{self.endpoint.address}"\n' if self.name else ""
        (home / ".curlrc").write_text(f"{curl}\n{known}", encoding="utf-8")
        (home / "uuidgen").write_text(UUIDGEN, encoding="utf-8")
        (home / "uuidgen").chmod(0o700)
        address = f"{self.name or self.endpoint.address}:{port}"
        (self.folder / f"{address}.crt").write_bytes(self.certificate)
        variables = {
            "HOME": str(home),
            "PATH": f"{os.environ['PATH']}:{home}",
            "SHELL": "/bin/bash",
            "KEEPHISTORY": "0",
            "WSENDPOINT": address,
            # wsl hands it to a shell without quotes.
            "WSUSER": self.user.replace("\\", "\\\\"),
            "WSPASS": self.password,
            **({} if https else {"WSNOSSL": "true"}),
            **(environment or {}),
        }
        done = subprocess.run(
            ["wsl", *arguments],
            cwd=self.folder,
            env=variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        return re.sub("\x1b\\[[0-9;]*m", "", done.stdout)

    def body(self, *arguments: str, **more: str | bool) -> ET.Element:
        """Run the client and return the Body of the last answer."""
        self.run(*arguments, **more)  # type: ignore[arg-type]
        found = ET.parse(self.folder / "response.xml").getroot().find(f"{SOAP}Body")
        assert found is not None
        return found

    def answers(self) -> list[ET.Element]:
        """Return every answer of the last run, in order."""
        files = sorted(self.folder.glob("response-*.xml"), key=lambda path: int(path.stem.rpartition("-")[2]))
        return [ET.parse(path).getroot() for path in files]
