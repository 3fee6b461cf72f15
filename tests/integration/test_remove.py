# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""remove.yml: after it the estate is as it was before the first run, apart from what Windows keeps, which is listed.

First one domain controller alone, before it is demoted; then the whole domain; then once more, with nothing to do.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from integration.estate import ALLOWED, DOMAIN, Estate, fqdn, message, says, small_forest

from lab.playbooks import Run, identities
from lab.windows.lsa import LSA, VALUE

DCS = ("dc01", "dc02", "dc03")
ALONE = "dc03"
ENTRIES = ("scecli", "ThirdFlt", "rassfm")
"""What others have in the list, in an order that is not Windows' own."""
ORDER = ["pcns_service", "notification_package", "domain_controller_restart", "msi_package", "host_remains"]

_INSTALLER = r"/registry/SOFTWARE\Microsoft\Windows\CurrentVersion\Installer"
_QUEUE = r"C:\Windows\System32\pcns"
KEPT = {
    "/boot_time",
    "/events/Application",
    "/events/Security",
    rf"/files/files/{_QUEUE}\pcns.dat",
    rf"/files/folders/{_QUEUE}",
    r"/registry/SOFTWARE\Classes\Installer\Features",
    r"/registry/SOFTWARE\Classes\Installer\Products",
    r"/registry/SOFTWARE\Classes\Installer\UpgradeCodes",
    _INSTALLER,
    rf"{_INSTALLER}\UserData",
    rf"{_INSTALLER}\UserData\S-1-5-18",
    rf"{_INSTALLER}\UserData\S-1-5-18\Products",
}
"""What Windows keeps on a domain controller, as docs/removal.md lists it: when it started, its event logs, the queue
folder of PCNS, and Windows Installer's own keys, which are empty in the lab (a real Windows has them before too)."""


_LIMIT = ("--limit", fqdn(ALONE))
NOT_MEANT: Mapping[str, tuple[tuple[str, ...], Mapping[str, Any]]] = {
    "another": ((), {**ALLOWED, "pcns_remove": ["other.example", fqdn(ALONE)]}),
    "half": (_LIMIT, {**ALLOWED, "pcns_remove": DOMAIN}),
    "no restart": ((), {"pcns_remove": DOMAIN}),
    "waits": (_LIMIT, {**ALLOWED, "pcns_remove": fqdn(ALONE)}),
}
"""Runs that must not begin: arguments and variables."""


def flat(value: object, path: str = "") -> dict[str, object]:
    """Returns a snapshot as path and value, so that two can be compared."""
    if isinstance(value, Mapping):
        found: dict[str, object] = {}
        for name, item in value.items():
            found |= flat(item, f"{path}/{name}")
        return found or {path: {}}
    if isinstance(value, list) and path.endswith("/folders"):
        return {f"{path}/{name}": True for name in value}
    return {path: value}


def differences(before: object, after: object) -> set[str]:
    """Returns the paths that are not the same."""
    left, right = flat(before), flat(after)
    return {path for path in left.keys() | right.keys() if left.get(path) != right.get(path)}


@dataclass(frozen=True)
class Removal:
    """An estate from which PCNS was removed, and how.

    Attributes:
        estate: The estate.
        before: The estate before the first run.
        refused: Runs that were not meant, and what was changed by them.
        alone: The removal from one domain controller.
        after_alone: The estate after that.
        check: The removal from the domain in check mode.
        whole: The removal from the domain.
        after: The estate after that.
        boots: Restarts in it.
        again: The same once more.
        at_last: The estate after that.
    """

    estate: Estate
    before: Mapping[str, Any]
    refused: Mapping[str, tuple[Run, set[str]]]
    alone: Run
    after_alone: Mapping[str, Any]
    check: Run
    whole: Run
    after: Mapping[str, Any]
    boots: Mapping[str, int]
    again: Run
    at_last: Mapping[str, Any]


@pytest.fixture(scope="module")
def removal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Removal]:
    with Estate(small_forest(len(DCS)), tmp_path_factory.mktemp("remove")) as estate:
        forest = estate.forest
        for name in DCS:
            host = estate.host(name)
            with forest.scheduler.lock:
                host.registry.set_multi_string(LSA, VALUE, ENTRIES)
                host.files.put(r"C:\Windows\System32\ThirdFlt.dll", 1000, "0" * 64, host.now(), version="1.0")
                host.going_down()
                host.coming_up()
        before = forest.snapshot()
        run = estate.run("domain_controllers.yml", variables=ALLOWED)
        assert run.exit_code == 0, run.output
        _enable(estate)

        refused = {}
        for name, (arguments, variables) in NOT_MEANT.items():
            state = forest.snapshot()
            stopped = estate.run("remove.yml", *arguments, variables=variables)
            refused[name] = (stopped, differences(state, forest.snapshot()))

        queue = {"pcns_directory_drain_restart_service": True}
        alone = estate.run("remove.yml", *_LIMIT, variables={**ALLOWED, **queue, "pcns_remove": [fqdn(ALONE)]})
        after_alone = forest.snapshot()
        whole = {**ALLOWED, **queue, "pcns_remove": DOMAIN, "pcns_directory_remove_objects": True}
        check = estate.run("remove.yml", "--check", variables=whole)
        assert not differences(after_alone, forest.snapshot())
        boots = estate.boots()
        done = estate.run("remove.yml", variables=whole)
        boots = {name: count - boots[name] for name, count in estate.boots().items()}
        after = forest.snapshot()
        again = estate.run("remove.yml", variables=whole)
        yield Removal(estate, before, refused, alone, after_alone, check, done, after, boots, again, forest.snapshot())


