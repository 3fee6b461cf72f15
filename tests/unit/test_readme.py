# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the README promises is there: files, playbooks, variables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
INVENTORY = {
    match[1]: yaml.safe_load(match[2])
    for match in re.finditer(r"^```yaml\n# (inventory/\S+)\n(.*?)^```$", TEXT, flags=re.MULTILINE | re.DOTALL)
}
GROUPS = ("all", "domain_controllers", "sso_servers")
USED_BY = {
    ("pcns", "main"): "domain_controllers",
    ("pcns", "validate"): "domain_controllers",
    ("pcns", "observe"): "domain_controllers",
    ("pcns", "preflight"): "domain_controllers",
    ("pcns", "apply"): "domain_controllers",
    ("pcns", "confirm_removal"): "domain_controllers",
    ("pcns", "forest"): "domain_controllers",
    ("pcns", "health"): "domain_controllers",
    ("pcns", "plan"): "domain_controllers",
    ("pcns", "wave"): "domain_controllers",
    ("pcns_directory", "main"): "domain_controllers",
    ("pcns_directory", "validate"): "domain_controllers",
    ("pcns_directory", "enable"): "domain_controllers",
    ("pcns_directory", "drain"): "domain_controllers",
    ("pcns_directory", "foresee"): "domain_controllers",
    ("pcns_directory", "names"): "domain_controllers",
    ("pcns_directory", "remove"): "domain_controllers",
    ("pcns_directory", "schema"): "domain_controllers",
    ("pcns_directory", "observe"): "domain_controllers",
    ("sso_password_sync", "main"): "sso_servers",
    ("sso_password_sync", "validate"): "sso_servers",
    ("password_sync_adapters", "main"): "sso_servers",
    ("password_sync_adapters", "validate"): "sso_servers",
    ("password_sync_adapters", "observe"): "sso_servers",
    ("password_sync_compliance", "main"): "sso_servers",
}


def _options(role: str, entry: str) -> Mapping[str, Any]:
    specs = yaml.safe_load((ROOT / "roles" / role / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))
    options: Mapping[str, Any] = specs["argument_specs"][entry]["options"]
    return options


def _variables(group: str) -> dict[str, Any]:
    return {**INVENTORY["inventory/group_vars/all.yml"], **INVENTORY[f"inventory/group_vars/{group}.yml"]}


def test_first_ten_lines_say_what_for_whom_and_on_what_it_ran() -> None:
    head = " ".join(TEXT.splitlines()[:10])
    for words in ("password changes", "engineer", "AD team", "simulated estate", "Not yet run on real Windows"):
        assert words in head


@pytest.mark.parametrize(
    "heading",
    [
        "Requirements",
        "Installation",
        "Playbooks",
        "Testing",
        "Support",
        "Communication",
        "Code of Conduct",
        "Release notes",
        "Licence",
        "What is not there yet",
    ],
)
def test_section_is_there(heading: str) -> None:
    assert f"\n## {heading}\n" in TEXT


@pytest.mark.parametrize(
    "path", sorted((ROOT / "docs").glob("*.md")) + sorted((ROOT / "roles").glob("*/README.md")) + [ROOT / "README.md"]
)
def test_links_lead_to_files(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", path.read_text(encoding="utf-8")):
        if not target.startswith("https://"):
            assert (path.parent / target).exists(), target


def test_every_playbook_is_in_the_table() -> None:
    table = TEXT.partition("| playbook | does | right |")[2].partition("\n\n")[0]
    named = set(re.findall(r"^\| `(\w+)` \|", table, flags=re.MULTILINE))
    assert named == {path.stem for path in (ROOT / "playbooks").glob("*.yml")}


def test_every_make_target_that_is_named_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = set(re.findall(r"`make (\w+)`", TEXT))
    assert named
    assert named <= set(re.findall(r"^(\w+): ##", makefile, flags=re.MULTILINE))


def test_inventory_has_the_groups_of_the_playbooks() -> None:
    children = INVENTORY["inventory/hosts.yml"]["all"]["children"]
    assert len(children["sso_servers"]["hosts"]) == 1
    assert set(children) == {"sso_servers", "domain_controllers"}
    assert set(children["domain_controllers"]["children"]) == {"rodc"}
    assert len(INVENTORY["inventory/group_vars/domain_controllers.yml"]["pcns_directory_targets"]) == 1
    assert len(INVENTORY["inventory/group_vars/sso_servers.yml"]["password_sync_adapters_items"]) == 2


def test_every_variable_of_the_inventory_is_an_option_of_a_role() -> None:
    known = {name for role, entry in USED_BY for name in _options(role, entry)}
    given = {name for group in GROUPS for name in _variables(group) if not name.startswith("ansible_")}
    assert given <= known


@pytest.mark.parametrize(("role", "entry"), USED_BY, ids=str)
def test_inventory_is_enough_for_every_role(role: str, entry: str) -> None:
    options = _options(role, entry)
    given = {name: value for name, value in _variables(USED_BY[role, entry]).items() if name in options}
    result = ArgumentSpecValidator(options).validate(given, validate_role_argument_spec=True)
    assert result.error_messages == []


def test_every_entry_point_is_checked() -> None:
    points = set()
    for path in (ROOT / "roles").glob("*/meta/argument_specs.yml"):
        specs = yaml.safe_load(path.read_text(encoding="utf-8"))["argument_specs"]
        points |= {(path.parents[1].name, entry) for entry in specs}
    assert points == set(USED_BY)
