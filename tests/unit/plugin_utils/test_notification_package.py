# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""notification_package against the registry, LSA and event logs of the lab."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from unit.lab_host import Lab, changes, observed, running, settings

from ansible_collections.entsso.password_sync.plugins.module_utils._plan import Estate, Present
from ansible_collections.entsso.password_sync.plugins.plugin_utils._domain_controller import REGISTERED_MARKER
from ansible_collections.entsso.password_sync.plugins.plugin_utils._markers import read_marker, write_marker
from ansible_collections.entsso.password_sync.plugins.plugin_utils._notification_package import (
    NotificationPackageResource,
)
from lab.backend import ChannelUnreadable
from lab.windows.lsa import LSA, VALUE
from lab.windows.registry import Data, ValueType

MARKERS = r"SOFTWARE\entsso.password_sync\Markers"


@pytest.fixture
def lab() -> Iterator[Lab]:
    with running() as started:
        started.install("dc01")
        yield started


class TestRepair:
    def test_an_entry_that_was_removed_by_hand_comes_back_last(self, lab: Lab) -> None:
        host = lab.simulated("dc01")
        host.registry.set_multi_string(LSA, VALUE, ("scecli", "Other", "rassfm"))
        done = lab.converge("notification_package", "dc01")
        assert changes(done) == [("notification_package", "update", {"registered": True})]
        # It is still loaded, so no restart is needed.
        assert done["changes"][0]["implies"] == []
        assert host.lsa.registered == ("scecli", "Other", "rassfm", "PCNSFLT")
        assert observed(done, "notification_package")["others"] == ["scecli", "Other", "rassfm"]

    def test_the_marker_remembers_when(self, lab: Lab) -> None:
        host = lab.simulated("dc01")
        host.faults.clock_offset_seconds = 100
        host.remove_notification_package("PCNSFLT")
        lab.run("notification_package", "dc01")
        with lab.open("dc01") as opened:
            marker = read_marker(opened, REGISTERED_MARKER.format("PCNSFLT"))
        assert marker is not None
        assert marker.value == "yes"
        # The host's own time, since it is compared with the host's own events.
        assert abs(marker.set_at - host.now()) < timedelta(seconds=30)

    def test_an_entry_of_another_case_is_the_same(self, lab: Lab) -> None:
        lab.simulated("dc01").registry.set_multi_string(LSA, VALUE, ("pcnsflt", "scecli"))
        assert lab.run("notification_package", "dc01")["changed"] is False

    def test_taking_it_out_keeps_the_others(self, lab: Lab) -> None:
        host = lab.simulated("dc01")
        host.registry.set_multi_string(LSA, VALUE, ("scecli", "PCNSFLT", "rassfm"))
        done = lab.converge("notification_package", "dc01", state="absent")
        assert host.lsa.registered == ("scecli", "rassfm")
        assert done["changes"][0]["implies"] == ["host restart"]
        assert changes(done) == [
            ("notification_package", "update", {"registered": False, "others": ["scecli", "rassfm"]})
        ]
        # The package was installed by hand, so what was there before it is not known.
        assert "what it was before PCNSFLT came is not recorded" in lab.warned

    def test_a_dll_that_is_not_there_is_not_registered(self, lab: Lab) -> None:
        for check in (True, False):
            error = str(lab.refused("notification_package", "dc02", check=check))
            assert "PCNSFLT can't be registered on dc02.corp.example: its DLL is not in System32" in error
            assert "entsso.password_sync.msi_package" in error
        assert lab.simulated("dc02").lsa.registered == ("rassfm", "scecli")

    def test_a_value_that_disappears_meanwhile(self, lab: Lab) -> None:
        host = lab.simulated("dc01")
        host.remove_notification_package("PCNSFLT")
        with lab.open("dc01") as opened:
            resource = NotificationPackageResource(opened, lab.task("notification_package", "dc01"))
            (change,) = resource.plan(Estate(resource.observe()))
            host.registry.delete_value(LSA, VALUE)
            with pytest.raises(Exception, match="the value disappeared while this ran"):
                resource.apply(change)
        assert host.registry.multi_string(LSA, VALUE) is None

    def test_a_write_that_is_undone_is_noticed(self, lab: Lab) -> None:
        """Somebody's policy writes the value back at once."""
        host = lab.simulated("dc01")
        host.remove_notification_package("PCNSFLT")
        write, before = host.registry.set, host.lsa.registered

        def undone(path: str, name: str, kind: ValueType, data: Data) -> None:
            write(path, name, kind, before if name == VALUE else data)

        host.registry.set = undone  # type: ignore[method-assign]
        error = str(lab.refused("notification_package", "dc01"))
        assert "notification_package pcnsflt on dc01.corp.example: registered should be true and is false" in error
        assert "Find out what undid or refused it there" in error


