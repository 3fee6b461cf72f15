# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""domain_controller_health against a host of the lab: every gate broken and named, waited for, and given up on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
import yaml
from unit.lab.estate_kit import restart, working_dc
from unit.lab_host import Lab, Result, running, settings

from ansible_collections.entsso.password_sync.plugins.module_utils.health._gate import GateName
from ansible_collections.entsso.password_sync.plugins.modules import domain_controller_health
from lab.backend import ChannelUnreadable
from lab.forest import Forest
from lab.ldap.dns import NameServer
from lab.windows.eventlog import Level
from lab.windows.services import StartMode

NAME = "dc01"
ALL = [name.value for name in GateName]
BY_LDAP = ["ldap", "synchronized", "advertised", "replication"]
PULLED = (
    "it has pulled from all 2 partners since it started, "
    "and it pulls from 2 on a schedule, the last time without an error"
)
FIRST_NAMESPACE = "root/microsoftactivedirectory"


class Estate:
    """A forest whose dc01 captures password changes, and the task that looks at it."""

    def __init__(self, lab: Lab, variables: dict[str, Any]) -> None:
        self.lab = lab
        self.host = lab.simulated(NAME)
        self.variables = variables

    def look(self, **given: Any) -> Result:
        """Looks once, in check mode."""
        return self.lab.run("domain_controller_health", NAME, check=True, variables=self.variables, **given)

    def wait(self, **given: Any) -> Result:
        """Runs the task."""
        more = {"interval": 0.02, "deadline": 20, **given}
        return self.lab.run("domain_controller_health", NAME, variables=self.variables, **more)

    def fails(self, **given: Any) -> Any:
        """Runs the task, which must fail."""
        more = {"interval": 0.02, "deadline": 1, **given}
        return self.lab.refused("domain_controller_health", NAME, variables=self.variables, **more)

    def when_said(self, text: str, then: Callable[[], None]) -> None:
        """Does something as soon as the task says something."""
        done: list[str] = []

        def display(line: str, color: str | None = None) -> None:
            del color
            self.lab.spoken.said.append(line)
            if text in line and not done:
                done.append(line)
                then()

        self.lab.spoken.display = display  # type: ignore[method-assign,assignment]


@contextmanager
def estate(*, absent: str = "", directory: bool = True) -> Iterator[Estate]:
    forest = Forest(settings(absent_namespaces=frozenset({absent} - {""})))
    working_dc(forest)
    with running(forest) as lab, NameServer({name: forest.address(name) for name in forest.hosts}, {}) as names:
        variables = {
            "password_sync_ldap_domain": "corp.example",
            "password_sync_ldap_port": 10389,
            "password_sync_ldap_auth_protocol": "ntlm",
            "password_sync_ldap_username": forest.operator,
            "password_sync_ldap_password": forest.operator_password,
            "password_sync_ldap_name_servers": [names.name],
        }
        yield Estate(lab, variables if directory else {})


@pytest.fixture
def working() -> Iterator[Estate]:
    with estate() as found:
        yield found


def verdicts(result: Result) -> dict[str, str]:
    return {gate["name"]: gate["verdict"] for gate in result["gates"]}


def sentence(result: Result, name: str) -> str:
    return str(next(gate["sentence"] for gate in result["gates"] if gate["name"] == name))


def other_than_passed(result: Result) -> dict[str, str]:
    return {name: verdict for name, verdict in verdicts(result).items() if verdict != "passed"}


