# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the rollout's guide and runbooks name is there: playbooks, variables, options, controls, states, links."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import yaml
from ansible.cli.playbook import PlaybookCLI
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.entsso.password_sync.plugins.module_utils._arguments import ROLLOUT_PLAN
from ansible_collections.entsso.password_sync.plugins.module_utils._capture import CaptureState
from ansible_collections.entsso.password_sync.plugins.module_utils.judge._controls import CONTROLS
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_table import duration

ROOT = Path(__file__).resolve().parents[2]
GUIDE = ROOT / "docs" / "rollout.md"
RUNBOOKS = ROOT / "docs" / "runbooks"
PAGES = [GUIDE, *sorted(RUNBOOKS.glob("*.md"))]
SUBJECTS = {
    "does-not-boot",
    "new-domain-controller",
    "restored-from-backup",
    "upgrade",
    "decommission",
    "loop-breaker",
    "stop-and-roll-back",
}
STATES = re.compile(r"`(restart_pending|unregistered|blocked|loaded|working|absent|exempt)`")
NAMES = re.compile(r"\b(?:pcns|password_sync|sso)_[a-z_]+")
PLAYBOOK = re.compile(r"entsso\.password_sync\.(\w+)")

pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)


@cache
def _variables() -> frozenset[str]:
    """Returns the options of the roles' entry points, and what plays and modules read from the inventory."""
    known: set[str] = set()
    for path in (ROOT / "roles").glob("*/meta/argument_specs.yml"):
        for entry in yaml.safe_load(path.read_text(encoding="utf-8"))["argument_specs"].values():
            known |= set(entry["options"])
    for folder in ("playbooks", "roles", "plugins"):
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in (".py", ".yml"):
                known |= set(NAMES.findall(path.read_text(encoding="utf-8")))
    return frozenset(known)


def _commands(page: Path) -> Iterator[list[str]]:
    """Yields every command for the control node, as a shell splits it."""
    text = page.read_text(encoding="utf-8")
    blocks = re.findall(r"^```shell\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    inline = re.findall(r"`(ansible-playbook [^`]+)`", text)
    for line in "\n".join([*blocks, *inline]).replace("\\\n", " ").splitlines():
        if line.strip():
            yield shlex.split(line, comments=True)


@pages
def test_every_command_is_one_that_ansible_takes(page: Path) -> None:
    for command in _commands(page):
        if command[0] == "sha256sum":
            continue
        assert command[0] == "ansible-playbook", command
        cli = PlaybookCLI(command)
        cli.init_parser()
        options = cli.parser.parse_args(command[1:])
        (playbook,) = options.args
        match = PLAYBOOK.fullmatch(playbook)
        assert match, playbook
        assert (ROOT / "playbooks" / f"{match[1]}.yml").is_file(), playbook
        assert options.inventory == ["inventory"]
        for given in options.extra_vars:
            assert given.partition("=")[0] in _variables(), given


@pages
def test_there_is_something_to_type(page: Path) -> None:
    assert list(_commands(page))


@pages
def test_every_variable_exists(page: Path) -> None:
    named = set(NAMES.findall(page.read_text(encoding="utf-8").replace("entsso.password_sync.", "")))
    assert named - _variables() == set()


@pages
def test_every_playbook_or_module_exists(page: Path) -> None:
    known = {path.stem for folder in ("playbooks", "plugins/modules") for path in (ROOT / folder).iterdir()}
    assert set(PLAYBOOK.findall(page.read_text(encoding="utf-8"))) - known == set()


@pages
def test_every_control_exists(page: Path) -> None:
    named = set(re.findall(r"\b(?:PCNS|SSO)-\d{3}\b", page.read_text(encoding="utf-8")))
    assert named <= {control.id for control in CONTROLS}


@pages
def test_every_capture_state_exists(page: Path) -> None:
    assert set(STATES.findall(page.read_text(encoding="utf-8"))) <= {str(state) for state in CaptureState}


@pages
def test_links_lead_to_files(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).is_file(), target


@pages
def test_a_page_is_a_page(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert len(text.split()) <= (1900 if page == GUIDE else 600)
    assert max(len(line) for line in text.splitlines() if not line.startswith(("|", " ", "1 ", "2 "))) <= 200


def test_every_runbook_is_there_and_linked() -> None:
    assert {path.stem for path in RUNBOOKS.glob("*.md")} == SUBJECTS
    linked = set(re.findall(r"\]\(runbooks/([\w-]+)\.md\)", GUIDE.read_text(encoding="utf-8")))
    assert linked == SUBJECTS


def test_the_policy_is_the_one_that_rollout_plan_takes() -> None:
    text = GUIDE.read_text(encoding="utf-8")
    known = ROLLOUT_PLAN["policy"]["options"]
    table = text.partition("## The policy")[2].partition("Holders of")[0]
    named = {
        name for row in re.findall(r"^\| (`.*?) \|", table, flags=re.MULTILINE) for name in re.findall(r"`(\w+)`", row)
    }
    assert named == set(known) - {"assume_available"}
    (example,) = re.findall(r"^```yaml\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)
    policy = yaml.safe_load(example)["pcns_rollout_policy"]
    assert ArgumentSpecValidator(known).validate(policy).error_messages == []


def test_the_worst_case_is_the_one_that_is_planned_with() -> None:
    told = duration(ROLLOUT_PLAN["worst_case_seconds"]["default"])
    text = GUIDE.read_text(encoding="utf-8")
    assert f"the sum of all deadlines, {told} " in " ".join(text.split())
    assert set(re.findall(r"\d+ h \d+ min", text)) == {told}


def test_the_line_that_people_wait_for_is_printed() -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "plugins").rglob("*.py"))
    for page in (GUIDE, RUNBOOKS / "stop-and-roll-back.md"):
        assert "`Wave 2 of 5 starts" in page.read_text(encoding="utf-8")
    assert re.search(r"Wave \{[^}]+\} of \{[^}]+\} starts", code)
