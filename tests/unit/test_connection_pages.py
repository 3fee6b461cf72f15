# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pages on connections and security name variables and files that exist, and a source for each event."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest
from ansible.plugins.loader import connection_loader, fragment_loader
from ansible.utils.plugin_docs import get_docstring
from winrm.protocol import Protocol

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = ("connections.md", "security.md", "errors.md", "rights.md")


def _variables() -> set[str]:
    """Returns every variable that Ansible's two connections take; pywinrm's arguments come as ansible_winrm_<name>."""
    found = {f"ansible_winrm_{name}" for name in inspect.signature(Protocol.__init__).parameters}
    for kind in ("winrm", "psrp"):
        path = connection_loader.find_plugin(kind)
        documentation = get_docstring(path, fragment_loader)[0]
        for option in documentation["options"].values():
            found |= {variable["name"] for variable in option.get("vars", ())}
    return found


def test_every_variable_of_a_connection_exists() -> None:
    named = set(re.findall(r"\bansible_(?:winrm|psrp)_\w+", (DOCS / "connections.md").read_text(encoding="utf-8")))
    assert len(named) >= 15
    assert named - _variables() == set()


def test_every_variable_of_this_collection_exists() -> None:
    code = "\n".join(
        path.read_text(encoding="utf-8")
        for folder in ("plugins", "roles", "playbooks")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in (".py", ".yml")
    )
    for page in PAGES:
        text = (DOCS / page).read_text(encoding="utf-8")
        for name in re.findall(r"`((?:password_sync|pcns|sso)_\w+)", text):
            assert name in code, f"{page}: {name}"


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    text = (DOCS / page).read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", text):
        assert (DOCS / target).is_file(), target


def test_every_event_has_a_source() -> None:
    text = (DOCS / "security.md").read_text(encoding="utf-8").partition("## Which events to expect")[2]
    rows = re.findall(r"^\| (\d{4,5}(?:, \d{4,5})*) \|(.*)\|$", text, flags=re.MULTILINE)
    assert len(rows) >= 8
    for number, rest in rows:
        assert re.search(r"\]\([^)]+\) *$", rest.strip()), number
