# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""pcns_configuration and pcns_target through pcnscfg of the lab, in every form that the facts leave open."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from unit.lab.estate_kit import install, restart
from unit.lab_host import Lab, changes, multiset, observed, running, settings
from unit.plugin_utils.test_msi_package import ALL

from lab.directory import PcnsConfiguration, PcnsObjects, PcnsTarget
from lab.forest import Forest
from lab.settings import ListWithoutConfiguration, PcnsSettings

WANTED: dict[str, Any] = {
    "name": "ENTSSO",
    "address": "sso01.corp.example",
    "service_principal_name": "ENTSSO/sso01.corp.example",
    "inclusion_group": "CORP\\Domain Users",
}
FULL: dict[str, Any] = {
    **WANTED,
    "exclusion_group": "CORP\\Domain Admins",
    "user_name_format": "nt4",
    "keep_alive_interval": 90,
    "queue_warning_level": 50,
    "queue_warning_interval": 15,
}
FOREIGN = ("Other", "ENTSSO-old")
GARBAGE = [
    b"",
    b"Zugriff verweigert\r\n",
    b"\xff\xfe\x00garbage: 1\r\n",
    b"Total targets: 3\r\n",
    b"Total targets: x\r\n",
]


@contextmanager
def directory(pcns: PcnsSettings | None = None) -> Iterator[Lab]:
    """Starts a lab whose dc01 has PCNS."""
    forest = Forest(settings(pcns))
    host = forest.host("dc01")
    assert install(host) == 3010
    restart(forest, host)
    with running(forest) as started:
        yield started


@pytest.fixture(scope="module")
def prepared() -> Iterator[Lab]:
    with directory() as lab:
        yield lab


@pytest.fixture
def lab(prepared: Lab) -> Iterator[Lab]:
    """A lab whose domain has no PCNS objects."""
    prepared.forest.directory.set_pcns(PcnsObjects())
    prepared.forget()
    yield prepared
    host = prepared.simulated("dc01")
    host.faults.tool_output.clear()
    host.faults.tool_exit_code.clear()


def target(lab: Lab, name: str = "ENTSSO") -> PcnsTarget:
    found = lab.forest.directory.pcns().target(name)
    assert found is not None
    return found


def add_foreign(lab: Lab) -> tuple[PcnsTarget, ...]:
    """Adds targets of somebody else; returns them."""
    group = lab.forest.directory.find_group("SSO Adapter Access")
    assert group is not None
    new_guid = lab.forest.directory.new_guid
    found = tuple(
        PcnsTarget(name, new_guid(name), "mim.corp.example", "PCNS/mim", group.sid, None, 1, 7, 8, 9, True)
        for name in FOREIGN
    )
    lab.forest.directory.set_pcns(PcnsObjects(PcnsConfiguration(), found))
    return found


def calls(lab: Lab) -> list[str]:
    """Returns what pcnscfg was told on dc01, without its path, in order; `list` left out."""
    lines = [line.partition("pcnscfg.exe")[2].strip('" ') for line in lab.simulated("dc01").process_log]
    return [line for line in lines if line and not line.startswith("list")]


class TestConfiguration:
    def test_written_once(self, lab: Lab) -> None:
        wanted = {"max_queue_age": 604800, "retry_interval": 30}
        done = lab.converge("pcns_configuration", "dc01", **wanted)
        assert changes(done) == [("pcns_configuration", "update", wanted)]
        assert lab.forest.directory.pcns().configuration == PcnsConfiguration(0, 604800, 0, 30)
        assert calls(lab)[-1] == "service /A:604800 /I:30 /Server:dc01.corp.example"
        assert done["domain"] == "corp.example"

    def test_every_setting(self, lab: Lab) -> None:
        wanted = {
            "max_queue_length": 4294967295,
            "max_queue_age": 1,
            "max_notification_retries": 1000,
            "retry_interval": 3600,
        }
        lab.converge("pcns_configuration", "dc01", **wanted)
        assert lab.forest.directory.pcns().configuration == PcnsConfiguration(4294967295, 1, 1000, 3600)

    def test_what_is_not_given_stays(self, lab: Lab) -> None:
        lab.forest.directory.set_pcns(PcnsObjects(PcnsConfiguration(5, 6, 7, 80)))
        done = lab.converge("pcns_configuration", "dc01", max_queue_age=9)
        assert done["changes"][0]["old"] == {"max_queue_age": 6}
        assert lab.forest.directory.pcns().configuration == PcnsConfiguration(5, 9, 7, 80)

    @pytest.mark.parametrize(
        ("name", "value", "told"),
        [
            ("retry_interval", 9, "from 10 to 3600"),
            ("max_notification_retries", 1001, "from 0 to 1000"),
            ("max_queue_length", -1, "from 0 to 4294967295"),
        ],
    )
    def test_out_of_range(self, lab: Lab, name: str, value: int, told: str) -> None:
        before = lab.endpoint("dc01").statistics.requests
        error = str(lab.refused("pcns_configuration", "dc01", **{name: value}))
        assert f"{name} is {value} and must be {told}" in error
        assert lab.endpoint("dc01").statistics.requests == before

    def test_findings(self, lab: Lab) -> None:
        lab.forest.directory.set_pcns(PcnsObjects(PcnsConfiguration()))
        only_looking = {"password_sync_observe_only": True}
        checked = lab.run("pcns_configuration", "dc01", check=True, variables=only_looking, retry_interval=30)
        finding, agreement = checked["findings"]
        assert (finding["control"], finding["status"]) == ("PCNS-006", "drift")
        # Whether all domain controllers have the same, only the directory tells.
        assert (agreement["control"], agreement["status"]) == ("PCNS-014", "unknown")
        assert "the directory was not asked" in agreement["message"]
        assert "retry_interval is 60 instead of 30" in finding["message"]
        assert "ansible_facts" not in checked
        lab.run("pcns_configuration", "dc01", retry_interval=30)
        (finding,) = lab.run("pcns_configuration", "dc01", retry_interval=30)["findings"]
        assert (finding["control"], finding["status"]) == ("PCNS-006", "compliant")


