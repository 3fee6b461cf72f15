# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gates of a domain controller as pure functions: what must hold whatever is read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.entsso.password_sync.plugins.module_utils._notification_package import NotificationPackageState
from ansible_collections.entsso.password_sync.plugins.module_utils._plan import Absent, Present, Unknown
from ansible_collections.entsso.password_sync.plugins.module_utils.codec._eventlog import Event
from ansible_collections.entsso.password_sync.plugins.module_utils.health._directory_gates import (
    Synchronized,
    advertised_gate,
    ldap_gate,
    ping_filter,
    synchronized_gate,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.health._error_events import (
    BEFORE,
    REPLICATED_FILES,
    SOURCES,
    Window,
    configuration_events,
    error_queries,
    events_gate,
    new_errors,
    sources,
    window,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.health._gate import Gate, GateName, Verdict
from ansible_collections.entsso.password_sync.plugins.module_utils.health._health import Health, State, without
from ansible_collections.entsso.password_sync.plugins.module_utils.health._host_gates import (
    OPTIONAL,
    SERVICES,
    ServiceSeen,
    booted_gate,
    filter_gate,
    pcns_gate,
    service_gate,
    share_gate,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.health._replication import (
    LOST_BEFORE,
    Neighbour,
    NoPartners,
    matters,
    parse_neighbour,
    replication_gate,
)

BOOT = datetime(2026, 11, 20, 2, 10, 31, 500_000, tzinfo=UTC)
HOUR = timedelta(hours=1)
DOMAIN, CONFIGURATION = "DC=corp,DC=example", "CN=Configuration,DC=corp,DC=example"
GATES = st.lists(
    st.builds(Gate, st.sampled_from(GateName), st.sampled_from(Verdict), st.just("x")), unique_by=lambda gate: gate.name
)
TEXT = st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=40)


class TestAll:
    @given(GATES, st.frozensets(st.sampled_from(GateName)))
    def test_healthy_is_nothing_open_and_only_unknown_can_be_accepted(
        self, gates: list[Gate], accepted: frozenset[GateName]
    ) -> None:
        health = Health(tuple(gates), accepted)
        bad = [
            gate
            for gate in gates
            if gate.verdict in (Verdict.FAILED, Verdict.WAITING)
            or (gate.verdict is Verdict.UNKNOWN and gate.name not in accepted)
        ]
        assert health.healthy is not bool(bad)
        assert set(health.open) == set(bad)
        assert (health.state is State.HEALTHY) is health.healthy
        if any(gate.verdict is Verdict.FAILED for gate in gates):
            assert health.state is State.FAILED

    @given(GATES, st.frozensets(st.sampled_from(GateName)))
    def test_what_is_left_out_is_not_checked_and_the_rest_stays(
        self, gates: list[Gate], skipped: frozenset[GateName]
    ) -> None:
        found = {gate.name: gate for gate in without(skipped, gates)}
        assert all(found[name].verdict is Verdict.NOT_CHECKED for name in skipped)
        assert all(found[gate.name] == gate for gate in gates if gate.name not in skipped)
        assert list(found) == sorted(found, key=list(GateName).index)


class TestHost:
    @pytest.mark.parametrize(("seconds", "verdict"), [(-1, Verdict.PASSED), (0, Verdict.WAITING), (1, Verdict.WAITING)])
    def test_whole_seconds_tell_whether_it_has_restarted(self, seconds: int, verdict: Verdict) -> None:
        # What pcns_info returns has no fraction.
        after = BOOT.replace(microsecond=0) + timedelta(seconds=seconds)
        assert booted_gate(BOOT, after, BOOT + HOUR).verdict is verdict
        assert booted_gate(BOOT, None, BOOT + HOUR).verdict is Verdict.NOT_CHECKED

    def test_a_start_that_is_earlier_than_the_one_before(self) -> None:
        """Only a clock that was set back makes one; what it ran tells whether it has restarted, where it is known."""
        after, now = BOOT + HOUR, BOOT + timedelta(minutes=5)
        for since in (None, after + timedelta(minutes=5)):
            gate = booted_gate(BOOT, after, now, since)
            assert gate.verdict is Verdict.WAITING
            assert gate.sentence == (
                "either it has not restarted, or its clock was set back meanwhile: it is 2026-11-20T02:15:31Z by it, "
                "Windows has run since 2026-11-20T02:10:31Z, and before had run since 2026-11-20T03:10:31Z"
            )
        gate = booted_gate(BOOT, after, now, after + HOUR)
        assert gate.verdict is Verdict.WAITING
        assert gate.sentence == (
            "it has restarted, and its clock was set back meanwhile: it is 2026-11-20T02:15:31Z by it, Windows has run "
            "since 2026-11-20T02:10:31Z, and before had run since 2026-11-20T03:10:31Z"
        )
        assert "w32tm /query /status" in gate.remedy
        # A clock that was set back proves no restart by itself.
        assert booted_gate(BOOT, BOOT, now, BOOT + HOUR).sentence.startswith("it has not restarted: ")

    @pytest.mark.parametrize("name", SERVICES)
    def test_services(self, name: GateName) -> None:
        assert service_gate(name, ServiceSeen("Running", "Auto")).verdict is Verdict.PASSED
        assert service_gate(name, ServiceSeen("Start Pending", "Auto")).verdict is Verdict.WAITING
        assert service_gate(name, ServiceSeen("Paused", "Auto")).verdict is Verdict.WAITING
        assert service_gate(name, ServiceSeen("Stopped", "Disabled")).verdict is Verdict.FAILED
        assert service_gate(name, Unknown("denied")).verdict is Verdict.UNKNOWN
        absent = service_gate(name, Absent()).verdict
        assert absent is (Verdict.NOT_CHECKED if name in OPTIONAL else Verdict.FAILED)

    def test_shares(self) -> None:
        assert share_gate(GateName.SYSVOL_SHARE, frozenset({"SYSVOL"})).verdict is Verdict.PASSED
        assert share_gate(GateName.NETLOGON_SHARE, frozenset({"SYSVOL"})).verdict is Verdict.WAITING
        assert share_gate(GateName.NETLOGON_SHARE, Unknown("denied")).verdict is Verdict.UNKNOWN

    @pytest.mark.parametrize(
        ("state", "verdict"),
        [
            (NotificationPackageState(True, True, "yes", grade="proved", evidence="e"), Verdict.PASSED),
            (NotificationPackageState(True, True, "yes", grade="inferred", evidence="e"), Verdict.PASSED),
            (NotificationPackageState(False, True, "yes", grade="proved", evidence="e"), Verdict.FAILED),
            (NotificationPackageState(True, True, "no", grade="inferred", evidence="e"), Verdict.FAILED),
            (NotificationPackageState(True, True, "no", True, "proved", "e"), Verdict.FAILED),
            (NotificationPackageState(True, True, "unknown", evidence="e"), Verdict.UNKNOWN),
        ],
    )
    def test_the_filter_with_its_grade(self, state: NotificationPackageState, verdict: Verdict) -> None:
        gate = filter_gate(Present(state))
        assert gate.verdict is verdict
        assert state.grade in gate.sentence or not state.registered or state.blocked
        assert filter_gate(Unknown("denied")).verdict is Verdict.UNKNOWN

    def test_pcns(self) -> None:
        runs = ServiceSeen("Running", "Auto")
        assert pcns_gate(runs, None, None).verdict is Verdict.PASSED
        assert pcns_gate(runs, BOOT, None).verdict is Verdict.FAILED
        assert pcns_gate(runs, BOOT, BOOT + HOUR).verdict is Verdict.PASSED
        assert pcns_gate(ServiceSeen("Stopped", "Auto"), None, None).verdict is Verdict.WAITING
        assert pcns_gate(ServiceSeen("Stopped", "Disabled"), None, None).verdict is Verdict.FAILED
        assert pcns_gate(ServiceSeen("Running", "Manual"), None, None).verdict is Verdict.FAILED
        assert pcns_gate(Absent(), None, None).verdict is Verdict.FAILED
        assert pcns_gate(Unknown("denied"), None, None).verdict is Verdict.UNKNOWN


def event(
    number: int, hours: float, *, channel: str = "Application", provider: str = "PCNSSVC", data: str = ""
) -> Event:
    when = BOOT + timedelta(hours=hours)
    return Event(channel, provider, number, 2, 1, when, "dc01", (data,) if data else ())


@st.composite
def events(draw: st.DrawFn) -> Event:
    source = draw(st.sampled_from((*SOURCES, REPLICATED_FILES)))
    number = draw(st.sampled_from((*source.event_ids, 1, 4614)))
    hours = draw(st.floats(-60, 60))
    data = draw(st.sampled_from(("NETLOGON", "Netlogon", "Print Spooler", "")))
    return event(number, hours, channel=source.channel, provider=source.provider or "DFSR", data=data)


class TestEvents:
    @given(st.lists(events(), max_size=12), st.floats(-10, 10))
    def test_new_is_what_counts_now_and_was_not_there_the_day_before(self, seen: list[Event], hours: float) -> None:
        when = window(BOOT, BOOT + timedelta(hours=hours))
        known = sources(replicated_files=True)
        new = new_errors(seen, when, ["Netlogon"], known)
        assert all(item.time >= when.begin for item in new)
        assert all(any(item.event_id in source.event_ids for source in known) for item in new)
        for item in new:
            same = [other for other in seen if (other.channel, other.event_id) == (item.channel, item.event_id)]
            earlier = [
                other
                for other in same
                if when.change - BEFORE <= other.time < when.change
                and [text.casefold() for text in other.data] == [text.casefold() for text in item.data]
            ]
            assert not earlier
        gate = events_gate(seen, {}, when, ["Netlogon"], replicated_files=True)
        assert gate.verdict is (Verdict.FAILED if new else Verdict.PASSED)

    def test_what_the_change_itself_brought_before_the_restart_does_not_count(self) -> None:
        since = BOOT - HOUR
        assert window(BOOT, since) == Window(since, BOOT)
        assert window(BOOT, BOOT + HOUR) == Window(BOOT + HOUR, BOOT + HOUR)
        assert window(BOOT, None) == Window(BOOT, BOOT)
        seen = [event(6002, -0.5)]
        assert new_errors(seen, window(BOOT, since), [], SOURCES) == ()
        # It neither counts nor makes the same one after the restart an old one.
        assert len(new_errors([*seen, event(6002, 0.5)], window(BOOT, since), [], SOURCES)) == 1

    def test_the_queries_go_a_day_back_and_ask_dfsr_only_where_it_is(self) -> None:
        when = window(BOOT, BOOT - HOUR)
        asked = error_queries(when, replicated_files=False)
        assert {query.since for query in asked} == {BOOT - HOUR - BEFORE}
        assert "DFS Replication" not in {query.channel for query in asked}
        assert "DFS Replication" in {query.channel for query in error_queries(when, replicated_files=True)}

    def test_a_channel_that_can_not_be_read(self) -> None:
        when = window(BOOT, None)
        closed = {"System": "denied", "Security": "denied"}
        assert events_gate([], closed, when, [], replicated_files=False).verdict is Verdict.UNKNOWN
        assert events_gate([], {"Security": "denied"}, when, [], replicated_files=False).verdict is Verdict.PASSED
        # An error that is seen counts all the same.
        assert events_gate([event(6025, 1)], closed, when, [], replicated_files=False).verdict is Verdict.FAILED

    def test_what_pcns_says_of_its_configuration(self) -> None:
        seen = [event(6000, 1), event(4001, 3), event(6000, 2), event(4001, -1), event(2004, 1, provider="other")]
        assert configuration_events(seen, BOOT) == (BOOT + 2 * HOUR, BOOT + 3 * HOUR)
        assert configuration_events([], BOOT) == (None, None)


def neighbour(
    partner: str, *, hours: float | None = 1, result: int = 0, context: str = DOMAIN, scheduled: bool = False
) -> Neighbour:
    last = None if hours is None else BOOT + timedelta(hours=hours)
    return Neighbour(partner, context, result, last, on_startup=not scheduled)


NEIGHBOURS = st.lists(
    st.builds(
        neighbour,
        st.sampled_from(("DC02", "DC03", "DC04")),
        hours=st.none() | st.floats(-40, 40),
        result=st.sampled_from((0, 1722)),
        context=st.sampled_from((DOMAIN, CONFIGURATION, "DC=DomainDnsZones,DC=corp,DC=example")),
        scheduled=st.booleans(),
    ),
    max_size=6,
)


class TestReplication:
    @given(NEIGHBOURS)
    def test_it_passes_only_when_every_part_was_pulled_since_the_start(self, partners: list[Neighbour]) -> None:
        gate = replication_gate(tuple(partners), "corp.example", BOOT)
        counted = [item for item in partners if "Zones" not in item.context]
        fresh = [
            item
            for item in counted
            if item.result == 0
            and item.last_success is not None
            and (not item.on_startup or item.last_success >= BOOT.replace(microsecond=0))
        ]
        if not counted:
            assert gate.verdict is Verdict.UNKNOWN
        elif len(fresh) == len(counted):
            assert gate.verdict is Verdict.PASSED
        if gate.verdict is Verdict.PASSED:
            assert {item.context for item in fresh} == {item.context for item in counted}
            for item in counted:
                if item not in fresh:
                    assert item.last_success is None or BOOT - item.last_success > LOST_BEFORE
                    assert item.partner in gate.sentence

    def test_a_partner_that_was_lost_long_before_is_named_and_not_waited_for(self) -> None:
        lost = neighbour("DC09", hours=-100, result=8524)
        gate = replication_gate((neighbour("DC02"), lost), "corp.example", BOOT)
        assert gate.verdict is Verdict.PASSED
        assert "it had lost DC09 for DC=corp,DC=example (last success " in gate.sentence
        assert replication_gate((lost,), "corp.example", BOOT).verdict is Verdict.WAITING

    def test_a_partner_of_another_site_is_pulled_from_on_its_schedule(self) -> None:
        """The schedule may be hours away (ntdsapi.h: sync on startup is normally for the same site)."""
        elsewhere = neighbour("DC04", hours=-3, scheduled=True)
        gate = replication_gate((neighbour("DC02"), elsewhere), "corp.example", BOOT)
        assert gate.verdict is Verdict.PASSED
        assert gate.sentence == (
            "it has pulled from its partner since it started, and it pulls from 1 on a schedule, "
            "the last time without an error"
        )
        broken = neighbour("DC04", hours=-3, result=1722, scheduled=True)
        assert replication_gate((neighbour("DC02"), broken), "corp.example", BOOT).verdict is Verdict.WAITING

    def test_lost_is_lost_before_the_change_where_nothing_was_restarted(self) -> None:
        lost, well = neighbour("DC09", hours=30, result=8524), neighbour("DC02")
        assert replication_gate((well, lost), "corp.example", BOOT).verdict is Verdict.WAITING
        since = BOOT + timedelta(hours=60)
        assert replication_gate((well, lost), "corp.example", BOOT, since).verdict is Verdict.PASSED

    def test_nobody_to_pull_from(self) -> None:
        assert replication_gate(NoPartners(), "corp.example", BOOT).verdict is Verdict.PASSED
        assert replication_gate((), "corp.example", BOOT).verdict is Verdict.UNKNOWN
        told = replication_gate(Unknown("it is hidden"), "corp.example", BOOT)
        assert (told.verdict, told.sentence) == (Verdict.UNKNOWN, "it is hidden")
        assert "`accept_unknown`" in told.remedy

    @pytest.mark.parametrize(
        ("context", "counts"),
        [
            ("DC=corp,DC=example", True),
            ("DC=CORP,DC=Example", True),
            ("DC=example", False),
            ("DC=child,DC=corp,DC=example", False),
            ("DC=DomainDnsZones,DC=corp,DC=example", False),
            (CONFIGURATION, True),
            (f"CN=Schema,{CONFIGURATION}", True),
            ("", False),
        ],
    )
    def test_the_parts_that_matter(self, context: str, counts: bool) -> None:
        assert matters(context, "corp.example") is counts

    @given(TEXT.filter(str.strip), st.integers(0, 2**32 - 1))
    def test_a_value_is_read_whatever_names_are_in_it(self, context: str, result: int) -> None:
        found = parse_neighbour(
            f"<DS_REPL_NEIGHBOR>\n\t<pszNamingContext>{escape(context)}</pszNamingContext>\n"
            "\t<pszSourceDsaDN>CN=NTDS Settings,CN=DC02,CN=Servers,CN=Paris,CN=Sites</pszSourceDsaDN>\n"
            "\t<dwReplicaFlags>1879113808</dwReplicaFlags>\n"
            "\t<ftimeLastSyncSuccess>2026-11-20T02:10:31Z</ftimeLastSyncSuccess>\n"
            f"\t<dwLastSyncResult>{result}</dwLastSyncResult>\n</DS_REPL_NEIGHBOR>\n\0"
        )
        assert found == Neighbour("DC02", context.strip(), result, BOOT.replace(microsecond=0), on_startup=False)

    def test_a_partner_that_is_a_domain_controller_no_more_does_not_count(self) -> None:
        gone = parse_neighbour(
            "<DS_REPL_NEIGHBOR><pszNamingContext>DC=corp,DC=example</pszNamingContext>"
            r"<pszSourceDsaDN>CN=NTDS Settings\0ADEL:6b5e5ad0-0b5e-4d2a-8a0b-8d1c5a1f0c11,CN=DC09\0ADEL:0b5e,"
            "CN=Servers,CN=Paris,CN=Sites</pszSourceDsaDN><dwLastSyncResult>8524</dwLastSyncResult></DS_REPL_NEIGHBOR>"
        )
        assert gone.deleted is True
        assert replication_gate((gone, neighbour("DC02")), "corp.example", BOOT).verdict is Verdict.PASSED
        assert replication_gate((gone,), "corp.example", BOOT).verdict is Verdict.UNKNOWN

    def test_never(self) -> None:
        text = (
            "<DS_REPL_NEIGHBOR><pszNamingContext>DC=x</pszNamingContext><pszSourceDsaDN>odd</pszSourceDsaDN>"
            "<ftimeLastSyncSuccess>1601-01-01T00:00:00Z</ftimeLastSyncSuccess><dwLastSyncResult>0</dwLastSyncResult>"
            "</DS_REPL_NEIGHBOR>"
        )
        assert parse_neighbour(text) == Neighbour("odd", "DC=x", 0, None)

    @given(TEXT | st.just("<DS_REPL_NEIGHBOR/>") | st.just("<!DOCTYPE x><DS_REPL_NEIGHBOR/>"))
    def test_anything_else_is_refused(self, text: str) -> None:
        with pytest.raises(ValueError, match="the answer"):
            parse_neighbour(text)


class TestDirectory:
    @given(st.binary(max_size=40))
    def test_no_answer_to_the_ping_is_taken_for_a_good_one(self, answer: bytes) -> None:
        gate = advertised_gate(answer)
        good = (
            len(answer) >= 8
            and int.from_bytes(answer[:2], "little") == 23
            and int.from_bytes(answer[4:8], "little") & 0x38 == 0x38
        )
        assert (gate.verdict is Verdict.PASSED) is good

    @pytest.mark.parametrize(
        ("answer", "verdict", "told"),
        [
            (b"\x17\0\0\0\xbd\x11\0\0", Verdict.PASSED, "it offers itself to clients"),
            (b"\x17\0\0\0\x18\0\0\0", Verdict.WAITING, "it does not offer itself as Kerberos server"),
            (b"\x18\0\0\0\xbd\x11\0\0", Verdict.WAITING, "that it is paused"),
            (b"\x14\0", Verdict.WAITING, "that it is paused"),
            (b"", Verdict.WAITING, "it does not answer the LDAP ping"),
            (b"\x13\0\0\0\xbd\x11\0\0", Verdict.UNKNOWN, "operation code 19"),
        ],
    )
    def test_answers_to_the_ping(self, answer: bytes, verdict: Verdict, told: str) -> None:
        gate = advertised_gate(answer)
        assert gate.verdict is verdict
        assert told in gate.sentence

    def test_the_ping_names_the_domain(self) -> None:
        assert ping_filter("corp.example") == r"(&(DnsDomain=corp.example)(NtVer=\06\00\00\00))"
        assert ping_filter("a)(b=*") == r"(&(DnsDomain=a\29\28b\3d\2a)(NtVer=\06\00\00\00))"

    def test_who_answers(self) -> None:
        assert ldap_gate("dc01.corp.example", "DC01.corp.example").verdict is Verdict.PASSED
        gate = ldap_gate("dc01.corp.example", "dc02.corp.example")
        assert gate.verdict is Verdict.FAILED
        assert "dc02.corp.example answers over LDAP, and not dc01.corp.example" in gate.sentence

    @pytest.mark.parametrize(
        ("seen", "verdict"),
        [
            (Synchronized("TRUE", True, "TRUE"), Verdict.PASSED),
            (Synchronized("TRUE", False, "FALSE"), Verdict.PASSED),
            (Synchronized("TRUE", True, "FALSE"), Verdict.WAITING),
            (Synchronized("TRUE", True, ""), Verdict.WAITING),
            (Synchronized("FALSE", True, "TRUE"), Verdict.WAITING),
            (Synchronized("", True, "TRUE"), Verdict.UNKNOWN),
        ],
    )
    def test_synchronized(self, seen: Synchronized, verdict: Verdict) -> None:
        assert synchronized_gate(seen).verdict is verdict
