# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names to domain controllers and addresses: SRV records of a domain, and the control node's resolver."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import DirectoryUnreachable, HostError

if TYPE_CHECKING:
    import dns.nameserver
    import dns.resolver

MAX_CANDIDATES = 5
"""Domain controllers found in DNS that are tried before giving up: with all of them silent, each costs a time-out."""


def find_domain_controllers(domain: str, name_servers: Sequence[str], seconds: float) -> tuple[str, ...]:
    """Returns names of domain controllers that DNS has for a domain, those to try first first.

    The record is `_ldap._tcp.dc._msdcs.<domain>` (MS-ADTS 6.3.2.3); RFC 2782 has the order, except that those of
    equal weight come by name.

    Args:
        domain: DNS name of the domain.
        name_servers: Addresses of the DNS servers to ask; none for those of the control node.
        seconds: How long to wait.

    Raises:
        DirectoryUnreachable: There is none, or DNS does not answer.
        HostError: The library is missing.
    """
    record = f"_ldap._tcp.dc._msdcs.{domain}"
    resolver = _resolver(domain, name_servers, seconds)
    import dns.exception
    import dns.rdtypes.IN.SRV
    import dns.resolver

    try:
        answer = resolver.resolve(record, "SRV", search=False)
    except dns.resolver.NXDOMAIN:
        raise _unknown(domain, f"DNS has no {record}", name_servers) from None
    except dns.resolver.NoAnswer:
        raise _unknown(domain, f"{record} names no server", name_servers) from None
    except dns.exception.DNSException as error:
        raise _unknown(domain, f"DNS did not answer for {record} ({_first_line(error)})", name_servers) from None
    found = [item for item in answer if isinstance(item, dns.rdtypes.IN.SRV.SRV)]
    ordered = sorted(found, key=lambda item: (item.priority, -item.weight, str(item.target).lower()))
    names = dict.fromkeys(str(item.target).rstrip(".").lower() for item in ordered)
    return tuple(name for name in names if name)[:MAX_CANDIDATES]


def addresses(name: str, port: int, name_servers: Sequence[str], seconds: float) -> tuple[str, ...]:
    """Returns the addresses of a domain controller.

    Raises:
        DirectoryUnreachable: It has none.
    """
    try:
        return (str(ipaddress.ip_address(name)),)
    except ValueError:
        pass
    found = _asked(name, name_servers, seconds) if name_servers else _resolved(name, port)
    if not found:
        raise DirectoryUnreachable(
            name,
            "LDAP",
            f"{_servers(name_servers)} knows no address for this name",
            "Correct `server`, or let DNS know the name (`name_servers` asks other DNS servers)",
        )
    return found


def _resolved(name: str, port: int) -> tuple[str, ...]:
    try:
        found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    except OSError:
        return ()
    return tuple(dict.fromkeys(str(item[4][0]) for item in found))


def _asked(name: str, name_servers: Sequence[str], seconds: float) -> tuple[str, ...]:
    resolver = _resolver(name, name_servers, seconds)
    import dns.exception

    try:
        return tuple(resolver.resolve_name(name, lifetime=seconds).addresses())
    except dns.exception.DNSException:
        return ()


def _resolver(name: str, name_servers: Sequence[str], seconds: float) -> dns.resolver.Resolver:
    try:
        import dns.resolver
    except ImportError:
        raise HostError(
            name,
            "",
            "looking up names of a domain in DNS needs the Python library dnspython on the control node",
            "Install it there (pip install dnspython), or name a domain controller in `server`",
        ) from None
    try:
        resolver = dns.resolver.Resolver(configure=not name_servers)
    except dns.resolver.NoResolverConfiguration:
        raise _unknown(name, "the control node has no DNS configuration", ()) from None
    if name_servers:
        resolver.nameservers = [_name_server(item) for item in name_servers]
    resolver.lifetime = seconds
    return resolver


def _name_server(text: str) -> dns.nameserver.Nameserver:
    """Returns the DNS server of `192.0.2.1`, `192.0.2.1:5353`, `2001:db8::1` or `[2001:db8::1]:5353`."""
    import dns.nameserver

    host, port = text.strip(), ""
    if host.startswith("["):
        host, _bracket, rest = host[1:].partition("]")
        port = rest.removeprefix(":")
    elif host.count(":") == 1:
        host, _colon, port = host.partition(":")
    try:
        return dns.nameserver.Do53Nameserver(str(ipaddress.ip_address(host)), int(port or 53))
    except ValueError:
        raise HostError(
            "", f"DNS server {text}", "it is no address", "Give addresses in `name_servers`, with a port or without"
        ) from None


def _unknown(domain: str, reason: str, name_servers: Sequence[str]) -> DirectoryUnreachable:
    return DirectoryUnreachable(
        "",
        f"domain {domain}",
        f"no domain controller was found: {reason} (asked {_servers(name_servers)})",
        "Correct `domain`, name a domain controller in `server`, or give DNS servers that know the domain in "
        "`name_servers`",
    )


def _servers(name_servers: Sequence[str]) -> str:
    return f"DNS server {' or '.join(name_servers)}" if name_servers else "the control node's resolver"


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
