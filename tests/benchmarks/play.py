# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Playbooks of one play, for measuring."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from lab.playbooks import Run

INFO = "entsso.password_sync.pcns_info"


def write_play(folder: Path, tasks: Sequence[Mapping[str, Any]]) -> Path:
    """Writes a playbook with these tasks for all domain controllers."""
    path = folder / "play.yml"
    play = {"name": "Measure", "hosts": "domain_controllers", "gather_facts": False, "tasks": list(tasks)}
    path.write_text(yaml.safe_dump([play]), encoding="utf-8")
    return path


def require(run: Run) -> None:
    """Ends the program when a run failed: a figure of a failure would be none."""
    if run.exit_code != 0:
        sys.exit(run.output[-3000:])
