# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A real domain that has what the lab's packages and pcnscfg write: SCHEMAONLY and every verb end up in Samba too.

`mirror(forest, domain)` takes over the SIDs of Samba's groups, and from then on writes each change of the lab's schema
and of the lab's PCNS objects of the forest's first domain to Samba. So the hosts are the lab's (WinRM), and the
directory that is asked over LDAP is Samba's. What is added to Samba's schema stays there, as in any directory: a test
that needs it without starts a domain of its own.

For a host of the lab that is Samba's domain controller: ``Forest(populate=False)`` and
``add_domain_controller("DC1", "Default-First-Site-Name")``, whose full name is ``dc1.corp.example`` in both.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from lab.forest import Forest
from lab.pcns_entries import Entry, object_entries, schema_entries

from .directory import Domain, DomainError

_RELOAD = "dn:\nchangetype: modify\nreplace: schemaUpdateNow\nschemaUpdateNow: 1\n"
"""Must come between attributes and the class that has them (samba.md 4)."""


@dataclass
class Mirror:
    """Writes to a domain what the lab's forest has."""

    forest: Forest
    domain: Domain
    after_attributes: list[Callable[[], None]] = field(default_factory=list)
    """Called when attributes of the schema are written, and the classes are not."""
    _schema: dict[str, Entry] = field(default_factory=dict)
    _objects: dict[str, Entry] = field(default_factory=dict)

    def write_schema(self) -> None:
        """Adds what the schema does not have yet.

        Raises:
            DomainError: Samba refuses it; or the lab took something away, which no directory does.
        """
        known = self.forest.directory.schema
        schema = f"CN=Schema,CN=Configuration,{self.domain.base}"
        wanted = {
            item.dn: item
            for item in schema_entries(self.forest.settings.pcns_directory, schema, known.parts, known.foreign)
        }
        if not set(self._schema) <= set(wanted):
            raise DomainError("Nothing can be taken out of a schema.")
        changed = [item for item in wanted.values() if item != self._schema.get(item.dn)]
        attributes = [self._ldif(item) for item in changed if item.object_class == "attributeSchema"]
        classes = [self._ldif(item) for item in changed if item.object_class == "classSchema"]
        self._apply("\n".join(attributes))
        for call in self.after_attributes if attributes else ():
            call()
        for ldif in classes:
            self._apply(ldif)
        self._schema = wanted

    def write_objects(self) -> None:
        """Makes service object and targets what they are in the lab; others' objects are left alone."""
        settings = self.forest.settings.pcns_directory
        wanted = {item.dn: item for item in object_entries(settings, self.domain.base, self.forest.directory.pcns())}
        for dn in reversed([dn for dn in self._objects if dn not in wanted]):
            self.domain.remove(dn)
        for dn, item in wanted.items():
            if item != self._objects.get(dn):
                names = sorted({*item.values, *self._names(dn)} - {"cn"})
                self.domain.apply(_ldif_of(item, self._objects.get(dn), names))
        self._objects = wanted

    def _names(self, dn: str) -> Iterable[str]:
        before = self._objects.get(dn)
        return before.values if before else ()

    def _apply(self, ldif: str) -> None:
        if ldif:
            self.domain.apply(ldif)
            self.domain.apply(_RELOAD)

    def _ldif(self, item: Entry) -> str:
        return _ldif_of(item, self._schema.get(item.dn), ("mayContain", "possSuperiors"))


def mirror(forest: Forest, domain: Domain) -> Mirror:
    """Takes over Samba's SIDs, writes what there is, and follows what changes from now on."""
    directory = forest.directory
    sids = domain.groups([item.name for item in directory.groups.values()])
    directory.adopt_sids(sids.pop(""), sids)
    made = Mirror(forest, domain)
    made.write_schema()
    made.write_objects()
    directory.schema.watchers.append(made.write_schema)
    directory.watchers.append(lambda _domain_controller: made.write_objects())
    return made


def _ldif_of(item: Entry, before: Entry | None, changeable: Sequence[str]) -> str:
    lines = [_line("dn", item.dn)]
    if before is None:
        lines += ["changetype: add", f"objectClass: {item.object_class}"]
        lines += [_line(name, value) for name, values in item.values.items() for value in values]
    else:
        lines.append("changetype: modify")
        for name in changeable:
            if item.values.get(name) != before.values.get(name):
                lines += [f"replace: {name}", *(_line(name, value) for value in item.values.get(name, ())), "-"]
    return "\n".join(lines) + "\n"


def _line(name: str, value: str | bytes) -> str:
    if name.upper().endswith("SID") and isinstance(value, bytes):
        value = _sid_text(value)  # what Samba reads of LDIF where the syntax is that of a SID
    data = value.encode() if isinstance(value, str) else value
    return f"{name}:: {base64.b64encode(data).decode()}"


def _sid_text(value: bytes) -> str:
    numbers = [int.from_bytes(value[start : start + 4], "little") for start in range(8, len(value), 4)]
    return "-".join(["S", str(value[0]), str(int.from_bytes(value[2:8], "big")), *map(str, numbers)])
