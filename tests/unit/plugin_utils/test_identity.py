# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Another machine that answers under the name is found out before it is believed or changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import (
    HostUnreachable,
    UnreadableOutput,
    WrongMachine,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.codec._computer_name import (
    ExpectedMachine,
    expected_machine,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._host import Host
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._identity import expected_of
from ansible_collections.entsso.password_sync.tests.unit.lab.endpoint_kit import serving
from ansible_collections.entsso.password_sync.tests.unit.lab_host import Lab, running
from ansible_collections.entsso.password_sync.tests.unit.plugin_utils.exchange_kit import KINDS
from ansible_collections.entsso.password_sync.tests.unit.plugin_utils.fault_kit import (
    OPERATING_SYSTEM,
    NamedMachine,
    opened,
    start,
)
from lab.endpoint import Endpoint
from lab.endpoint.wsman_fault import ProviderError, fault

DC01 = expected_machine("dc01.corp.example", "dc01")
WRONG = r"computer name on dc01: the machine that answers calls itself DC02, not dc01; nothing was changed on it\."


class TestNames:
    @pytest.mark.parametrize("reported", ["DC01", "dc01", "dc01.corp.example", "Dc01.other.example", " DC01 "])
    def test_the_same_machine(self, reported: str) -> None:
        assert DC01.is_called(reported)

    @pytest.mark.parametrize("reported", ["DC02", "DC0", "DC011", "", "corp", "localhost", "10.0.0.1"])
    def test_another_one(self, reported: str) -> None:
        assert not DC01.is_called(reported)

    def test_a_name_that_netbios_cuts(self) -> None:
        expected = expected_machine("paris-domain-controller-1.corp.example", "10.0.0.1")
        assert expected.is_called("PARIS-DOMAIN-CO")
        assert expected.is_called("paris-domain-controller-1")
        assert not expected.is_called("PARIS-DOMAIN-C")
        assert not expected_machine("paris-domain", "10.0.0.1").is_called("PARIS-DOMAIN-CO")

    @pytest.mark.parametrize("address", ["10.0.0.1", "::1", "[fe80::1%eth0]", "dc01.corp.example", "DC01"])
    def test_addresses_name_nobody(self, address: str) -> None:
        assert expected_machine("dc01", address).names == ("dc01",)
        assert expected_machine("10.0.0.1", "10.0.0.1") == ExpectedMachine()

    def test_both_names_of_the_inventory_count(self) -> None:
        assert expected_machine("first-dc", "dc01.corp.example").names == ("first-dc", "dc01")

    def test_names_given_by_the_user(self) -> None:
        assert expected_machine("first-dc", "10.0.0.1", "", ["DC01"]).names == ("first-dc", "dc01")

    def test_under_a_clusters_name_any_node_answers_unless_they_are_named(self) -> None:
        assert expected_machine("ssoclu.corp.example", "10.0.0.1", "SSOCLU") == ExpectedMachine()
        named = expected_machine("ssoclu.corp.example", "10.0.0.1", "SSOCLU", ["SSO-N1", "SSO-N2"])
        assert named.names == ("sso-n1", "sso-n2", "ssoclu")
        assert not named.is_called("DC01")

    def test_a_node_is_itself_or_the_cluster(self) -> None:
        assert expected_machine("sso-n1", "10.0.0.1", "ssoclu.corp.example").names == ("sso-n1", "ssoclu")


class TestVariables:
    def test_the_tasks_own_host(self) -> None:
        variables = {"inventory_hostname": "a", "password_sync_computer_names": ["{{ inventory_hostname }}2", "b"]}
        assert expected_of(_trusted(variables), "a", "10.0.0.1").names == ("a", "a2", "b")
        assert expected_of({"inventory_hostname": "a", "password_sync_computer_names": "B"}, "a", "x").names == (
            "a",
            "x",
            "b",
        )
        assert expected_of({"inventory_hostname": "clu", "sso_cluster_name": "CLU"}, "clu", "clu").names == ()

    def test_a_host_that_is_delegated_to(self) -> None:
        others = {"b": {"password_sync_computer_names": ["SRV-B"]}}
        variables = {"inventory_hostname": "a", "password_sync_computer_names": ["SRV-A"], "hostvars": others}
        assert expected_of(variables, "b", "10.0.0.2").names == ("b", "srv-b")


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Endpoint]:
    with serving(NamedMachine("DC02")) as endpoint:
        yield endpoint


