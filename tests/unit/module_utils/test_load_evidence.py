# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether LSA has loaded a package: each kind of evidence, and its grade."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ansible_collections.entsso.password_sync.plugins.module_utils._load_evidence import LoadEvidence, grade_load
from ansible_collections.entsso.password_sync.plugins.module_utils.codec._eventlog import Event

BOOT = datetime(2026, 1, 2, 3, 0, tzinfo=UTC)
AFTER, BEFORE = BOOT + timedelta(minutes=1), BOOT - timedelta(days=1)


def event(event_id: int, *data: str, provider: str = "x", time: datetime = AFTER) -> Event:
    return Event("Security", provider, event_id, 0, 1, time, "dc01", data)


def grade(
    *events: Event,
    registered: bool = True,
    installed: bool = True,
    created: datetime | None = BEFORE,
    by_us: datetime | None = None,
    boot: datetime | None = BOOT,
    installed_by_us: datetime | None = None,
    taken_out_by_us: datetime | None = None,
    refusals_readable: bool = True,
) -> LoadEvidence:
    return grade_load(
        "PCNSFLT",
        registered=registered,
        installed=installed,
        boot_time=boot,
        file_created=created,
        registered_by_us=by_us,
        installed_by_us=installed_by_us,
        taken_out_by_us=taken_out_by_us,
        refusals_readable=refusals_readable,
        events=events,
    )


@pytest.mark.parametrize("name", ["PCNSFLT", "pcnsflt", "pcnsflt.dll", r"C:\Windows\System32\pcnsflt.dll"])
def test_event_4614_proves_loading_whatever_the_spelling(name: str) -> None:
    result = grade(event(4614, name), registered=False, created=AFTER)
    assert (result.loaded, result.grade) == ("yes", "proved")


def test_event_2201_of_pcns_proves_loading() -> None:
    assert grade(event(2201, provider="PCNSSVC"), created=AFTER).grade == "proved"
    assert grade(event(2201, provider="other"), created=AFTER).loaded == "no"


def test_event_16953_is_a_refusal() -> None:
    result = grade(event(16953, r"PCNSFLT", "577"))
    assert (result.loaded, result.blocked, result.grade) == ("no", True, "proved")


def test_a_refusal_of_another_package_is_not_ours() -> None:
    assert grade(event(16953, "other", "577")).loaded == "yes"


def test_lsa_that_logs_others_and_not_ours_has_not_loaded_it() -> None:
    result = grade(event(4614, "scecli"))
    assert (result.loaded, result.grade, result.blocked) == ("no", "proved", False)


def test_events_before_the_boot_prove_nothing() -> None:
    assert grade(event(4614, "PCNSFLT", time=BEFORE), created=AFTER).loaded == "no"
    assert grade(event(16953, "PCNSFLT", time=BEFORE)).blocked is False


@pytest.mark.parametrize(
    ("registered", "installed", "created", "by_us", "expected"),
    [
        (True, True, BEFORE, None, ("yes", "inferred")),
        (True, True, AFTER, None, ("no", "inferred")),
        (True, True, BOOT, None, ("no", "inferred")),
        (True, True, None, None, ("unknown", "")),
        (True, False, None, None, ("no", "inferred")),
        (False, True, BEFORE, None, ("unknown", "")),
        (False, True, AFTER, None, ("no", "inferred")),
        (True, True, BEFORE, AFTER, ("unknown", "")),
        (True, True, BEFORE, BEFORE, ("yes", "inferred")),
    ],
)
def test_without_events_the_age_of_the_file_decides(
    registered: bool, installed: bool, created: datetime | None, by_us: datetime | None, expected: tuple[str, str]
) -> None:
    result = grade(registered=registered, installed=installed, created=created, by_us=by_us)
    assert (result.loaded, result.grade) == expected


def test_without_a_boot_time_nothing_is_known() -> None:
    assert grade(event(4614, "PCNSFLT"), boot=None).loaded == "unknown"


def test_what_lsa_loaded_before_we_installed_it_is_something_else() -> None:
    later = AFTER + timedelta(minutes=1)
    assert grade(event(4614, "PCNSFLT"), installed_by_us=later).loaded == "no"
    assert grade(event(4614, "PCNSFLT"), installed_by_us=BEFORE).loaded == "yes"


def test_a_refusal_that_could_not_be_seen_leaves_it_unknown() -> None:
    assert grade(refusals_readable=False).loaded == "unknown"
    assert grade(event(4614, "PCNSFLT"), refusals_readable=False).loaded == "yes"


@pytest.mark.parametrize(
    ("taken_out", "installed", "loaded"),
    [
        # Before the boot: LSA had nothing to load. After it: it runs what it loaded.
        (BEFORE, None, "no"),
        (AFTER, None, "yes"),
        (None, None, "unknown"),
        # Installed again since: whoever took it out then was not us.
        (BEFORE, BEFORE + timedelta(hours=1), "unknown"),
    ],
)
def test_an_entry_that_we_took_out_tells_by_its_time(
    taken_out: datetime | None, installed: datetime | None, loaded: str
) -> None:
    result = grade(registered=False, taken_out_by_us=taken_out, installed_by_us=installed)
    assert result.loaded == loaded
    assert result.grade == ("" if loaded == "unknown" else "inferred")