def _enable(estate: Estate) -> None:
    code, output, errors = estate.host("dc01").run(
        r'"C:\Program Files\Microsoft Password Change Notification\pcnscfg.exe" enabletarget /N:ENTSSO'
    )
    assert code == 0, output + errors


def _host(snapshot: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = snapshot["hosts"][fqdn(name)]
    return found


def _resources(run: Run, name: str) -> list[str]:
    return [change["resource"] for change in run.changes if change["subject"] == fqdn(name)]


@pytest.mark.parametrize(
    ("case", "told"),
    [
        ("another", ("Nothing says that PCNS is to be removed from dc01.corp.example", "-e pcns_remove=corp.example")),
        ("half", ("removed from all of corp.example", "leaves out dc01.corp.example, dc02.corp.example")),
        ("no restart", ("dc01.corp.example must restart to unload PCNSFLT, and may not", "pcns_restart_allowed")),
        ("waits", ("not proved that nothing waits for ENTSSO", "pcns_directory_discard_queue")),
    ],
)
def test_what_is_not_meant_is_not_done(removal: Removal, case: str, told: tuple[str, ...]) -> None:
    run, changed = removal.refused[case]
    assert run.exit_code != 0
    assert changed == set()
    failed = sorted((item for item in run.results if item.status == "failed"), key=lambda item: item.host)
    says(message(failed[0]), *told)


def test_one_domain_controller_before_it_is_demoted(removal: Removal) -> None:
    """The others do not even notice, and the targets stay enabled for them."""
    assert removal.alone.exit_code == 0, removal.alone.output
    assert differences(_host(removal.before, ALONE), _host(removal.after_alone, ALONE)) == KEPT
    assert _resources(removal.alone, ALONE) == ORDER
    for name in ("dc01", "dc02"):
        assert set(_resources(removal.alone, name)) <= {"rollout_lock"}
    (target,) = removal.after_alone["domains"][DOMAIN]["pcns"]["targets"]
    assert target["disabled"] is False


def test_after_the_whole_domain_only_what_is_listed_is_left(removal: Removal) -> None:
    assert removal.whole.exit_code == 0, removal.whole.output
    for name in DCS:
        assert differences(_host(removal.before, name), _host(removal.after, name)) == KEPT, name
    assert not differences(_host(removal.before, "sso01"), _host(removal.after, "sso01"))


def test_of_the_directory_the_configuration_and_the_schema_are_left(removal: Removal) -> None:
    left = differences(removal.before["domains"], removal.after["domains"])
    assert {path.split("/")[2] for path in left} == {"pcns"}
    pcns = removal.after["domains"][DOMAIN]["pcns"]
    assert not pcns["targets"]
    assert pcns["configuration"]


def test_the_order(removal: Removal) -> None:
    """Targets first, in all of the domain; then on one domain controller after the other."""
    made = [(change["resource"], change["subject"]) for change in removal.whole.changes]
    waves = [name for resource, name in made if resource == "domain_controller_restart"]
    assert sorted(waves) == [fqdn("dc01"), fqdn("dc02")]
    steps = [(resource, name) for resource, name in made if resource in (*ORDER, "pcns_target")]
    targets = [resource for resource, _name in steps].count("pcns_target")
    assert targets == 2
    assert [resource for resource, _name in steps[:2]] == ["pcns_target", "pcns_target"]
    expected = [(resource, name) for name in waves for resource in ORDER]
    assert steps[2 : 2 + len(expected)] == expected
    # Then only the host of the lock, whose folder was in use until now.
    assert {resource for resource, _name in steps[2 + len(expected) :]} <= {"host_remains"}
    assert removal.boots == {"sso01": 0, "dc01": 1, "dc02": 1, "dc03": 0}


def test_check_mode_predicts_it(removal: Removal) -> None:
    """Except what concerns the lock of the rollout, which check mode does not take."""
    assert removal.check.exit_code == 0, removal.check.output

    def comparable(run: Run) -> list[Mapping[str, Any]]:
        found = [change for change in run.changes if change["resource"] != "rollout_lock"]
        return list({str(sorted(identities([change]))): change for change in found}.values())

    predicted, made = identities(comparable(removal.check)), identities(comparable(removal.whole))
    assert (predicted - made, made - predicted) == ({}, {})


def test_a_second_removal_changes_nothing(removal: Removal) -> None:
    assert removal.again.exit_code == 0, removal.again.output
    assert removal.again.changes == []
    assert differences(removal.after, removal.at_last) == set()
