# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Searches in the objects of a forest as one domain controller has them (MS-ADTS 3.1.1.3.1.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sansldap

from .matching import matches
from .names import Name, dns_name, is_below, name_of
from .objects import LdapObject


class NoSuchObjectError(Exception):
    """The directory has no object of this name."""


class NotHereError(Exception):
    """Another domain controller has it; the text is its LDAP URI."""


@dataclass(frozen=True)
class Hits:
    """What a search found, and the LDAP URIs of parts that are elsewhere."""

    objects: list[LdapObject]
    references: list[str]


class Tree:
    """The directory as a domain controller of one domain has it: that domain, the configuration and the schema."""

    def __init__(self, objects: Sequence[LdapObject], domain: str) -> None:
        """Sort the objects.

        Args:
            objects: Those of the whole forest.
            domain: Distinguished name of the domain controller's own domain.
        """
        self.domain = domain
        self._objects = {name_of(item.dn): item for item in objects}
        references = [item for item in objects if b"crossRef" in item.values.get("objectclass", ())]
        self._contexts = {name_of(item.values["ncname"][0].decode()): item for item in references}
        """Every naming context of the forest with its crossRef."""
        self.configuration = _value(next(item for item in references if item.dn.startswith("CN=Enterprise Conf")))
        own = {name_of(domain), name_of(self.configuration), name_of(f"CN=Schema,{self.configuration}")}
        self._held = own & set(self._contexts)
        self.naming_contexts = [_value(self._contexts[name]) for name in self._held]

    def search(self, base: str, scope: sansldap.SearchScope, wanted: sansldap.LDAPFilter) -> Hits:
        """Return what fits.

        Raises:
            ValueError: The base is no distinguished name.
            NoSuchObjectError: There is no such base.
            NotHereError: Another domain controller has it.
            UnsupportedFilterError: The filter is not known here.
        """
        start = name_of(base)
        context = self._context(start)
        if context is not None and context not in self._held:
            raise NotHereError(self._uri(context, base))
        if start not in self._objects:
            raise NoSuchObjectError
        found = [
            item
            for name, item in self._objects.items()
            if _in_scope(name, start, scope) and self._context(name) == context and matches(item, wanted)
        ]
        return Hits(found, self._references(start, context, scope))

    def _context(self, name: Name) -> Name | None:
        """Return the naming context that an object is in."""
        for length in range(len(name) + 1):
            if name[length:] in self._contexts:
                return name[length:]
        return None

    def _references(self, start: Name, context: Name | None, scope: sansldap.SearchScope) -> list[str]:
        """A search of a domain's tree names the contexts right below it, held here or not, as Samba 4.17 does."""
        if scope is not sansldap.SearchScope.SUBTREE:
            return []
        return [
            self._uri(name, _value(item))
            for name, item in self._contexts.items()
            if name != context and is_below(name, start) and self._context(name[1:]) == context
        ]

    def _uri(self, context: Name, base: str) -> str:
        item = self._contexts[context]
        root = item.values.get("dnsroot", (b"",))[0].decode() or dns_name(_value(item))
        return f"ldap://{root}/{base}"


def _in_scope(name: Name, start: Name, scope: sansldap.SearchScope) -> bool:
    if scope is sansldap.SearchScope.BASE:
        return name == start
    if scope is sansldap.SearchScope.ONE_LEVEL:
        return name[1:] == start
    return is_below(name, start)


def _value(reference: LdapObject) -> str:
    return reference.values["ncname"][0].decode()
