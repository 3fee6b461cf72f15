# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A second domain controller of a test's domain, really joined, which replicates when it is told to and not before."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from . import templates
from .directory import Domain, DomainError, _is_ready

_PROGRAMS = "/usr/sbin:/usr/bin:/sbin:/bin"
_READY_WITHIN = 60.0
_IN_ITS_NAMESPACE = 'mount --bind "$0" /etc/resolv.conf && exec "$@"'


@dataclass(frozen=True)
class SecondController:
    """A running writable DC beside the first."""

    domain: Domain
    folder: Path
    address: str
    """Loopback address; LDAP is at 389, without TLS."""
    host_name: str = "dc2.corp.example"

    def replicate(self, context: str = "") -> None:
        """Pull what is new from the first DC, over DRSUAPI, and return when it is there.

        Args:
            context: Distinguished name of the naming context; that of the domain when not given. Of the schema,
                attributes must have come before the classes that have them (samba-tool reads what comes by the schema
                that it has).
        """
        wanted = context or self.domain.base
        self.administer("drs", "replicate", self.host_name, self.domain.host_name, wanted, "--local")

    def administer(self, *arguments: str) -> None:
        """Run samba-tool as an administrator where the domain's DNS is the resolver (needs root).

        Raises:
            DomainError: It failed; the text has its words.
        """
        name, password = self.domain.admin
        command = ["samba-tool", *arguments, "-U", name, f"--configfile={self.folder / 'etc' / 'smb.conf'}"]
        resolver = self.folder / "etc" / "resolv.conf"
        finished = subprocess.run(
            ["unshare", "-m", "--propagation", "private", "sh", "-c", _IN_ITS_NAMESPACE, str(resolver), *command],
            env=os.environ | self.domain.environment() | {"PASSWD": password, "PATH": _PROGRAMS},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if finished.returncode:
            raise DomainError(f"samba-tool {arguments[0]} ended with {finished.returncode}: {finished.stderr}")


@contextmanager
def second_controller(domain: Domain) -> Iterator[SecondController]:
    """Join a second DC to a running domain, and stop it at the end; takes about six seconds.

    Raises:
        DomainError: It could not be joined or does not start.
    """
    folder = domain.folder.with_name("dc2")
    for name in templates.FOLDERS:
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "private").chmod(0o700)
    found = SecondController(domain, folder, f"{domain.address.rpartition('.')[0]}.20")
    text = templates.SMB_CONF.format(folder=folder, address=found.address)
    lines = [line for line in text.replace("= DC1", "= DC2").splitlines() if not line.strip().startswith("tls ")]
    lines.insert(1, "    tls enabled = no")
    (folder / "etc" / "smb.conf").write_text("\n".join(lines) + "\n")
    (folder / "etc" / "resolv.conf").write_text(f"nameserver {domain.address}\n")
    found.administer(
        "domain", "join", domain.dns_name, "DC", f"--server={domain.host_name}", "--dns-backend=NONE",
        f"--realm={domain.realm}",
    )  # fmt: skip
    # Standard input and session: see `Domain`.
    with (folder / "log" / "stdout").open("wb") as log:
        server = subprocess.Popen(
            ["samba", "-s", str(folder / "etc" / "smb.conf"), "-i", "--no-process-group", "-M", "single"],
            env={"PATH": _PROGRAMS, "LC_ALL": "C.UTF-8"},
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait(found, server)
        yield found
    finally:
        server.communicate()


def _wait(controller: SecondController, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + _READY_WITHIN
    while not _is_ready(controller.address):
        if server.poll() is not None or time.monotonic() > end:
            log = (controller.folder / "log" / "stdout").read_text(errors="replace")
            raise DomainError(f"The second domain controller did not start: {log[-500:]}")
        time.sleep(0.05)
