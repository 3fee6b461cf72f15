# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SMB is quick enough: the same file, settings and server as Debian's smbclient."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks import transfer

pytestmark = pytest.mark.needs("smbd", "smbpasswd", "smbclient", "root", "smbprotocol")


def test_at_least_the_promised_part_of_what_smbclient_reaches(tmp_path: Path) -> None:
    """Best of several rounds of each: other tests run beside this one, and `make bench` runs alone."""
    speeds = [transfer.smb(tmp_path, 64 * transfer.MB, rounds=2)]
    while transfer.best(speeds).ratio < transfer.PROMISED_RATIO and len(speeds) < 4:
        speeds.append(transfer.smb(tmp_path, 64 * transfer.MB, rounds=2))
    assert transfer.best(speeds).ratio >= transfer.PROMISED_RATIO, speeds