class TestHealthy:
    def test_every_gate_passes_and_nothing_is_changed(self, working: Estate) -> None:
        before = working.lab.snapshot()
        endpoint = working.lab.endpoint(NAME)
        endpoint.statistics.reset()
        booted = working.host.boot_time
        done = working.wait(booted_after=f"{booted - timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}")
        assert verdicts(done) == dict.fromkeys(ALL, "passed")
        assert (done["healthy"], done["state"], done["waiting_for"], done["looks"]) == (True, "healthy", [], 1)
        assert done["msg"] == "dc01.corp.example is healthy."
        assert done["boot_time"] == f"{booted:%Y-%m-%dT%H:%M:%SZ}"
        assert done["changed"] is False
        assert "(proved: event 4614 of " in sentence(done, "filter")
        assert sentence(done, "replication") == PULLED
        counted = endpoint.statistics
        assert done["statistics"] == {"requests": counted.requests, "bytes_sent": counted.message_bytes_received}
        assert (counted.requests, counted.processes_started) == (14, 0)
        assert working.lab.snapshot() == before
        assert working.lab.warned == ""
        assert working.lab.forest.operator_password not in json.dumps(done)
        assert set(done) - {"changed"} == set(yaml.safe_load(domain_controller_health.RETURN))

    def test_without_a_directory_it_says_what_is_not_checked(self) -> None:
        with estate(directory=False) as working:
            done = working.wait()
            assert other_than_passed(done) == dict.fromkeys(["booted", *BY_LDAP[:3]], "not_checked")
            # WMI tells of replication as well.
            assert sentence(done, "replication") == PULLED
            assert done["healthy"] is True
            assert working.lab.warned.count("is not checked, since no directory is configured") == 1

    def test_nor_is_replication_where_wmi_has_nothing(self) -> None:
        with estate(directory=False, absent=FIRST_NAMESPACE) as working:
            done = working.wait(skip=["w32time"])
            assert other_than_passed(done) == dict.fromkeys(["booted", "w32time", *BY_LDAP], "not_checked")
            assert sentence(done, "w32time") == "it is left out (`skip`)"
            assert "MSAD_ReplNeighbor could not be read" in sentence(done, "replication")


class TestWaiting:
    def test_services_shares_and_a_restart_that_did_not_come(self, working: Estate) -> None:
        host = working.host
        for name in ("NTDS", "Netlogon", "Kdc", "DNS", "DFSR", "W32Time", "PCNSSVC"):
            host.services.stop(name)
        host.faults.shares_missing |= {"sysvol", "netlogon"}
        error = working.fails(booted_after=f"{host.boot_time:%Y-%m-%dT%H:%M:%SZ}", deadline=0)
        result = error.result
        assert verdicts(result) == {
            **dict.fromkeys(ALL, "waiting"),
            **dict.fromkeys(["filter", "events"], "passed"),
        }
        assert "it has not restarted: Windows has run since" in str(error)
        for name in ("NTDS", "Netlogon", "Kdc", "DNS", "DFSR", "W32Time", "PCNSSVC"):
            assert f"the service {name} is Stopped" in str(error)
        assert "SYSVOL is not shared" in str(error)
        assert "NETLOGON is not shared" in str(error)
        # No logon is tried while it is not up.
        assert sentence(result, "ldap") == "it is asked once NTDS, Netlogon and Kdc run"
        assert (result["healthy"], result["state"]) == (False, "waiting")
        assert "No further domain controller is to be touched before that" in str(error)

    def test_a_clock_that_was_set_back_during_the_restart(self, working: Estate) -> None:
        host = working.host
        before = host.boot_time
        since = before + timedelta(hours=1)
        host.faults.clock_jump_at_boot = (before - host.now()).total_seconds() - 7200
        restart(working.lab.forest, host)
        given = {"booted_after": f"{before:%Y-%m-%dT%H:%M:%SZ}", "skip": ["events"]}
        result = working.look(**given, since=f"{since:%Y-%m-%dT%H:%M:%SZ}")
        assert sentence(result, "booted").startswith("it has restarted, and its clock was set back meanwhile: it is ")
        assert f"and before had run since {given['booted_after']}" in sentence(result, "booted")
        assert (result["healthy"], verdicts(result)["booted"]) == (False, "waiting")
        # Nobody says how long it had run before.
        assert sentence(working.look(**given), "booted").startswith("either it has not restarted, or its clock was ")

    def test_what_the_directory_says(self, working: Estate) -> None:
        faults = working.host.faults
        faults.not_synchronized = faults.not_advertised = True
        faults.replication_error = 8456
        result = working.look()
        assert result["waiting_for"] == ["synchronized", "advertised", "replication"]
        assert sentence(result, "synchronized") == "its directory is not synchronized yet"
        assert sentence(result, "advertised") == "it answers the LDAP ping of clients that it is paused"
        assert "it has not caught up with DC02 for " in sentence(result, "replication")
        assert "last result 8456" in sentence(result, "replication")
        # Check mode looks once, fails nothing and says so.
        assert result["looks"] == 1
        assert "It is not healthy as it is now: synchronized: " in working.lab.warned

    def test_a_partner_that_is_down(self, working: Estate) -> None:
        working.lab.simulated("dc03").power.off()
        told = sentence(working.look(), "replication")
        assert "it has not caught up with DC03 for " in told
        assert "last result 1722" in told
        assert "DC02" not in told

    def test_it_says_what_it_waits_for_and_ends_when_it_comes(self, working: Estate) -> None:
        working.host.services.stop("NTDS")
        working.host.faults.not_synchronized = True

        def synchronize() -> None:
            working.host.faults.not_synchronized = False

        def start() -> None:
            working.host.services.start("NTDS")
            working.when_said("synchronized: its directory is not synchronized yet", synchronize)

        working.when_said("ntds: the service NTDS is Stopped", start)
        done = working.wait()
        assert done["healthy"] is True
        assert done["looks"] >= 3
        waits = [line for line in working.lab.spoken.said if "waiting for" in line]
        assert len(waits) == 2, "each only once"
        assert waits[0].endswith(f"; {', '.join(BY_LDAP)}: it is asked once NTDS, Netlogon and Kdc run")
        assert "is healthy after " in working.lab.said

    def test_the_deadline(self, working: Estate) -> None:
        working.host.faults.replication_error = 1722
        error = working.fails(deadline=1, interval=0.3)
        assert "dc01.corp.example is not healthy after 1 s: replication: it has not caught up with " in str(error)
        assert "repadmin /showrepl" in str(error)
        assert error.result["waiting_for"] == ["replication"]
        assert error.result["looks"] >= 2
        # What a rescue or a report needs is there on failure too.
        assert {*error.result, "msg"} >= set(yaml.safe_load(domain_controller_health.RETURN))
        assert error.result["changed"] is False

    def test_a_host_that_is_down_and_comes_back(self, working: Estate) -> None:
        working.host.faults.restart_never_returns = True
        working.host.power.restart()
        working.when_said("waiting for everything: it does not answer over WinRM (", working.host.power_on)
        done = working.wait()
        assert done["healthy"] is True
        assert done["looks"] >= 2

    def test_ldap_that_does_not_answer(self, working: Estate) -> None:
        working.variables["password_sync_ldap_port"] = 10399
        result = working.look()
        assert result["waiting_for"] == BY_LDAP
        assert "it does not answer over LDAP (" in sentence(result, "ldap")


