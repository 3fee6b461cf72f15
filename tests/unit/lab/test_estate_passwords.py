# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A password change from the DC to the adapters, and every way it can end (pcns.md 5, 6a; entsso.md 5, 6.1)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from unit.lab.estate_kit import install, pcnscfg, restart, sso, working_dc, working_forest

from lab.forest import Forest
from lab.settings import LabSettings, PcnsSettings, Rejection, SsoSettings
from lab.tracking import Outcome
from lab.windows.services import StartMode


def pcns_events(forest: Forest, name: str = "dc01") -> list[int]:
    """Returns the numbers of all events of PCNS on a DC."""
    return [event.event_id for event in forest.host(name).events.find("PCNSSVC")]


def sso_events(forest: Forest) -> list[int]:
    """Returns the numbers of ENTSSO's events since the service started."""
    numbers = [event.event_id for event in forest.host("sso01").events.find("ENTSSO")]
    return numbers[len(numbers) - numbers[::-1].index(10502) :]


def test_a_change_reaches_every_adapter() -> None:
    forest = working_forest()
    tracking = forest.change_password("dc01", "alice")
    assert tracking.outcome is Outcome.DELIVERED
    assert sorted(tracking.adapters) == ["LDAP", "RACF"]
    (arrival,) = forest.arrived("racf")
    assert (arrival.windows_account, arrival.external_account) == ("CORP\\alice", "ALICE")
    assert arrival.sha256 == tracking.change.sha256
    assert pcns_events(forest)[-2:] == [2201, 2100]
    (received,) = forest.host("sso01").events.find("ENTSSO", 10662)
    values = [value for _unused, value in received.data]
    assert values == [tracking.change.tracking_id, "CORP\\alice", "", "CORP\\DC01$"]


def test_without_a_loaded_filter_the_change_is_lost_without_a_trace() -> None:
    forest = working_forest()
    before = forest.snapshot()
    tracking = forest.change_password("dc02", "alice")
    assert tracking.outcome is Outcome.NOT_CAPTURED
    assert forest.snapshot() == before
    install(forest.host("dc02"))
    assert forest.change_password("dc02", "alice").outcome is Outcome.NOT_CAPTURED
    assert forest.change_password("dc06", "alice").outcome is Outcome.NOT_CAPTURED


def test_an_entry_that_is_gone_still_works_until_the_next_boot() -> None:
    forest = working_forest()
    host = forest.host("dc01")
    host.remove_notification_package("PCNSFLT")
    assert forest.change_password("dc01", "alice").outcome is Outcome.DELIVERED
    restart(forest, host)
    assert forest.change_password("dc01", "alice").outcome is Outcome.NOT_CAPTURED
    assert 6002 in pcns_events(forest)


def test_a_stopped_service_sends_nothing() -> None:
    forest = working_forest()
    host = forest.host("dc01")
    host.services.stop("PCNSSVC")
    host.services.set_start_mode("PCNSSVC", StartMode.DISABLED)
    assert forest.change_password("dc01", "alice").outcome is Outcome.NOT_SENT


def test_without_a_configuration_object_the_service_stops_with_6000() -> None:
    forest = Forest()
    host = forest.host("dc01")
    install(host)
    restart(forest, host)
    assert host.services.start("PCNSSVC") == 0
    assert not host.services.is_running("PCNSSVC")
    assert pcns_events(forest)[-3:] == [2004, 6000, 2002]


def test_a_configuration_that_goes_away_stops_the_running_service() -> None:
    forest = working_forest()
    forest.directory.set_pcns(replace(forest.directory.pcns(), configuration=None))
    assert not forest.host("dc01").services.is_running("PCNSSVC")
    assert pcns_events(forest)[-2:] == [6000, 2002]


def test_no_active_target_is_4001_at_start_and_4002_at_a_refresh() -> None:
    forest = working_forest()
    host = forest.host("dc01")
    pcnscfg(host, "disabletarget /N:SSO")
    assert pcns_events(forest)[-1] == 4002
    assert forest.change_password("dc01", "alice").outcome is Outcome.NOT_SENT
    host.services.stop("PCNSSVC")
    host.services.start("PCNSSVC")
    assert pcns_events(forest)[-1] == 4001


