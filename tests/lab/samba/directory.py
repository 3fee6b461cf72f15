# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A real domain for a test session: a Samba AD DC with LDAP, Kerberos and DNS on loopback addresses of its own."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import random
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.endpoint.authority import Authority

from . import templates

SYSTEM_PYTHON = "/usr/bin/python3"
"""Where Debian installs the samba module; other Pythons of a machine don't have it."""

_PROGRAMS = "/usr/sbin:/usr/bin:/sbin:/bin"
_ADMINISTRATION = Path(__file__).with_name("administration.py")
_PROVISIONED_ADDRESS = "127.0.0.10"
_PREFIX = "lab-domain-"
_READY_WITHIN = 60.0
_LIVES_AT_MOST = 3600


class DomainError(Exception):
    """Samba can't be run here, or refused something."""


@dataclass
class Domain:
    """One running domain with one writable DC. Made by `Domain.start`."""

    folder: Path
    """Everything of this domain; goes away with it."""
    address: str
    """Loopback address of the DC: LDAP 389 and 636, global catalog 3268 and 3269, Kerberos 88, kpasswd 464, DNS 53."""
    realm: str = "CORP.EXAMPLE"
    netbios: str = "CORP"
    dns_name: str = "corp.example"
    """DNS name of the domain."""
    computer: str = "DC1"
    admin: tuple[str, str] = ("Administrator", "Lab-only-Adm1n")
    """Name and password; opens nothing but the lab."""
    _server: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    _administration: subprocess.Popen[str] | None = field(default=None, repr=False)

    @classmethod
    @contextmanager
    def start(cls, cache: Path) -> Iterator[Domain]:
        """Start a fresh domain, and stop it at the end of the ``with`` statement.

        The first start of a machine takes about four seconds, later ones well below one: a template is kept.

        Args:
            cache: Folder for the template, which all processes may share.

        Raises:
            DomainError: Samba isn't installed, or doesn't start; the text says which and how it ended.
        """
        template = _template(cache)
        sweep()
        with tempfile.TemporaryDirectory(prefix=f"{_PREFIX}{os.getpid()}-", dir=_clones()) as folder:
            block = f"127.{random.randint(16, 250)}.{random.randint(0, 250)}"
            domain = cls(Path(folder) / "dc1", f"{block}.10")
            try:
                domain._clone(template)
                domain._run()
                yield domain
            finally:
                domain._stop()

    @property
    def host_name(self) -> str:
        """Full name of the DC."""
        return f"{self.computer}.{self.dns_name}".lower()

    @property
    def base(self) -> str:
        """Distinguished name of the domain."""
        return ",".join(f"DC={label}" for label in self.dns_name.split("."))

    @property
    def ca_certificate(self) -> Path:
        """What clients must trust for LDAPS and StartTLS; the DC's certificate names ``host_name`` and ``address``."""
        return self.folder / "tls" / "ca.pem"

    @property
    def krb5_conf(self) -> Path:
        """Settings that lead MIT Kerberos to this KDC without DNS."""
        return self.folder / "krb5.conf"

    def environment(self) -> dict[str, str]:
        """Return the variables that a client's process needs; no file outside of ``folder`` is read or written."""
        return {
            "KRB5_CONFIG": str(self.krb5_conf),
            "KRB5RCACHENAME": f"file2:{self.folder / 'replays'}",
        }

    def kinit(self, user: str, password: str, *options: str, cache: Path | None = None) -> Path:
        """Get a ticket with MIT's kinit, and return the cache that holds it.

        Args:
            user: Name without realm.
            password: Handed over by standard input.
            options: More of kinit's, such as ``-l 10s``.
            cache: Where to; a new file when not given.

        Raises:
            DomainError: There is none.
        """
        target = cache or self.folder / f"ccache-{secrets.token_hex(4)}"
        command = ["kinit", "-c", f"FILE:{target}", *options, f"{user}@{self.realm}"]
        _finish(command, f"{password}\n", os.environ | self.environment())
        return target

    def keytab(self, principal: str) -> Path:
        """Return a file with the keys of an SPN or account name; a computer's are AES, a user's RC4 only."""
        path = self.folder / f"{principal.replace('/', '-').lower()}.keytab"
        path.unlink(missing_ok=True)
        self._administer("keytab", path=str(path), principal=principal)
        if not path.exists():
            raise DomainError(f"No account of {self.dns_name} has the name {principal}, so there is no keytab for it.")
        return path

    def add_user(self, name: str, password: str, groups: Sequence[str] = ()) -> None:
        """Add a user, member of groups that exist."""
        self._administer("add_user", name=name, password=password, groups=list(groups))

    def add_computer(self, host: str) -> Path:
        """Join a member server by its full name, and return a keytab that accepts tickets for HTTP/ and WSMAN/ it."""
        name = host.partition(".")[0].upper()
        self._administer("add_computer", name=name, host=host, password=secrets.token_urlsafe(24) + "-A1")
        path = self.keytab(f"HTTP/{host}")
        self._administer("keytab", path=str(path), principal=f"WSMAN/{host}")
        return path

    def add_spn(self, spn: str, account: str) -> None:
        """Give an account (a computer's ends with $) an SPN."""
        self._administer("add_spn", spn=spn, account=account)

    def groups(self, names: Sequence[str]) -> dict[str, str]:
        """Return the SIDs of groups, and that of the domain under the empty name; a group that is missing is made."""
        found: dict[str, str] = self._administer("groups", names=list(names))
        return found

    def apply(self, ldif: str, *, relax: bool = False) -> None:
        """Apply LDIF with changetypes as the system; ``relax`` writes what no client may, such as an nTDSDSA object."""
        self._administer("apply", ldif=ldif, relax=relax)

    def remove(self, dn: str) -> None:
        """Delete an object as the system, one that has none below it."""
        self._administer("remove", dn=dn)

    def samba_tool(self, *arguments: str) -> str:
        """Run samba-tool on this domain and return what it printed; no password may be among the arguments."""
        command = [_program("samba-tool"), *arguments, f"--configfile={self._configuration}"]
        return _finish(command, "", os.environ | self.environment())

    @property
    def _configuration(self) -> Path:
        return self.folder / "etc" / "smb.conf"

    def _clone(self, template: Path) -> None:
        subprocess.run(["cp", "-a", "--reflink=auto", str(template), str(self.folder)], check=True)
        _write_configuration(self.folder, self.address)
        self.krb5_conf.write_text(templates.KRB5_CONF.format(folder=self.folder, address=self.address))
        tls = self.folder / "tls"
        authority = Authority("Lab domain CA")
        certificate, key = authority.server([self.host_name, self.dns_name, self.address])
        self.ca_certificate.write_bytes(authority.certificate)
        (tls / "cert.pem").write_bytes(certificate)
        (tls / "key.pem").touch(mode=0o600)
        (tls / "key.pem").write_bytes(key)
        self._administer("move", old=_PROVISIONED_ADDRESS, new=self.address)

    def _run(self) -> None:
        log = self.folder / "log" / "stdout"
        # Standard input: its end stops Samba, also when this process is killed. A session of its own: Samba signals
        # its whole process group when it ends (samba.md 9).
        command = [_program("samba"), "-s", str(self._configuration), "-i", "--no-process-group", "-M", "single"]
        with log.open("wb") as stream:
            self._server = subprocess.Popen(
                [*command, f"--maximum-runtime={_LIVES_AT_MOST}"],
                stdin=subprocess.PIPE,
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + _READY_WITHIN
        while not _is_ready(self.address):
            ended = self._server.poll()
            if ended is not None or time.monotonic() > deadline:
                state = f"ended with {ended}" if ended is not None else f"was not ready within {_READY_WITHIN:.0f} s"
                raise DomainError(f"samba at {self.address} {state}: {log.read_text(errors='replace')[-2000:]}")
            time.sleep(0.02)

    def _stop(self) -> None:
        for process in (self._administration, self._server):
            if process is None:
                continue
            if process.stdin is not None:
                process.stdin.close()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if self._administration is not None and self._administration.stdout is not None:
            self._administration.stdout.close()
        self._administration = self._server = None

    def _administer(self, operation: str, **values: Any) -> Any:
        if self._administration is None:
            self._administration = _administration(self._configuration)
        return _ask(self._administration, operation, values)


def sweep() -> None:
    """Remove the folders of domains whose process was killed."""
    for folder in _clones().glob(f"{_PREFIX}*"):
        process = folder.name.removeprefix(_PREFIX).partition("-")[0]
        if process.isdigit() and not Path("/proc", process).exists():
            shutil.rmtree(folder, ignore_errors=True)


def _clones() -> Path:
    """Return the folder for running domains; a socket's path may have 107 characters, and Samba needs half of them."""
    usual = Path(tempfile.gettempdir())
    return usual if len(str(usual)) < 40 else Path("/tmp")


def _template(cache: Path) -> Path:
    """Return a provisioned domain to clone, made by whoever comes first."""
    recipe = hashlib.sha256(_ADMINISTRATION.read_bytes() + Path(templates.__file__).read_bytes())
    recipe.update(_finish([_program("samba"), "--version"], "", os.environ).encode())
    recipe.update(repr((Domain.admin, Domain.realm, _PROVISIONED_ADDRESS)).encode())
    template = cache / recipe.hexdigest()[:16]
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if template.is_dir():
            return template
        for stale in cache.iterdir():
            if stale.is_dir():
                shutil.rmtree(stale)
        made = cache / "unfinished"
        _write_configuration(made, _PROVISIONED_ADDRESS)
        process = _administration(made / "etc" / "smb.conf")
        try:
            values = {"name": Domain.computer.lower(), "address": _PROVISIONED_ADDRESS, "password": Domain.admin[1]}
            _ask(process, "provision", values)
        finally:
            process.communicate()
        made.rename(template)
    return template


def _write_configuration(folder: Path, address: str) -> None:
    for name in templates.FOLDERS:
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "private").chmod(0o700)
    (folder / "ncalrpc").chmod(0o755)
    (folder / "etc" / "smb.conf").write_text(templates.SMB_CONF.format(folder=folder, address=address))


