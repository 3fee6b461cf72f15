# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""pcns_configuration and pcns_target with a directory: what other domain controllers have, before and after a write."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from unit.lab_host import Lab
from unit.plugin_utils.pcns_directory_kit import WithDirectory, emptied, started
from unit.plugin_utils.test_pcns_directory import FULL, calls, target

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import DirectoryUnreachable
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._ldap_settings import LdapSettings
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory import _directory
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._ldap_session import LdapSession
from lab.directory import PcnsObjects


@pytest.fixture(scope="module")
def prepared() -> Iterator[Lab]:
    with started() as lab:
        yield lab


@pytest.fixture
def place(prepared: Lab) -> Iterator[WithDirectory]:
    yield from emptied(prepared)


class TestReplication:
    def test_one_that_is_behind_is_named(self, place: WithDirectory) -> None:
        domain = place.lab.forest.directory
        domain.hold_replication("DC02")
        told = place.refused("pcns_target", **FULL, replication_timeout=0.2)
        assert "not every domain controller has it: dc02.corp.example: it does not have it yet" in told
        assert target(place.lab).server == "sso01.corp.example"
        finding = place.judged("pcns_configuration")["PCNS-014"]
        assert finding["status"] == "manual"
        assert "dc02.corp.example: it has something else for the service object" in finding["message"]
        # Not asked where it is said so, and asked again by a run that changes nothing.
        assert place.run("pcns_target", **FULL, replication_timeout=0)["seen_by"] == []
        assert place.run("pcns_target", **FULL, replication_servers=["dc01.corp.example"])["changed"] is False
        assert "it does not have it yet" in place.refused("pcns_target", **FULL, replication_timeout=0.2)
        domain.release_replication("DC02")
        assert place.run("pcns_target", **FULL)["seen_by"] == ["dc01.corp.example", "dc02.corp.example"]

    def test_a_deletion_is_waited_for(self, place: WithDirectory) -> None:
        place.run("pcns_target", **FULL)
        place.lab.forest.directory.hold_replication("DC02")
        told = place.refused("pcns_target", name="ENTSSO", state="absent", replication_timeout=0.2)
        assert "dc02.corp.example: it does not have it yet" in told
        assert place.lab.forest.directory.pcns("DC01").targets == ()

    @pytest.mark.parametrize(
        ("module", "given", "what"),
        [
            ("pcns_configuration", {"retry_interval": 30}, "The PCNS configuration of corp.example"),
            ("pcns_target", FULL, "The PCNS target ENTSSO"),
        ],
    )
    def test_what_another_has_is_not_created_again(
        self, place: WithDirectory, module: str, given: dict[str, Any], what: str
    ) -> None:
        """A second one, made on a domain controller that is behind, could win when it catches up."""
        _leave_behind(place, "DC01", enabled=True)
        before = calls(place.lab)
        sentence = (
            f"{what} is on dc02.corp.example and not on dc01.corp.example, where it would be created: replication "
            "between them is behind"
        )
        for check in (True, False):
            told = place.refused(module, check=check, **given)
            assert f"{sentence}; nothing was written." in told
            assert "repadmin /showrepl" in told
        found = place.judged(module, **given)
        control = "PCNS-007" if module == "pcns_target" else "PCNS-006"
        assert (found[control]["status"], found[control]["repair"][:24]) == ("manual", "Look at the replication ")
        assert f"{sentence}." in found[control]["message"]
        assert calls(place.lab) == before
        assert place.lab.forest.directory.pcns("dc01") == PcnsObjects()
        place.lab.forest.directory.release_replication("DC01")
        assert place.run(module, check=True, **given)["changed"] is (module == "pcns_configuration")

    def test_where_not_even_the_schema_has_come(self, place: WithDirectory) -> None:
        """The others are asked by the names of their own schema."""
        _leave_behind(place, "DC01", enabled=True)
        schema = place.lab.forest.directory.schema
        schema.write((), "dc01.corp.example")
        try:
            told = place.refused("pcns_target", **FULL)
            assert "The PCNS target ENTSSO is on dc02.corp.example and not on dc01.corp.example, where it wou" in told
        finally:
            schema.pcns_extended = True
            schema.write(schema.parts, "dc01.corp.example")

    def test_enabled_on_one_and_not_on_the_other(self, place: WithDirectory) -> None:
        _leave_behind(place, "DC01", enabled=False)
        directory = place.lab.forest.directory
        directory.set_pcns(directory.pcns("dc02"), "dc01")
        directory.set_pcns(directory.pcns().with_target(replace(target(place.lab), disabled=False)))
        wrong = (
            "The PCNS target ENTSSO is enabled on dc02.corp.example and disabled on dc01.corp.example, where it would "
            "be changed: replication between them is behind; nothing was written."
        )
        before = calls(place.lab)
        assert wrong in place.refused("pcns_target", name="ENTSSO", enabled=True)
        assert wrong in place.refused("pcns_target", check=True, name="ENTSSO", enabled=True)
        finding = place.judged(name="ENTSSO", enabled=True)["PCNS-008"]
        assert (finding["status"], wrong.partition(";")[0] in finding["message"]) == ("manual", True)
        assert calls(place.lab) == before
        # A change that leaves it disabled competes with nobody.
        assert place.run("pcns_target", name="ENTSSO", keep_alive_interval=91, replication_timeout=0)["changed"] is True

    def test_one_that_can_not_be_asked_is_told(self, place: WithDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
        """It does not stop a task by itself; the wait after the write does."""
        asked = _silence(monkeypatch, "dc02.corp.example")
        assert place.run("pcns_target", **FULL, replication_timeout=0)["changed"] is True
        told = "whether the PCNS target ENTSSO is on these is not known (dc02.corp.example: nobody answers)"
        assert told in place.lab.warned
        place.lab.forget()
        asked.clear()
        # Nobody is asked where nothing is created.
        assert place.run("pcns_target", **FULL, replication_timeout=0)["changed"] is False
        place.run("pcns_target", name="ENTSSO", keep_alive_interval=91, replication_timeout=0)
        assert (asked, place.lab.warned) == ([], "")

    def test_read_on_the_one_that_is_written_to(self, place: WithDirectory) -> None:
        place.lab.forest.directory.hold_replication("DC01")
        done = place.run("pcns_target", **FULL, replication_timeout=0)
        assert done["changed"] is True
        assert place.run("pcns_target", **FULL, replication_timeout=0)["changed"] is False


def _leave_behind(place: WithDirectory, name: str, *, enabled: bool) -> None:
    """Writes settings and a target on all domain controllers but one, which replicates no more."""
    directory = place.lab.forest.directory
    place.run("pcns_configuration", retry_interval=60, replication_timeout=0)
    place.run("pcns_target", **FULL, enabled=enabled, replication_timeout=0)
    made = directory.pcns()
    directory.set_pcns(PcnsObjects())
    directory.hold_replication(name)
    directory.set_pcns(made)
    place.lab.forget()


def _silence(monkeypatch: pytest.MonkeyPatch, silent: str) -> list[str]:
    """Makes one domain controller unreachable over LDAP; returns the list of those that are asked."""
    asked: list[str] = []
    opened = _directory.open_session

    def open_session(settings: LdapSettings, host: str, folder: str) -> LdapSession:
        if host.lower() == silent:
            asked.append(host)
            raise DirectoryUnreachable(host, "LDAP", "nobody answers", "Switch it on")
        return opened(settings, host, folder)

    monkeypatch.setattr(_directory, "open_session", open_session)
    return asked
