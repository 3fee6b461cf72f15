# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PCNS-009: one version everywhere is claimed only where it was read everywhere."""

from __future__ import annotations

import pytest

from ansible_collections.entsso.password_sync.plugins.module_utils.judge._finding import Status
from ansible_collections.entsso.password_sync.plugins.module_utils.judge._judge_domain_controller import judge_versions

SAME = {"dc01": {"PCNS": "1.0"}, "dc02": {"PCNS": "1.0"}, "dc03": {}}
MIXED = {"dc01": {"PCNS": "1.0"}, "dc02": {"PCNS": "2.0"}}


@pytest.mark.parametrize(
    ("versions", "unread", "status"),
    [
        (SAME, [], Status.COMPLIANT),
        (SAME, ["dc04"], Status.NOT_APPLICABLE),
        (MIXED, [], Status.MANUAL),
        (MIXED, ["dc04"], Status.MANUAL),
    ],
)
def test_one_version(versions: dict[str, dict[str, str]], unread: list[str], status: Status) -> None:
    (finding,) = judge_versions(versions, unread, "2026-11-20T02:10:31Z")
    assert finding.status is status
    assert ("Not known on dc04, as PCNS-001 or PCNS-004 says." in finding.message) is bool(unread)
    assert "1.0 on dc01" in finding.message
