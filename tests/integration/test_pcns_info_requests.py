# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `pcns_info` and a preflight cost a domain controller, and that docs/requests.md says so."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import pytest
from integration.request_list import ROOT, TWO, Listing, close_security_log, install, pcns_info, preflight

from lab.forest import Forest

TEXT = (ROOT / "docs" / "requests.md").read_text(encoding="utf-8")
MOST_REQUESTS, MOST_BYTES = 24, 60_000


@pytest.fixture(scope="module")
def listings() -> Iterator[Mapping[str, Listing]]:
    with Forest() as forest:
        install(forest, "dc02")
        install(forest, "dc03", TWO)
        found = {
            "nothing installed, one package wanted": pcns_info(forest, "dc01"),
            "nothing installed, two packages wanted": pcns_info(forest, "dc01", TWO),
            "one package installed": pcns_info(forest, "dc02"),
            "two packages installed": pcns_info(forest, "dc03", TWO),
        }
        close_security_log(forest, "dc01")
        found["nothing installed, two packages wanted, Security log not readable"] = pcns_info(forest, "dc01", TWO)
        yield found


def _rows(heading: str) -> list[list[str]]:
    table = TEXT.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in table.splitlines() if line.startswith("| ") and not line.startswith("| ---")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]


def _named(operation: str, subject: str) -> str:
    """A request without what differs from package to package."""
    text = f"{operation} {subject}".replace("HKLM\\", "")
    text = re.sub(r"\{[0-9A-F-]{36}\}", "{product code}", text)
    return re.sub(r"UpgradeCodes\\[0-9A-F]{32}", r"UpgradeCodes\\{upgrade code}", text)


def test_states_are_as_expected(listings: Mapping[str, Listing]) -> None:
    assert {name: listing.state for name, listing in listings.items()} == {
        "nothing installed, one package wanted": "absent",
        "nothing installed, two packages wanted": "absent",
        # Without a PCNS configuration in the directory the service does not stay up.
        "one package installed": "loaded",
        "two packages installed": "loaded",
        "nothing installed, two packages wanted, Security log not readable": "absent",
    }


def test_cost_stays_below_the_limits_and_no_process_starts(listings: Mapping[str, Listing]) -> None:
    for name, listing in listings.items():
        assert 0 < len(listing.requests) <= MOST_REQUESTS, name
        assert listing.sent <= MOST_BYTES, name
        assert listing.processes == 0, name


def test_every_request_is_explained(listings: Mapping[str, Listing]) -> None:
    sent = {_named(item.operation, item.subject) for listing in listings.values() for item in listing.requests}
    explained = {row[0].strip("`") for row in _rows("Each request, and why")}
    assert sent == explained


def test_numbers_are_the_measured_ones(listings: Mapping[str, Listing]) -> None:
    rows = {row[0]: row[1:4] for row in _rows("Numbers")}
    assert rows == {
        name: [str(len(item.requests)), f"{item.sent / 1000:.1f}", str(item.logon)] for name, item in listings.items()
    }


def test_a_preflight_sends_what_pcns_info_does_and_what_the_page_says_besides(listings: Mapping[str, Listing]) -> None:
    with Forest() as forest:
        found = preflight(forest, "dc01")
    assert found.state == "go"
    assert found.processes == 0
    known = listings["nothing installed, one package wanted"]
    shared = [_named(item.operation, item.subject) for item in known.requests]
    sent = [_named(item.operation, item.subject) for item in found.requests]
    assert sent[: len(shared)] == shared
    assert set(sent[len(shared) :]) == {row[0].strip("`") for row in _rows("Before a rollout")}
    numbers = f"{len(found.requests)} requests and {found.sent / 1000:.1f} KB"
    assert numbers in TEXT