class TestFailed:
    def test_what_does_not_come_by_waiting_ends_it_at_once(self, working: Estate) -> None:
        host = working.host
        host.services.set_start_mode("W32Time", StartMode.DISABLED)
        host.services.stop("W32Time")
        host.services.set_start_mode("PCNSSVC", StartMode.MANUAL)
        host.remove_notification_package("PCNSFLT")
        host.events.write("DFS Replication", "DFSR", 2213, Level.WARNING, ("x",))
        host.events.write("Application", "PCNSSVC", 6025, Level.ERROR, ("x",))
        host.events.write("System", "Service Control Manager", 7034, Level.ERROR, ("Netlogon", "1"))
        host.events.write("System", "Service Control Manager", 7034, Level.ERROR, ("Print Spooler", "1"))
        host.faults.not_synchronized = True
        error = working.fails(deadline=600)
        result = error.result
        assert (result["looks"], result["state"]) == (1, "failed")
        assert result["waiting_for"] == ["w32time", "filter", "pcns", "events", "synchronized"]
        assert "the service W32Time is disabled and Stopped" in str(error)
        assert "its entry in Notification Packages is gone" in str(error)
        assert "PCNSSVC runs, and its start mode is Manual" in str(error)
        told = sentence(result, "events")
        for part in (
            "2213 of DFSR in DFS Replication",
            "6025 of PCNSSVC",
            "7034 (Netlogon) of Service Control Manager",
        ):
            assert part in told
        assert "Print Spooler" not in told

    def test_lsa_refuses_the_filter(self, working: Estate) -> None:
        working.host.faults.filter_blocked_error = 577
        working.lab.restart(NAME)
        error = working.fails(deadline=600)
        assert "LSA refused to load PCNSFLT (event 16953 of " in str(error)
        assert "Another restart does not help" in str(error)

    def test_a_configuration_that_is_missing_until_the_service_starts_again(self, working: Estate) -> None:
        working.host.events.write("Application", "PCNSSVC", 6000, Level.ERROR)
        assert "PCNSSVC has found no configuration (event 6000 of " in str(working.fails(deadline=600))
        working.host.services.stop("PCNSSVC")
        working.host.services.start("PCNSSVC")
        done = working.wait()
        assert "PCNSSVC runs, and an event of " in sentence(done, "pcns")

    def test_an_error_that_was_there_before_is_not_new(self, working: Estate) -> None:
        host = working.host
        for hours in (-3, 0):
            host.faults.clock_offset_seconds = hours * 3600.0
            host.events.write("Directory Service", "Microsoft-Windows-ActiveDirectory_DomainService", 1113, Level.ERROR)
        since = f"{host.now() - timedelta(hours=2):%Y-%m-%dT%H:%M:%SZ}"
        assert verdicts(working.look(since=since))["events"] == "passed"
        long_since = f"{host.now() - timedelta(hours=4):%Y-%m-%dT%H:%M:%SZ}"
        assert verdicts(working.look(since=long_since))["events"] == "failed"

    def test_another_machine(self, working: Estate) -> None:
        other = working.lab.simulated("dc02")
        working.host.wmi_instances = other.wmi_instances  # type: ignore[method-assign]
        assert "the machine that answers calls itself DC02, not dc01" in str(working.fails(deadline=600))

    def test_a_member_server(self, working: Estate) -> None:
        error = working.lab.refused("domain_controller_health", "sso01", deadline=600)
        assert "is not a domain controller" in str(error)

    @pytest.mark.parametrize("given", ["yesterday", "2026-11-20T02:10:31"])
    def test_a_time_that_is_none(self, working: Estate, given: str) -> None:
        error = str(working.fails(since=given))
        assert f"The option `since` is '{given}', which is no time with a time zone." in error