@pytest.mark.parametrize("kind", KINDS)
class TestOverTheWire:
    def test_every_read_that_names_the_computer(self, kind: str, tmp_path: Path, endpoint: Endpoint) -> None:
        reads: list[Any] = [
            lambda host: host.wmi.get(OPERATING_SYSTEM),
            lambda host: host.services.get("PCNSSVC"),
            lambda host: host.wmi.query("SELECT Name, SystemName FROM Win32_Service"),
        ]
        for read in reads:
            before = endpoint.statistics.requests
            with (
                pytest.raises(WrongMachine, match=f"{WRONG} Correct ansible_host"),
                opened(kind, endpoint.address, tmp_path, expected=DC01) as host,
            ):
                read(host)
            assert endpoint.statistics.requests - before <= 2  # the second only drops the rest of a long answer

    def test_a_write_asks_first(self, kind: str, tmp_path: Path) -> None:
        machine = NamedMachine("DC02")
        with serving(machine) as endpoint:
            for work in (start, lambda host: host.run("setup.exe"), lambda host: host.registry.create_key("K")):
                with (
                    pytest.raises(WrongMachine, match=WRONG),
                    opened(kind, endpoint.address, tmp_path, expected=DC01) as host,
                ):
                    work(host)
            assert (machine.invoked, machine.started) == ([], [])

    def test_what_was_only_read_is_not_believed(self, kind: str, tmp_path: Path, endpoint: Endpoint) -> None:
        with pytest.raises(WrongMachine, match=WRONG), opened(kind, endpoint.address, tmp_path, expected=DC01) as host:
            assert host.registry.multi_string("K", "Notification Packages") == ("rassfm", "scecli")

    def test_an_error_of_the_task_comes_first(self, kind: str, tmp_path: Path, endpoint: Endpoint) -> None:
        with pytest.raises(LookupError), opened(kind, endpoint.address, tmp_path, expected=DC01) as host:
            {}[host.registry.multi_string("K", "Notification Packages")]

    def test_the_right_machine_costs_nothing_where_it_is_read_anyway(self, kind: str, tmp_path: Path) -> None:
        with serving(NamedMachine("DC01")) as endpoint:
            with opened(kind, endpoint.address, tmp_path, expected=DC01) as host:
                host.wmi.get(OPERATING_SYSTEM)
                assert start(host) == 10
            assert endpoint.statistics.requests == 2
            with opened(kind, endpoint.address, tmp_path, expected=DC01) as host:
                for _time in range(3):
                    assert start(host) == 10
            assert endpoint.statistics.requests == 2 + 1 + 3
            with opened(kind, endpoint.address, tmp_path, expected=ExpectedMachine()) as host:
                assert start(host) == 10
            assert endpoint.statistics.requests == 2 + 1 + 3 + 1
            with opened(kind, endpoint.address, tmp_path, expected=DC01):
                pass
            assert endpoint.statistics.requests == 2 + 1 + 3 + 1

    def test_another_machine_after_a_restart(self, kind: str, tmp_path: Path) -> None:
        machine = NamedMachine("DC01")
        with serving(machine) as endpoint, opened(kind, endpoint.address, tmp_path, expected=DC01) as host:
            assert start(host) == 10
            machine.computer_name = "DC02"
            assert start(host) == 10, "the same connection is the same machine"
            endpoint.down()
            with pytest.raises(HostUnreachable):
                host.wmi.get(OPERATING_SYSTEM)
            endpoint.up()
            with pytest.raises(WrongMachine):
                start(host)
            machine.computer_name = "DC01"
        assert len(machine.invoked) == 2

    def test_a_fault_may_prove_the_machine_and_never_accuses_it(self, kind: str, tmp_path: Path) -> None:
        with serving(NamedMachine("DC01")) as endpoint:
            provider = ProviderError("No. ", "GetObject", "Win32_Service", "CIMWin32")
            for name, requests in (("DC01", 2), ("some-alias", 3)):
                endpoint.backend.computer_name = name  # type: ignore[misc]
                with opened(kind, endpoint.address, tmp_path, expected=DC01) as host:
                    before = endpoint.statistics.requests
                    endpoint.faults.raising(fault("not_found", provider))
                    assert host.wmi.get("Win32_Service", {"Name": "x"}) is None
                    endpoint.backend.computer_name = "DC01"  # type: ignore[misc]
                    assert start(host) == 10
                    assert endpoint.statistics.requests - before == requests

    def test_a_host_that_does_not_tell_its_name(self, kind: str, tmp_path: Path) -> None:
        machine = NamedMachine("")
        with (
            serving(machine) as endpoint,
            pytest.raises(UnreadableOutput, match="the host did not tell its name"),
            opened(kind, endpoint.address, tmp_path, expected=DC01) as host,
        ):
            start(host)
        assert machine.invoked == []


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with running() as lab:
        yield lab


class TestModules:
    def test_reading_everything_asks_nothing_for_it(self, lab: Lab) -> None:
        endpoint = lab.endpoint("dc01")
        before = endpoint.statistics.requests
        result = lab.run("pcns_info", "dc01", packages=[])
        assert endpoint.statistics.requests - before == result["statistics"]["requests"]

    def test_an_address_that_another_machine_has(self, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(lab.forest.endpoints, "dc01.corp.example", lab.endpoint("dc02"))
        before = lab.snapshot()
        for module, given in {"pcns_info": {"packages": []}, "pcns_service": {}, "notification_package": {}}.items():
            assert "calls itself DC02, not dc01" in str(lab.refused(module, "dc01", **given))
        assert lab.snapshot() == before
        lab.run("pcns_info", "dc01", packages=[], variables={"password_sync_computer_names": ["dc02"]})


def _trusted(variables: dict[str, Any]) -> dict[str, Any]:
    from ansible.template import trust_as_template

    names = [trust_as_template(name) for name in variables["password_sync_computer_names"]]
    return {**variables, "password_sync_computer_names": names}


def test_a_host_of_tests_expects_nobody() -> None:
    """Only `open_host` knows what the inventory means."""
    assert Host("dc01", object())._client.identity.proved  # type: ignore[arg-type]