def test_a_running_service_may_need_a_restart_to_see_a_change() -> None:
    forest = working_forest(LabSettings(pcns=PcnsSettings(refresh_at_once=False)))
    pcnscfg(forest.host("dc01"), "disabletarget /N:SSO")
    assert forest.change_password("dc01", "alice").outcome is Outcome.DELIVERED


@pytest.mark.parametrize("user", ["dave"])
def test_an_excluded_user_is_filtered(user: str) -> None:
    forest = working_forest()
    assert forest.change_password("dc01", user).outcome is Outcome.FILTERED
    assert pcns_events(forest)[-2:] == [2201, 2303]


def test_a_deleted_group_filters_everybody_and_is_told_at_the_next_start() -> None:
    forest = working_forest()
    forest.directory.delete_group("Domain Admins")
    assert forest.change_password("dc01", "alice").outcome is Outcome.FILTERED
    assert 6032 not in pcns_events(forest)
    restart(forest, forest.host("dc01"))
    assert pcns_events(forest)[-1] == 6032


def refuse_pcns(forest: Forest) -> None:
    """The server switch is off."""
    sso(forest.host("sso01"), "ssoconfig", "-allowPS PCNS no")


def windows_sync_off(forest: Forest) -> None:
    """The system switch is off."""
    sso(forest.host("sso01"), "ssomanage", "-disable winsync")


def wrong_format(forest: Forest) -> None:
    """The target does not send NT4 names."""
    pcnscfg(forest.host("dc01"), "modifytarget /N:SSO /F:1")


@pytest.mark.parametrize(
    ("spoil", "event_id"), [(refuse_pcns, 11069), (windows_sync_off, 10708), (wrong_format, 10750)]
)
def test_what_entsso_refuses(spoil: Callable[[Forest], None], event_id: int) -> None:
    forest = working_forest()
    spoil(forest)
    tracking = forest.change_password("dc01", "alice")
    assert tracking.outcome is Outcome.REJECTED
    assert sso_events(forest) == [event_id]
    assert pcns_events(forest)[-2:] == [2201, 4100]
    assert forest.arrived("RACF") == []


def test_a_dc_of_another_domain_is_refused_with_10709() -> None:
    forest = working_forest()
    other = forest.add_domain("emea.example", "EMEA")
    other.register_spn("svc-entsso", "ENTSSO/sso01.corp.example")
    forest.add_domain_controller("EU01", "Paris", domain="emea.example")
    working_dc(forest, "eu01")
    assert forest.change_password("eu01", "alice").outcome is Outcome.REJECTED
    assert sso_events(forest) == [10709]
    (event,) = forest.host("sso01").events.find("ENTSSO", 10709)
    assert event.data[1][1] == "EMEA\\EU01$"


def test_pcns_may_try_again_what_was_refused() -> None:
    forest = working_forest(LabSettings(pcns=PcnsSettings(on_rejection=Rejection.RETRY)))
    refuse_pcns(forest)
    tracking = forest.change_password("dc01", "alice")
    assert tracking.outcome.value == "queued"
    sso(forest.host("sso01"), "ssoconfig", "-allowPS PCNS yes")
    forest.advance(3)
    assert tracking.outcome is Outcome.DELIVERED
    assert len(forest.arrived("RACF")) == 1


def test_pcns_may_take_a_refusal_for_a_delivery() -> None:
    forest = working_forest(LabSettings(pcns=PcnsSettings(on_rejection=Rejection.REPORT_DELIVERED)))
    refuse_pcns(forest)
    assert forest.change_password("dc01", "alice").outcome is Outcome.DELIVERED
    assert pcns_events(forest)[-1] == 2100
    assert forest.arrived("RACF") == []


def test_without_password_sync_nothing_is_taken() -> None:
    forest = Forest()
    working_dc(forest)
    assert forest.change_password("dc01", "alice").outcome is Outcome.REJECTED