class TestUnknown:
    def test_what_can_not_be_read_never_passes_unless_accepted(self) -> None:
        with estate(absent=FIRST_NAMESPACE) as working:
            working.host.faults.replication_hidden = True
            error = working.fails(deadline=600)
            assert error.result["state"] == "unknown"
            assert error.result["looks"] == 3, "it does not wait for long for what it can't read"
            assert "its directory does not show msDS-NCReplInboundNeighbors to this account" in str(error)
            assert "name `replication` in `accept_unknown`" in str(error)
            done = working.wait(accept_unknown=["replication"])
            assert (done["healthy"], verdicts(done)["replication"]) == (True, "unknown")
            assert "The gate replication is unknown, and accepted as such: " in working.lab.warned

    def test_wmi_stands_in_for_ldap(self, working: Estate) -> None:
        working.host.faults.replication_hidden = True
        assert sentence(working.look(), "replication") == PULLED

    def test_logs_and_services_that_are_closed(self, working: Estate) -> None:
        working.host.events.unreadable["system"] = ChannelUnreadable("Access is denied.", 5)
        instances = working.host.wmi_instances

        def without_services(namespace: str, class_name: str) -> Any:
            return [] if class_name.lower() == "win32_service" else instances(namespace, class_name)

        working.host.wmi_instances = without_services  # type: ignore[method-assign]
        result = working.look()
        hidden = ["ntds", "netlogon", "kdc", "dns", "dfsr", "w32time", "pcns", "events"]
        assert {name: value for name, value in verdicts(result).items() if name in hidden} == dict.fromkeys(
            hidden, "unknown"
        )
        assert "WMI does not show it to this account" in sentence(result, "dns")
        assert "event logs could not be read (System: " in sentence(result, "events")

    def test_a_password_that_ldap_refuses_is_tried_once(self, working: Estate) -> None:
        working.variables["password_sync_ldap_password"] = "another one"
        error = working.fails(deadline=600)
        assert error.result["waiting_for"] == BY_LDAP
        assert error.result["looks"] == 3
        assert "another one" not in f"{error} {error.result} {working.lab.said} {working.lab.warned}"
        services = working.lab.forest._ldap._servers["dc01.corp.example"]
        assert services.rejections == 1

    def test_a_domain_controller_without_dns_is_none_the_worse(self, working: Estate) -> None:
        working.host.services.delete("DNS")
        result = working.look()
        assert other_than_passed(result) == {"booted": "not_checked", "dns": "not_checked"}
        assert result["healthy"] is True
