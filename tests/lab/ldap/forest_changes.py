# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who somebody is to the directory of a running forest, and what they may change there: SPNs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sansldap import LDAPResultCode

from lab.pcns_entries import sid_bytes
from lab.windows.identity import HostRole

from .changes import RefusedError, Request, Verdict, applied
from .contents import whole_directory
from .names import name_of

if TYPE_CHECKING:
    from lab.directory import Directory, User
    from lab.forest import Forest
    from lab.windows.host import SimulatedHost

_SPN = "serviceprincipalname"
_WRITERS = ("domain admins", "enterprise admins")


def token_of(forest: Forest, name: str) -> list[bytes]:
    """Return the SIDs of a logon: the user's own and those of its groups. An account that only logs on has none but
    Domain Users.

    Args:
        forest: The forest.
        name: As it logged on, ``DOMAIN\\name`` or ``name@domain``.
    """
    with forest.scheduler.lock:
        domain, user = _account(forest, name)
        groups = user.groups if user else frozenset({"domain users"})
        found = [group.sid for item in forest.domains for group in item.groups.values()]
        held = {group.sid for group in domain.groups.values() if group.name.lower() in groups}
        # Schema Admins and Enterprise Admins are groups of the root domain; the lab's users of others may be in them.
        root = forest.directory.groups.values()
        held |= {group.sid for group in root if group.sid.endswith(("-518", "-519")) and group.name.lower() in groups}
        own = [user.sid] if user else []
        return [sid_bytes(sid) for sid in (*own, *(sid for sid in found if sid in held))]


def change(forest: Forest, host: SimulatedHost, user: str, request: Request) -> Verdict:
    """Change an object's SPNs, wholly or not at all, as Samba does (samba.md 5); nothing else can be changed."""
    with forest.scheduler.lock:
        objects = whole_directory(forest, host)
        item = next((item for item in objects if name_of(item.dn) == name_of(request.dn)), None)
        if item is None or "samaccountname" not in item.values:
            return Verdict(LDAPResultCode.NO_SUCH_OBJECT)
        if host.identity.role is HostRole.READ_ONLY_DC:
            return Verdict(LDAPResultCode.UNWILLING_TO_PERFORM, "the domain controller is read-only")
        known = _account(forest, user)[1]
        if known is None or not any(group in known.groups for group in _WRITERS):
            return Verdict(LDAPResultCode.INSUFFICIENT_ACCESS_RIGHTS, "00002098: acl: access denied")
        if any(part.attribute != _SPN for part in request.modifications):
            return Verdict(LDAPResultCode.UNWILLING_TO_PERFORM, "the lab changes SPNs only")
        try:
            values = applied(item, request.modifications, objects)
        except RefusedError as refused:
            return refused.verdict
        account = item.values["samaccountname"][0].decode().lower()
        domain = next(part for part in forest.domains if _is_in(item.dn, part))
        domain.service_principal_names[account] = [value.decode() for value in values[_SPN]]
    return Verdict(LDAPResultCode.SUCCESS)


def _account(forest: Forest, name: str) -> tuple[Directory, User | None]:
    if "\\" in name:
        short, _separator, user = name.partition("\\")
    else:
        user, _separator, short = name.partition("@")
    wanted = short.lower()
    domain = next(
        (item for item in forest.domains if wanted in (item.netbios_name.lower(), item.dns_name.lower())),
        forest.directory,
    )
    return domain, domain.users.get(user.lower())


def _is_in(dn: str, domain: Directory) -> bool:
    labels = tuple(f"dc={label}" for label in domain.dns_name.lower().split("."))
    return tuple(part for part in name_of(dn) if part.startswith("dc=")) == labels