def test_while_the_sso_server_is_away_a_change_waits() -> None:
    forest = working_forest()
    server = forest.host("sso01")
    server.services.stop("ENTSSO")
    tracking = forest.change_password("dc01", "alice")
    assert tracking.outcome.value == "queued"
    assert pcns_events(forest)[-2:] == [4003, 4100]
    before = forest.snapshot()
    forest.advance(60)
    assert forest.snapshot() == before
    server.services.start("ENTSSO")
    forest.advance(3)
    assert tracking.outcome is Outcome.DELIVERED
    assert len(forest.arrived("RACF")) == 1


def test_a_disabled_target_loses_what_waits_for_it() -> None:
    forest = working_forest()
    forest.host("sso01").services.stop("ENTSSO")
    tracking = forest.change_password("dc01", "alice")
    pcnscfg(forest.host("dc01"), "disabletarget /N:SSO")
    forest.host("sso01").services.start("ENTSSO")
    forest.advance(3)
    assert tracking.outcome is Outcome.NOT_SENT


def duplicate_spn(forest: Forest) -> None:
    """The SPN is on two accounts."""
    forest.directory.register_spn("svc-other", "ENTSSO/sso01.corp.example")


def no_spn(forest: Forest) -> None:
    """The SPN is on no account."""
    forest.directory.service_principal_names.clear()


def foreign_spn(forest: Forest) -> None:
    """The SPN is on an account that the service does not run as."""
    no_spn(forest)
    duplicate_spn(forest)


def skewed_clock(forest: Forest) -> None:
    """The clocks differ by more than five minutes."""
    forest.host("dc01").faults.clock_offset_seconds = 301


@pytest.mark.parametrize("spoil", [duplicate_spn, no_spn, foreign_spn, skewed_clock])
def test_what_kerberos_refuses_is_6025(spoil: Callable[[Forest], None]) -> None:
    forest = working_forest()
    spoil(forest)
    assert forest.change_password("dc01", "alice").outcome is Outcome.QUEUED
    assert pcns_events(forest)[-3:] == [2201, 6025, 4100]
    assert sso_events(forest) == []


def test_a_server_that_can_not_be_found_disables_the_target() -> None:
    forest = working_forest()
    pcnscfg(forest.host("dc01"), "modifytarget /N:SSO /A:sso99.corp.example")
    assert forest.change_password("dc01", "alice").outcome is Outcome.NOT_SENT
    assert 6027 in pcns_events(forest)
    pcnscfg(forest.host("dc01"), "modifytarget /N:SSO /A:sso01.corp.example")
    assert forest.change_password("dc01", "alice").outcome is Outcome.DELIVERED
    settings = LabSettings(pcns=PcnsSettings(unresolvable_server_disables_target=False))
    forest = working_forest(settings)
    pcnscfg(forest.host("dc01"), "modifytarget /N:SSO /A:sso99.corp.example")
    assert forest.change_password("dc01", "alice").outcome is Outcome.QUEUED
    assert 6025 in pcns_events(forest)


def test_the_same_password_again_is_damped_for_ten_minutes() -> None:
    forest = working_forest()
    forest.change_password("dc01", "alice", "Secret1")
    forest.change_password("dc01", "alice", "Secret1")
    assert sso_events(forest)[-2:] == [10662, 10710]
    assert len(forest.arrived("RACF")) == 1
    sso(forest.host("sso01"), "ssops", "-reset damping")
    forest.change_password("dc01", "alice", "Secret1")
    assert len(forest.arrived("RACF")) == 2
    forest.advance(601)
    forest.change_password("dc01", "alice", "Secret1")
    assert len(forest.arrived("RACF")) == 3


def test_too_old_and_empty_passwords_are_discarded() -> None:
    forest = working_forest()
    sso(forest.host("sso01"), "ssoconfig", "-syncage 1")
    forest.change_password("dc01", "alice", age=timedelta(hours=2))
    assert sso_events(forest) == [10662, 10712, 10712]
    forest.change_password("dc01", "alice", "")
    assert sso_events(forest)[-1] == 11071
    assert forest.arrived("RACF") == []


