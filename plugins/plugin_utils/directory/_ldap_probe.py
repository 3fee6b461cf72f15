# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of many domain controllers answer: each is asked for its rootDSE, several at once, without logging on.

Everybody may read the rootDSE (MS-ADTS 3.1.1.3.2), so no account can be locked out and no KDC is needed. Nothing proves
who answers unless TLS is used: this is for planning, and decides no more than which domain controllers count as up.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import HostError
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._ldap_settings import LdapSettings
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._ldap_channel import connect
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._ldap_lookup import addresses
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._ldap_session import LdapSession

AT_ONCE = 32
"""Domain controllers that are asked at the same time. One that is silent holds up its place for a time-out or two."""

_NAME, _SYNCHRONIZED = "dnsHostName", "isSynchronized"


@dataclass(frozen=True)
class Probe:
    """What came of asking one domain controller.

    Attributes:
        available: Whether it answered as itself and is synchronized.
        synchronized: What it says of that; None where it did not say.
        reason: Why it is not available, a clause; empty when it is.
    """

    available: bool
    synchronized: bool | None = None
    reason: str = ""


def probe(settings: LdapSettings, names: Sequence[str]) -> dict[str, Probe]:
    """Asks domain controllers; to find, to connect and to answer may take the time-out for connections each.

    Args:
        settings: How to reach them; the account is not used.
        names: Their full names.

    Returns:
        The answers by name.
    """
    quick = replace(settings, timeout=settings.connection_timeout)
    with ThreadPoolExecutor(max_workers=max(1, min(AT_ONCE, len(names)))) as pool:
        return dict(zip(names, pool.map(lambda name: _ask(quick, name), names), strict=True))


def _ask(settings: LdapSettings, name: str) -> Probe:
    if not name:
        return Probe(False, reason="the directory has no name for it")
    try:
        found = addresses(name, settings.tcp_port, settings.name_servers, settings.connection_timeout)
        channel = connect(name, found, settings.tcp_port, settings.connection_timeout)
        session = LdapSession(settings, name, channel)
        try:
            root = session.look((_NAME, _SYNCHRONIZED))
        finally:
            session.close()
    except HostError as error:
        return Probe(False, reason=error.reason.strip().rstrip("."))
    told = root.text(_SYNCHRONIZED).upper()
    synchronized = told == "TRUE" if told else None
    if root.text(_NAME).casefold() != name.casefold():
        return Probe(False, synchronized, f"{root.text(_NAME) or 'something without a name'} answers in its place")
    if synchronized is False:
        return Probe(False, synchronized, "its directory is not synchronized")
    return Probe(True, synchronized)