def _administration(configuration: Path) -> subprocess.Popen[str]:
    with (configuration.parents[1] / "log" / "administration").open("wb") as log:
        return subprocess.Popen(
            [SYSTEM_PYTHON, str(_ADMINISTRATION), str(configuration)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            env={"PATH": _PROGRAMS, "LC_ALL": "C.UTF-8"},
            text=True,
            start_new_session=True,
        )


def _ask(process: subprocess.Popen[str], operation: str, values: Mapping[str, Any]) -> Any:
    if process.stdin is None or process.stdout is None:
        raise DomainError("The domain's administration has no pipes.")
    process.stdin.write(json.dumps({"do": operation, **values}) + "\n")
    process.stdin.flush()
    line = process.stdout.readline()
    answer = json.loads(line) if line else {"error": f"{SYSTEM_PYTHON} ended with {process.wait()}"}
    if "error" in answer:
        raise DomainError(f"Samba refused {operation}: {answer['error']}")
    return answer["result"]


def _program(name: str) -> str:
    found = shutil.which(name, path=_PROGRAMS)
    if found is None:
        raise DomainError(f"{name} is not installed; Debian's packages samba and samba-ad-provision bring it.")
    return found


def _finish(command: Sequence[str], text: str, environment: Mapping[str, str]) -> str:
    finished = subprocess.run(
        list(command), input=text, capture_output=True, text=True, env=dict(environment), timeout=60, check=False
    )
    if finished.returncode:
        raise DomainError(f"{command[0]} ended with {finished.returncode}: {finished.stderr or finished.stdout}")
    return finished.stdout


_HEAD = "3035020101633004000a01000a0100020100020100010100870b6f626a656374436c6173733010040e"
_ROOT_DSE = bytes.fromhex(_HEAD) + b"isSynchronized"
"""An anonymous LDAP base search of the rootDSE for isSynchronized."""


def _is_ready(address: str) -> bool:
    """Whether LDAP answers that the DC is synchronized, and the KDC's port is open."""
    try:
        with socket.create_connection((address, 389), 1) as ldap:
            ldap.settimeout(2)
            ldap.sendall(_ROOT_DSE)
            if b"TRUE" not in ldap.recv(4096):
                return False
        socket.create_connection((address, 88), 1).close()
    except OSError:
        return False
    return True