class TestRefusals:
    def test_a_member_server(self, lab: Lab) -> None:
        error = str(lab.refused("notification_package", "sso01"))
        assert "sso01.corp.example (sso01.corp.example) is not a domain controller" in error
        assert "group domain_controllers" in error

    def test_a_registry_that_may_not_be_read(self, lab: Lab) -> None:
        lab.endpoint("dc01").faults.fault(5, "Access is denied.", action="StdRegProv/GetMultiStringValue")
        error = str(lab.refused("notification_package", "dc01"))
        assert "The notification package PCNSFLT could not be read on dc01.corp.example: " in error


class TestGrades:
    """What is known about the loading, from different evidence; each state is also what the lab's LSA really has."""

    def entry(self, lab: Lab, name: str = "dc01") -> dict[str, object]:
        return observed(lab.run("notification_package", name, check=True), "notification_package")

    def test_proved_by_the_audit(self, lab: Lab) -> None:
        entry = self.entry(lab)
        assert (entry["loaded"], entry["grade"]) == ("yes", "proved")
        assert str(entry["evidence"]).startswith("event 4614 of ")

    def test_inferred_without_the_audit(self) -> None:
        with running(settings(audit_security_system_extension=False)) as lab:
            lab.install("dc01", restart=False)
            before = self.entry(lab)
            assert (before["loaded"], before["grade"]) == ("no", "inferred")
            assert before["evidence"] == "the DLL is newer than the last boot"
            lab.restart("dc01")
            entry = self.entry(lab)
            assert (entry["loaded"], entry["grade"]) == ("yes", "inferred")
            assert entry["evidence"] == "registered, and the DLL is older than the last boot"
            assert lab.simulated("dc01").lsa.is_loaded("PCNSFLT")
            # An entry that came back after the boot proves nothing about the boot.
            lab.simulated("dc01").remove_notification_package("PCNSFLT")
            with lab.open("dc01") as host:
                resource = NotificationPackageResource(host, lab.task("notification_package", "dc01"))
                (gone,) = resource.observe().values()
            assert isinstance(gone, Present)
            assert (gone.state.registered, gone.state.loaded) == (False, "unknown")
            assert gone.state.evidence == "no event says so and the entry is not registered now"
            lab.run("notification_package", "dc01")
            again = self.entry(lab)
            assert (again["loaded"], again["grade"]) == ("unknown", "")
            assert again["evidence"] == "the entry was put back after the last boot and no event tells"

    def test_a_channel_that_may_not_be_read_leaves_the_inference(self, lab: Lab) -> None:
        lab.simulated("dc01").events.unreadable["security"] = ChannelUnreadable("Access is denied.", 5)
        entry = self.entry(lab)
        assert (entry["loaded"], entry["grade"]) == ("yes", "inferred")

    def test_blocked(self, lab: Lab) -> None:
        lab.install("dc02", restart=False)
        lab.simulated("dc02").faults.filter_blocked_error = 577
        lab.restart("dc02")
        entry = self.entry(lab, "dc02")
        assert (entry["loaded"], entry["blocked"], entry["grade"]) == ("no", True, "proved")
        assert str(entry["evidence"]).startswith("event 16953 of ")

    def test_bare(self, lab: Lab) -> None:
        with lab.open("dc03") as host:
            resource = NotificationPackageResource(host, lab.task("notification_package", "dc03"))
            (entry,) = resource.observe().values()
        assert isinstance(entry, Present)
        assert (entry.state.registered, entry.state.loaded, entry.state.grade) == (False, "no", "proved")
        assert entry.state.evidence == "LSA logged its packages at boot (event 4614) and PCNSFLT is not one"

    def test_no_log_can_be_read(self, lab: Lab) -> None:
        """Without the System log nobody knows whether LSA refused it."""
        lab.endpoint("dc01").faults.fault(5, "Access is denied.", action="eventing/Subscribe", times=None)
        entry = self.entry(lab)
        assert (entry["loaded"], entry["grade"]) == ("unknown", "")
        assert "System log" in str(entry["evidence"])


class TestMarkers:
    def test_what_is_not_ours_is_no_marker(self, lab: Lab) -> None:
        host = lab.simulated("dc01")
        with lab.open("dc01") as opened:
            assert read_marker(opened, "x") is None
            write_marker(opened, "x", "yes", host.now())
            found = read_marker(opened, "x")
            assert found is not None
            assert found.value == "yes"
            for text in ("", "yes", "[]", '{"value": "yes"}', '{"value": "yes", "set_at": "yesterday"}'):
                host.registry.set_string(MARKERS, "x", text)
                assert read_marker(opened, "x") is None
