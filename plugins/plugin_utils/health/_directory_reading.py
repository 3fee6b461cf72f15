# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One look at a domain controller over LDAP: what the gates of its directory service are judged on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import (
    AuthenticationRejected,
    DeadlineExceeded,
    DirectoryUnreachable,
    HostError,
)
from ansible_collections.entsso.password_sync.plugins.module_utils._plan import Unknown
from ansible_collections.entsso.password_sync.plugins.module_utils.health._directory_gates import (
    PING_ATTRIBUTE,
    Synchronized,
    advertised_gate,
    ldap_gate,
    ping_filter,
    synchronized_gate,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.health._gate import Gate, GateName, Verdict
from ansible_collections.entsso.password_sync.plugins.module_utils.health._replication import (
    Neighbour,
    NoPartners,
    Partners,
    parse_neighbour,
    replication_gate,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._ldap_entry import Entry
from ansible_collections.entsso.password_sync.plugins.plugin_utils._system import System
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._directory import Directory
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._ldap_session import LdapSession, Scope

GATES = (GateName.LDAP, GateName.SYNCHRONIZED, GateName.ADVERTISED, GateName.REPLICATION)

_ANY = "(objectClass=*)"
_STATE = ("isSynchronized", "isGlobalCatalogReady", "dsServiceName")
_NEIGHBOURS = "msDS-NCReplInboundNeighbors"
_IS_CATALOG = 1
"""Bit of `options` of an nTDSDSA (MS-ADTS 6.1.1.2.2.1.2.1.1)."""

_NOT_YET = "it is asked once NTDS, Netlogon and Kdc run"
_NOT_CONFIGURED = "the directory is not configured (password_sync_ldap_domain)"

ByWmi = Callable[[], tuple[Neighbour, ...] | Unknown]


class DirectoryLook:
    """Looks at the directory service of one domain controller, again and again over one session.

    Args:
        directory: How to reach it; None where that is not configured.
        by_wmi: Reads the partners of replication in another way.
        since: When the change began; None for the start of Windows.
    """

    def __init__(self, directory: Directory | None, by_wmi: ByWmi, since: datetime | None = None) -> None:
        self._directory = directory
        self._by_wmi = by_wmi
        self._since = since
        self._rejected = ""

    def gates(self, system: System, *, serves: bool) -> tuple[Gate, ...]:
        """Reads and judges everything that the directory service tells.

        Args:
            system: The domain controller as Windows tells it.
            serves: Whether the services run that a logon needs.

        Raises:
            HostError: The host does not answer over WinRM.
        """
        if self._directory is None:
            return (*_all(Verdict.NOT_CHECKED, _NOT_CONFIGURED)[:-1], self._replication_without(system))
        if self._rejected:
            return self._unknown(self._rejected)
        if not serves:
            return _all(Verdict.WAITING, _NOT_YET)
        try:
            return self._asked(self._directory.session_with((system.name,)), system)
        except AuthenticationRejected as error:
            # Asking again would count as another wrong password.
            self._rejected = _clause(error)
            return self._unknown(self._rejected)
        except (DirectoryUnreachable, DeadlineExceeded) as error:
            self._directory.forget(system.name)
            return _all(
                Verdict.WAITING,
                f"it does not answer over LDAP ({_clause(error)})",
                "Look at its directory service, and whether the control node reaches its LDAP port",
            )
        except HostError as error:
            self._directory.forget(system.name)
            return self._unknown(_clause(error), error.remedy)

    def _asked(self, session: LdapSession, system: System) -> tuple[Gate, ...]:
        answers = ldap_gate(system.name, session.root.host)
        if answers.verdict is not Verdict.PASSED:
            return (answers, *_all(Verdict.WAITING, "another machine answers over LDAP")[1:])
        state = _first(session, "", _STATE)
        settings = state.text("dsServiceName")
        options = _first(session, settings, ("options",)).integer("options") if settings else None
        ping = session.search("", ping_filter(system.domain), (PING_ATTRIBUTE,), Scope.BASE).entries
        return (
            answers,
            synchronized_gate(
                Synchronized(
                    state.text("isSynchronized"),
                    bool((options or 0) & _IS_CATALOG),
                    state.text("isGlobalCatalogReady"),
                )
            ),
            advertised_gate(next((value for item in ping for value in item.raw(PING_ATTRIBUTE)), b"")),
            replication_gate(read_partners(session, self._by_wmi), system.domain, system.boot_time, self._since),
        )

    def _replication_without(self, system: System) -> Gate:
        told = self._by_wmi()
        if isinstance(told, Unknown) or not told:
            reason = told.reason if isinstance(told, Unknown) else "the WMI class MSAD_ReplNeighbor names no partner"
            return Gate(GateName.REPLICATION, Verdict.NOT_CHECKED, f"{_NOT_CONFIGURED}, and {reason}")
        return replication_gate(told, system.domain, system.boot_time, self._since)

    @staticmethod
    def _unknown(reason: str, remedy: str = "") -> tuple[Gate, ...]:
        return _all(
            Verdict.UNKNOWN,
            f"its directory could not be asked ({reason})",
            remedy or "Correct the variables password_sync_ldap_*, then run again",
        )


def read_partners(session: LdapSession, by_wmi: ByWmi) -> Partners:
    """Reads whom a domain controller pulls changes from, and how that went.

    Args:
        session: A session with it.
        by_wmi: Reads the same in another way, for where the directory does not show it.

    Raises:
        HostError: It can't be asked.
    """
    root = session.root
    values = [
        text
        for context in (root.domain, root.configuration, root.schema)
        for text in _first(session, context, (_NEIGHBOURS,)).texts(_NEIGHBOURS)
    ]
    try:
        found = tuple(parse_neighbour(text) for text in values)
    except ValueError as error:
        return Unknown(f"{_NEIGHBOURS} can't be understood: {error}")
    if found:
        return found
    others = session.search(f"CN=Sites,{root.configuration}", "(objectClass=nTDSDSA)", ("cn",)).entries
    if len(others) == 1:
        return NoPartners()
    told = by_wmi()
    if isinstance(told, Unknown) or not told:
        reason = told.reason if isinstance(told, Unknown) else "the WMI class MSAD_ReplNeighbor names no partner"
        return Unknown(f"its directory does not show {_NEIGHBOURS} to this account, and {reason}")
    return told


def _all(verdict: Verdict, sentence: str, remedy: str = "") -> tuple[Gate, ...]:
    return tuple(Gate(name, verdict, sentence, remedy) for name in GATES)


def _first(session: LdapSession, name: str, attributes: tuple[str, ...]) -> Entry:
    found = session.search(name, _ANY, attributes, Scope.BASE).entries
    return next(iter(found), Entry(name, {}))


def _clause(error: HostError) -> str:
    return error.reason.strip().rstrip(".")
