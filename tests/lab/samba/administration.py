# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What only Samba's own Python can do to a domain: a child process of /usr/bin/python3, not of the lab's Python.

One JSON object on each line of standard input, ``{"do": name, ...}``, one answer on each line of standard output,
``{"result": ...}`` or ``{"error": ...}``. Passwords travel in these lines and never in arguments. The database is
opened beside the running server, which is allowed (samba.md 2b). The only argument is the path of smb.conf.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import sys
from typing import Any

import samba  # type: ignore[import-not-found]
import samba.dckeytab  # type: ignore[import-not-found]  # brings Net.export_keytab
from samba.auth import system_session  # type: ignore[import-not-found]
from samba.dcerpc import dnsp, security  # type: ignore[import-not-found]
from samba.ndr import ndr_pack, ndr_unpack  # type: ignore[import-not-found]
from samba.net import Net  # type: ignore[import-not-found]
from samba.param import LoadParm  # type: ignore[import-not-found]
from samba.provision import provision  # type: ignore[import-not-found]
from samba.samdb import SamDB  # type: ignore[import-not-found]

_BY_NAME = "(sAMAccountName=%s)"


class Administration:
    """The operations; a public method is what the lab may ask for."""

    def __init__(self, configuration: str) -> None:
        self._configuration = configuration
        self._settings = LoadParm()
        self._settings.load(configuration)
        self._opened: Any = None

    @property
    def _database(self) -> Any:
        if self._opened is None:
            url = self._settings.private_path("sam.ldb")
            self._opened = SamDB(url=url, session_info=system_session(self._settings), lp=self._settings)
        return self._opened

    @property
    def _domain(self) -> str:
        return str(self._settings.get("realm")).lower()

    def provision(self, name: str, address: str, password: str) -> None:
        """Make the domain. Without ACLs of SYSVOL: no file system but some allow them (samba.md 1)."""
        provision(
            logging.getLogger(),
            system_session(self._settings),
            smbconf=self._configuration,
            lp=self._settings,
            realm=self._settings.get("realm"),
            domain=self._settings.get("workgroup"),
            hostname=name,
            hostip=address,
            adminpass=password,
            serverrole="active directory domain controller",
            dns_backend="SAMBA_INTERNAL",
            dom_for_fun_level=samba.dsdb.DS_DOMAIN_FUNCTION_2008_R2,
            skip_sysvolacl=True,
        )
        # A service that is left out here would add these (samba.md 1).
        full = f"{name}.{self._domain}"
        for spn in (f"ldap/{full}", f"ldap/{name.upper()}", f"GC/{full}/{self._domain}", f"WSMAN/{full}"):
            self.add_spn(spn, f"{name.upper()}$")

    def move(self, old: str, new: str) -> None:
        """Have DNS name another address; the only place that knows the one of the provisioning (samba.md 9)."""
        was, becomes = socket.inet_ntoa(socket.inet_aton(old)), socket.inet_ntoa(socket.inet_aton(new))
        root = str(self._database.domain_dn())
        for partition in ("DomainDnsZones", "ForestDnsZones"):
            base = f"DC={partition},{root}"
            for node in self._database.search(base, expression="(objectClass=dnsNode)", attrs=["dnsRecord"]):
                records = [ndr_unpack(dnsp.DnssrvRpcRecord, value) for value in node.get("dnsRecord", [])]
                hits = [item for item in records if item.wType == dnsp.DNS_TYPE_A and item.data == was]
                if not hits:
                    continue
                for item in hits:
                    item.data = becomes
                change = samba.ldb.Message(node.dn)
                packed = [ndr_pack(item) for item in records]
                change["dnsRecord"] = samba.ldb.MessageElement(packed, samba.ldb.FLAG_MOD_REPLACE, "dnsRecord")
                self._database.modify(change)

    def add_user(self, name: str, password: str, groups: list[str]) -> None:
        """Make a user."""
        self._database.newuser(name, password)
        for group in groups:
            self._database.add_remove_group_members(group, [name], add_members_operation=True)

    def add_computer(self, name: str, host: str, password: str) -> None:
        """Join a computer as far as Kerberos is concerned: an account, its password and the SPNs of its names."""
        self._database.add(
            {
                "dn": f"CN={name},CN=Computers,{self._database.domain_dn()}",
                "objectClass": "computer",
                "sAMAccountName": f"{name}$",
                "userAccountControl": "4096",
                "dNSHostName": host,
                "servicePrincipalName": [f"{kind}/{form}" for kind in ("HOST", "WSMAN") for form in (host, name)],
                "msDS-SupportedEncryptionTypes": "28",  # RC4, AES128, AES256: without it only RC4 (samba.md 6)
                "unicodePwd": f'"{password}"'.encode("utf-16-le"),
            }
        )

    def add_spn(self, spn: str, account: str) -> None:
        """Give an account a servicePrincipalName."""
        found = self._database.search(self._database.domain_dn(), expression=_BY_NAME % account, attrs=["1.1"])
        if len(found) != 1:
            raise LookupError(f"the domain has {len(found)} accounts {account}")
        change = samba.ldb.Message(found[0].dn)
        change["spn"] = samba.ldb.MessageElement(spn, samba.ldb.FLAG_MOD_ADD, "servicePrincipalName")
        self._database.modify(change)

    def groups(self, names: list[str]) -> dict[str, str]:
        """Return the SIDs of groups, and that of the domain under the empty name; a group that is missing is made."""
        found = {"": str(self._database.get_domain_sid())}
        for name in names:
            query = {"expression": _BY_NAME % samba.ldb.binary_encode(name), "attrs": ["objectSid"]}
            if not self._database.search(self._database.domain_dn(), **query):
                self._database.newgroup(name)
            entry = self._database.search(self._database.domain_dn(), **query)[0]
            found[name] = str(ndr_unpack(security.dom_sid, entry["objectSid"][0]))
        return found

    def apply(self, ldif: str, relax: bool) -> None:
        """Apply LDIF locally, whole or not at all, with ``relax`` also to what no client may write (an nTDSDSA)."""
        self._database.transaction_start()
        try:
            self._database.modify_ldif(ldif, ["relax:0"] if relax else [])
        except Exception:
            self._database.transaction_cancel()
            raise
        self._database.transaction_commit()

    def remove(self, dn: str) -> None:
        """Delete an object that has none below it; LDIF with that changetype is not understood here."""
        self._database.delete(dn)

    def keytab(self, path: str, principal: str) -> None:
        """Append the keys of a principal to a keytab."""
        Net(None, self._settings).export_keytab(keytab=path, principal=principal)
        os.chmod(path, 0o600)


def main() -> None:
    """Serve requests until standard input ends."""
    logging.basicConfig(level=logging.ERROR)
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what libraries print must not look like an answer
    administration = Administration(sys.argv[1])
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = {"result": getattr(administration, request.pop("do"))(**request)}
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
