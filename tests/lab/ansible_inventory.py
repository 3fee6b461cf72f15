# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shipped examples of inventories, run as a user runs them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "docs" / "examples"


def example(name: str, folder: Path, **more: Any) -> Path:
    """Writes a shipped example with what the place of this test makes necessary; None takes an option away."""
    data = yaml.safe_load((EXAMPLES / name).read_text(encoding="utf-8")) | more
    path = folder / name
    path.write_text(
        yaml.safe_dump({key: value for key, value in data.items() if value is not None}, allow_unicode=True),
        encoding="utf-8",
    )
    return path


def listed(path: Path, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs ansible-inventory --list with nothing of the caller's Ansible but its collections."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    configuration = folder / "ansible.cfg"
    configuration.write_text(
        "[inventory]\nenable_plugins = microsoft.ad.ldap, auto\nany_unparsed_is_failed = true\n", encoding="utf-8"
    )
    here = [entry for entry in sys.path if (Path(entry) / "ansible_collections").is_dir()]
    return subprocess.run(
        [str(Path(sys.executable).parent / "ansible-inventory"), "-i", str(path), "--list"],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        env={
            **inherited,
            "ANSIBLE_CONFIG": str(configuration),
            "ANSIBLE_HOME": str(folder / "home"),
            "ANSIBLE_COLLECTIONS_PATH": os.pathsep.join(here),
            "ANSIBLE_NOCOLOR": "1",
            "LC_ALL": "C.UTF-8",
            **environment,
        },
    )


def read(path: Path, folder: Path, **environment: str) -> dict[str, Any]:
    """Returns what ansible-inventory lists."""
    done = listed(path, folder, **environment)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout, object_hook=_plain)
    return found


def _plain(data: dict[str, Any]) -> object:
    """Takes off what marks text of strangers, which Ansible then does not take for a template."""
    return data["__ansible_unsafe"] if set(data) == {"__ansible_unsafe"} else data


def hosts(inventory: Mapping[str, Any], group: str) -> set[str]:
    """Returns the hosts of a group and of those within it."""
    data = inventory.get(group, {})
    return set(data.get("hosts", ())).union(*(hosts(inventory, child) for child in data.get("children", ())))


def variables(inventory: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Returns the variables of a host."""
    found: Mapping[str, Any] = inventory["_meta"]["hostvars"][name]
    return found
