# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The test domain itself: what it promises to the tests that stand on it."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lab.samba.directory import Domain, DomainError, sweep

pytestmark = pytest.mark.needs("samba", "kinit", "root")


def test_a_user_gets_tickets_with_aes_keys_for_a_joined_computer(domain: Domain) -> None:
    domain.add_user("alice", "Alice-Passw0rd", ["Domain Admins"])
    keytab = domain.add_computer("dc11.corp.example")
    cache = domain.kinit("alice", "Alice-Passw0rd")
    _run(domain, "kvno", "-c", str(cache), "-k", str(keytab), "HTTP/dc11.corp.example", "WSMAN/dc11.corp.example")
    assert "aes256-cts-hmac-sha1-96" in _run(domain, "klist", "-ec", str(cache))


def test_a_wrong_password_gets_no_ticket(domain: Domain) -> None:
    with pytest.raises(DomainError, match="Password incorrect"):
        domain.kinit(domain.admin[0], "wrong")


def test_ldaps_shows_a_certificate_for_the_name_and_the_address(domain: Domain) -> None:
    context = ssl.create_default_context(cafile=domain.ca_certificate)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    for name in (domain.host_name, domain.address):
        with socket.create_connection((domain.address, 636), 5) as plain:
            context.wrap_socket(plain, server_hostname=name).close()


def test_dns_of_the_clone_names_its_own_address(domain: Domain) -> None:
    question = b"\x03dc1\x04corp\x07example\x00\x00\x01\x00\x01"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(5)
        client.sendto(b"\x00\x07\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00" + question, (domain.address, 53))
        answer = client.recv(512)
    assert socket.inet_aton(domain.address) in answer


def test_the_domain_ends_with_the_process_that_started_it(domain: Domain) -> None:
    """Also when that process is killed: Samba sees the end of its standard input."""
    program = (
        "import sys, pathlib, os, signal\n"
        "from lab.samba.directory import Domain\n"
        "with Domain.start(pathlib.Path(sys.argv[1])) as domain:\n"
        "    print(domain.address, domain.folder, flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    cache = Path(__file__).parents[2] / "build" / "samba"
    command = [sys.executable, "-c", program, str(cache)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    address, folder = ended.stdout.split()
    assert address != domain.address
    deadline = time.monotonic() + 10
    while _is_open(address):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    sweep()
    assert not Path(folder).parent.exists()
    assert domain.folder.exists()


def _is_open(address: str) -> bool:
    try:
        socket.create_connection((address, 389), 0.2).close()
    except OSError:
        return False
    return True


def _run(domain: Domain, *command: str) -> str:
    environment = os.environ | domain.environment()
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=20, check=True).stdout