def no_mapping(forest: Forest) -> None:
    """Alice has no mapping."""
    forest.sso.mappings.clear()


def mapping_off(forest: Forest) -> None:
    """Alice's mapping is disabled."""
    sso(forest.host("sso01"), "ssomanage", r"-disablemapping CORP\alice RACF")


def application_off(forest: Forest) -> None:
    """The application is disabled."""
    sso(forest.host("sso01"), "ssomanage", "-disableapp RACF")


def config_store(forest: Forest) -> None:
    """The application is of a type without password sync."""
    forest.sso.application("RACF").flags["configStoreApp"] = True


def unassigned(forest: Forest) -> None:
    """The application has no adapter."""
    sso(forest.host("sso01"), "ssops", "-deleteapp RACF")


def sync_flag_off(forest: Forest) -> None:
    """The adapter does not take changes from Windows."""
    forest.sso.adapter("RACF").flags["syncToAdapter"] = False


def adapter_off(forest: Forest) -> None:
    """The adapter is disabled."""
    forest.disable_adapter("RACF")


def adapter_stopped(forest: Forest) -> None:
    """The adapter's own process is not running."""
    forest.host("sso01").faults.adapters_stopped.add("racf")


def adapter_elsewhere(forest: Forest) -> None:
    """The adapter is on a server that is not there."""
    forest.sso.adapter("RACF").computer = "sso09.corp.example"


def two_accounts(forest: Forest) -> None:
    """Alice has two accounts behind one adapter."""
    forest.sso.unassign("LDAP")
    forest.sso.assign("RACF", "LDAP")
    for mapping in forest.sso.mappings:
        if mapping.application == "LDAP":
            mapping.external_user = "another"


def direct_sync(forest: Forest) -> None:
    """The application is written directly."""
    forest.sso.application("RACF").flags["directPasswordSync"] = True


@pytest.mark.parametrize(
    ("spoil", "event_id"),
    [
        (no_mapping, 11030),
        (mapping_off, 11032),
        (application_off, 11033),
        (config_store, 11034),
        (unassigned, 11035),
        (sync_flag_off, 11036),
        (adapter_off, 10748),
        (adapter_stopped, 10748),
        (adapter_elsewhere, 10749),
        (two_accounts, 10672),
        (direct_sync, 11058),
    ],
)
def test_what_keeps_a_change_from_an_adapter(spoil: Callable[[Forest], None], event_id: int) -> None:
    forest = working_forest()
    spoil(forest)
    tracking = forest.change_password("dc01", "alice")
    assert tracking.outcome is Outcome.DELIVERED
    assert event_id in sso_events(forest)
    assert forest.arrived("RACF") == []
    assert "RACF" not in tracking.adapters


def test_a_disabled_adapter_may_count_as_one_without_sync() -> None:
    forest = working_forest(LabSettings(sso=SsoSettings(disabled_adapter_counts_as_not_running=False)))
    adapter_off(forest)
    forest.change_password("dc01", "alice")
    assert 11036 in sso_events(forest)


def test_allowed_conflicts_reach_both_accounts() -> None:
    forest = working_forest()
    two_accounts(forest)
    forest.sso.adapter("RACF").flags["allowMappingConflicts"] = True
    forest.change_password("dc01", "alice")
    assert [arrival.external_account for arrival in forest.arrived("RACF")] == ["ALICE", "another"]
    assert 10671 in sso_events(forest)


def test_low_event_levels_hide_successes_where_they_need_more() -> None:
    forest = working_forest(LabSettings(pcns=PcnsSettings(success_event_level=2)))
    host = forest.host("dc01")
    forest.change_password("dc01", "alice")
    assert not {2100, 2201} & set(pcns_events(forest))
    host.registry.set_dword(r"SYSTEM\CurrentControlSet\Services\PCNSSVC\Parameters", "EventLogLevel", 2)
    forest.change_password("dc01", "alice")
    assert pcns_events(forest)[-2:] == [2201, 2100]