class TestTarget:
    def test_a_new_target_is_disabled(self, lab: Lab) -> None:
        foreign = add_foreign(lab)
        done = lab.converge("pcns_target", "dc01", **FULL)
        new = {key: value for key, value in FULL.items() if key not in ("name", "user_name_format")}
        assert changes(done) == [("pcns_target", "create", {**new, "user_name_format": 3, "enabled": False})]
        created = target(lab)
        assert created.disabled
        assert (created.keep_alive, created.warning_level, created.warning_interval) == (90, 50, 15)
        assert created.user_name_format == 3
        assert lab.forest.directory.pcns().targets[:2] == foreign

    def test_enabled_when_that_is_said(self, lab: Lab) -> None:
        lab.converge("pcns_target", "dc01", **WANTED, enabled=True)
        assert not target(lab).disabled

    def test_modified(self, lab: Lab) -> None:
        foreign = add_foreign(lab)
        lab.run("pcns_target", "dc01", **FULL)
        before = target(lab)
        done = lab.converge("pcns_target", "dc01", name="entsso", address="sso02.corp.example", queue_warning_level=60)
        assert done["changes"][0]["old"] == {"address": "sso01.corp.example", "queue_warning_level": 50}
        assert target(lab) == replace(before, server="sso02.corp.example", warning_level=60)
        assert lab.forest.directory.pcns().targets[:2] == foreign

    def test_the_exclusion_group_can_be_taken_away(self, lab: Lab) -> None:
        lab.run("pcns_target", "dc01", **FULL)
        lab.converge("pcns_target", "dc01", name="ENTSSO", exclusion_group="")
        assert target(lab).exclusion_sid is None

    def test_enabled_and_disabled_with_their_own_verbs(self, lab: Lab) -> None:
        lab.run("pcns_target", "dc01", **FULL)
        lab.converge("pcns_target", "dc01", **FULL, enabled=True)
        assert not target(lab).disabled
        assert calls(lab)[-1] == "enabletarget /N:ENTSSO /Server:dc01.corp.example"
        # Nothing is known of the queues here, and a disabled target loses what waits for it.
        lab.converge("pcns_target", "dc01", name="ENTSSO", enabled=False, discard_queue=True)
        assert target(lab).disabled
        assert calls(lab)[-1].startswith("disabletarget")

    def test_settings_are_kept_when_enabled_is_not_given(self, lab: Lab) -> None:
        lab.run("pcns_target", "dc01", **FULL, enabled=True)
        assert lab.run("pcns_target", "dc01", **FULL)["changed"] is False
        assert not target(lab).disabled

    def test_deleted(self, lab: Lab) -> None:
        foreign = add_foreign(lab)
        lab.run("pcns_target", "dc01", **FULL)
        done = lab.converge("pcns_target", "dc01", name="ENTSSO", state="absent")
        assert done["changes"][0]["operation"] == "delete"
        assert lab.forest.directory.pcns().targets == foreign
        assert [finding["status"] for finding in done["findings"]] == ["compliant"]

    def test_names_in_another_case_and_groups_without_domain_are_the_same(self, lab: Lab) -> None:
        lab.run("pcns_target", "dc01", **FULL)
        same = {**FULL, "name": "entsso", "address": "SSO01.corp.example", "inclusion_group": "domain users"}
        assert lab.run("pcns_target", "dc01", **same)["changed"] is False

    def test_what_a_new_target_needs(self, lab: Lab) -> None:
        error = str(lab.refused("pcns_target", "dc01", name="ENTSSO", address="sso01.corp.example"))
        assert (
            "ENTSSO does not exist in corp.example; to create it give service_principal_name and inclusion_group"
            in error
        )
        assert calls(lab)[-1:] != ["addtarget"]

    def test_a_group_that_does_not_exist(self, lab: Lab) -> None:
        error = lab.refused("pcns_target", "dc01", **{**WANTED, "inclusion_group": "CORP\\Nobody"})
        assert "pcnscfg.exe addtarget on dc01.corp.example: it ended with 1 and printed: " in str(error)
        assert "The group 'CORP\\Nobody' could not be found" in str(error)
        assert error.result["changed"] is False  # type: ignore[attr-defined]

    def test_findings_follow_what_is_observed(self, lab: Lab) -> None:
        def judged(**given: Any) -> dict[str, str]:
            result = lab.run("pcns_target", "dc01", check=True, variables={"password_sync_observe_only": True}, **given)
            return {item["control"]: item["status"] for item in result["findings"]}

        # Groups and the server's domain are in the directory, which is not configured here.
        unasked = {"PCNS-011": "unknown", "PCNS-013": "unknown"}
        missing = {"PCNS-007": "drift", "PCNS-008": "not_applicable"}
        assert judged(**FULL, enabled=True, systems=["RACF"]) == {
            **missing, "PCNS-011": "unknown", "PCNS-013": "not_applicable"
        }  # fmt: skip
        lab.run("pcns_target", "dc01", **FULL)
        assert judged(**FULL, enabled=True) == {"PCNS-007": "compliant", "PCNS-008": "drift", **unasked}
        assert judged(**FULL) == {"PCNS-007": "compliant", **unasked}
        assert judged(**{**FULL, "keep_alive_interval": 91}) == {"PCNS-007": "drift", **unasked}


class TestForms:
    """What the public documents leave open about pcnscfg changes nothing."""

    @pytest.mark.parametrize(
        "pcns",
        [
            PcnsSettings(list_without_configuration=ListWithoutConfiguration.DEFAULTS),
            PcnsSettings(list_without_configuration=ListWithoutConfiguration.ERROR, msi_creates_configuration=True),
            PcnsSettings(list_indent=2, list_blank_lines=False),
            PcnsSettings(list_prints_group_domain=False, new_target_user_name_format=3),
            PcnsSettings(msi_creates_configuration=True, new_target_keep_alive=1, new_target_warning_level=2),
        ],
        ids=["defaults", "error", "indent", "group", "msi"],
    )
    def test_configuration_and_target(self, pcns: PcnsSettings) -> None:
        with directory(pcns) as lab:
            lab.converge("pcns_configuration", "dc01", max_queue_age=604800)
            lab.converge("pcns_target", "dc01", **FULL)
            lab.converge("pcns_target", "dc01", **FULL, enabled=True)
            assert not target(lab).disabled
            assert lab.forest.directory.pcns().configuration == PcnsConfiguration(max_queue_age=604800)

    def test_no_line_for_the_user_name_format(self) -> None:
        """The newer article's sample has none: the format counts as the one that ENTSSO takes."""
        with directory(PcnsSettings(list_prints_user_name_format=False)) as lab:
            lab.converge("pcns_target", "dc01", **FULL)
            assert target(lab).user_name_format == 3

    def test_no_configuration_is_no_sign_of_an_error_alone(self) -> None:
        """A tool that only prints an error holds nothing that can be understood: refused, not taken for absent."""
        with directory(PcnsSettings(list_without_configuration=ListWithoutConfiguration.ERROR)) as lab:
            error = str(lab.refused("pcns_configuration", "dc01", max_queue_age=604800))
            assert "The PCNS configuration of corp.example could not be read on dc01.corp.example" in error
            assert "none of the lines that Microsoft's help shows" in error
            assert calls(lab) == []

    def test_an_error_with_exit_code_0_is_caught(self) -> None:
        with directory(PcnsSettings(failure_exit_code=0)) as lab:
            error = lab.refused("pcns_target", "dc01", **{**WANTED, "inclusion_group": "CORP\\Nobody"})
            assert "it ended with 0 and printed: Error: The group 'CORP\\Nobody' could not be found" in str(error)

    def test_a_verb_that_says_it_worked_and_did_nothing_is_caught(self) -> None:
        with directory() as lab:
            lab.forest.directory.set_pcns = lambda _objects, _name="": None  # type: ignore[method-assign]
            error = lab.refused("pcns_target", "dc01", **WANTED)
            assert "the change was made, and what is observed now is not what was planned" in str(error)
            assert "pcns_target entsso on corp.example: state should be present and is absent" in str(error)
            assert error.result["changed"] is True  # type: ignore[attr-defined]

    def test_a_setting_that_is_not_taken_over_is_named(self) -> None:
        with directory() as lab:
            lab.simulated("dc01").faults.tool_exit_code["pcnscfg"] = 0
            lab.run("pcns_target", "dc01", **FULL)
            write = lab.forest.directory.set_pcns

            def loses_it(objects: PcnsObjects, domain_controller: str = "") -> None:
                kept = tuple(replace(item, keep_alive=90) for item in objects.targets)
                write(replace(objects, targets=kept), domain_controller)

            lab.forest.directory.set_pcns = loses_it  # type: ignore[method-assign]
            error = str(lab.refused("pcns_target", "dc01", name="ENTSSO", keep_alive_interval=30))
            assert "pcns_target entsso on corp.example: keep_alive_interval should be 30 and is 90" in error


class TestOutputThatCanNotBeUnderstood:
    @pytest.mark.parametrize("printed", GARBAGE)
    @pytest.mark.parametrize(
        ("module", "given"), [("pcns_configuration", {"retry_interval": 30}), ("pcns_target", FULL)]
    )
    def test_it_is_refused(self, lab: Lab, module: str, given: dict[str, Any], printed: bytes) -> None:
        lab.simulated("dc01").faults.tool_output["pcnscfg"] = printed
        done = calls(lab)
        for check in (True, False):
            error = str(lab.refused(module, "dc01", check=check, **given))
            assert (
                "could not be read on dc01.corp.example: the output of pcnscfg list could not be understood: " in error
            )
            assert "Run `pcnscfg list` there by hand" in error
        assert calls(lab) == done

    def test_a_judgement_goes_on(self, lab: Lab) -> None:
        lab.simulated("dc01").faults.tool_output["pcnscfg"] = b"?"
        result = lab.run("pcns_target", "dc01", check=True, variables={"password_sync_observe_only": True}, **FULL)
        assert result["changed"] is False
        assert "could not be understood" in result["msg"]
        assert "findings" not in result

    def test_more_than_is_sensible(self, lab: Lab) -> None:
        lab.simulated("dc01").faults.tool_output["pcnscfg"] = b"x" * 2_100_000
        assert "it printed more than 2 MB" in str(lab.refused("pcns_target", "dc01", **FULL))


class TestTool:
    def test_it_is_not_there(self, lab: Lab) -> None:
        for check in (True, False):
            error = str(lab.refused("pcns_target", "dc02", check=check, **FULL))
            assert "pcnscfg is not on dc02.corp.example" in error
            assert "Install PCNS there first" in error

    def test_check_mode_plans_on_a_tool_that_is_yet_to_come(self, lab: Lab) -> None:
        lab.run("msi_package", "dc02", check=True, **ALL)
        first = lab.run("pcns_configuration", "dc02", check=True, retry_interval=30)
        assert changes(first) == [("pcns_configuration", "update", {"retry_interval": 30})]
        second = lab.run("pcns_target", "dc02", check=True, **FULL)
        assert second["changes"][0]["operation"] == "create"
        third = lab.run("pcns_target", "dc02", check=True, **FULL, enabled=True)
        assert changes(third) == [("pcns_target", "update", {"enabled": True})]
        # The objects are the domain's: what is planned on one DC is known on the others, the tool is not.
        assert "pcnscfg is not on dc03.corp.example" in str(lab.refused("pcns_target", "dc03", check=True, **FULL))
        assert lab.run("pcns_target", "dc01", check=True, **FULL, enabled=True)["changes"] == []

    def test_installed_with_its_tool_elsewhere(self, lab: Lab) -> None:
        error = str(lab.refused("pcns_target", "dc01", pcnscfg=r"C:\elsewhere\pcnscfg.exe", **FULL))
        assert "pcnscfg is not on dc01.corp.example" in error

    def test_a_member_server(self, lab: Lab) -> None:
        assert "is not a domain controller" in str(lab.refused("pcns_target", "sso01", **FULL))

    def test_it_always_works_on_this_dc(self, lab: Lab) -> None:
        lab.forest.directory.hold_replication("DC01")
        try:
            lab.run("pcns_target", "dc01", **WANTED)
            assert lab.forest.directory.pcns("DC01").target("ENTSSO") is not None
            assert lab.forest.directory.pcns("DC02").target("ENTSSO") is None
        finally:
            lab.forest.directory.release_replication("DC01")

    def test_both_runs_do_the_same(self, lab: Lab) -> None:
        predicted = lab.run("pcns_target", "dc01", check=True, **FULL)
        lab.forget()
        assert multiset(predicted) == multiset(lab.run("pcns_target", "dc01", **FULL))
        assert observed(predicted, "pcns_target")["state"] == "present"
