# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a role declares, what it defaults to and what its README says are the same."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.entsso.password_sync.plugins.module_utils import _arguments

ROLES = Path(__file__).resolve().parents[2] / "roles"
NAMES = sorted(path.name for path in ROLES.iterdir() if path.is_dir())
INTERNAL = {
    ("password_sync_adapters", "confirm"),
    ("password_sync_adapters", "write"),
    ("pcns", "converge"),
    ("pcns", "permitted"),
    ("pcns", "remove"),
    ("pcns", "named"),
    ("pcns_directory", "remove_targets"),
}
"""Task files that only their own role includes, so that nobody calls them as an entry point."""

Options = Mapping[str, Mapping[str, Any]]


def _yaml(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def _entry_points(role: str) -> Mapping[str, Options]:
    specs = _yaml(ROLES / role / "meta" / "argument_specs.yml")["argument_specs"]
    return {name: spec["options"] for name, spec in specs.items()}


def _all_options(role: str) -> Options:
    return {name: option for options in _entry_points(role).values() for name, option in options.items()}


def _walk(options: Options) -> Iterator[Mapping[str, Any]]:
    for option in options.values():
        yield option
        yield from _walk(option.get("options", {}))


def test_there_are_roles() -> None:
    assert len(NAMES) == 5


@pytest.mark.parametrize("role", NAMES)
def test_every_task_file_is_an_entry_point_with_arguments(role: str) -> None:
    files = {path.stem for path in (ROLES / role / "tasks").glob("*.yml")}
    internal = {name for owner, name in INTERNAL if owner == role}
    assert set(_entry_points(role)) == files - internal


@pytest.mark.parametrize("role", NAMES)
def test_defaults_are_the_declared_ones(role: str) -> None:
    defaults = _yaml(ROLES / role / "defaults" / "main.yml") or {}
    own = {name: option for name, option in _all_options(role).items() if name.startswith(f"{role}_")}
    assert set(defaults) <= set(own), "a default of something that is not declared"
    for name, option in own.items():
        assert not (option.get("required") and name in defaults), f"{name} is required and has a default"
        value = defaults.get(name)
        if isinstance(value, str) and "{{" in value:
            assert "default" not in option, f"{name}: a default that is computed is told in words"
            continue
        assert option.get("default") == value, name


@pytest.mark.parametrize("role", NAMES)
def test_options_mean_the_same_at_every_entry_point(role: str) -> None:
    points = list(_entry_points(role).values())
    for options in points:
        for name, option in options.items():
            assert all(other.get(name, option) == option for other in points), name


@pytest.mark.parametrize("role", NAMES)
def test_every_option_has_a_type_and_a_description(role: str) -> None:
    for option in _walk(_all_options(role)):
        assert option.get("type"), option
        assert option.get("description"), option
        assert option["type"] != "list" or option.get("elements"), option


@pytest.mark.parametrize("role", NAMES)
def test_readme_names_every_variable_and_no_other(role: str) -> None:
    text = (ROLES / role / "README.md").read_text(encoding="utf-8")
    rows = set(re.findall(r"^\| `([a-z_0-9]+)` \|", text, flags=re.MULTILINE))
    assert rows == set(_all_options(role))
    for heading in ("Example", "What it changes", "Idempotence", "Check mode", "Rollback", "Rights"):
        assert f"\n## {heading}\n" in text, heading


@pytest.mark.parametrize("role", NAMES)
def test_variables_that_are_used_are_declared(role: str) -> None:
    used: set[str] = set()
    registered: set[str] = set()
    for folder in ("tasks", "vars"):
        for path in (ROLES / role / folder).glob("*.yml"):
            text = path.read_text(encoding="utf-8")
            used |= set(re.findall(rf"(?<![\w.]){role}_[a-z_0-9]+", text))
            registered |= set(re.findall(r"^\s+register: (\w+)$", text, flags=re.MULTILINE))
    # One role's name begins with the other's: pcns_directory_targets is none of pcns.
    foreign = {name for name in used for other in NAMES if other.startswith(f"{role}_") and name.startswith(other)}
    assert used - registered - foreign <= set(_all_options(role))


def _shape(options: Options) -> dict[str, Any]:
    """Types, elements, choices and nesting; what is required or default may differ between a role and a module."""
    return {
        name: {
            **{key: option.get(key) for key in ("type", "elements", "choices")},
            "options": _shape(option.get("options", {})),
        }
        for name, option in options.items()
    }


def test_packages_have_the_form_that_the_module_takes() -> None:
    assert _shape(_all_options("pcns")["pcns_packages"]["options"]) == _shape(_arguments.PACKAGE)


def test_targets_have_the_form_that_the_module_takes() -> None:
    role = _shape(_all_options("pcns_directory")["pcns_directory_targets"]["options"])
    module = _shape(_arguments.PCNS_TARGET)
    assert role == {name: module[name] for name in role}
    assert set(module) - set(role) == {"queues", "discard_queue", "systems", *_arguments.PCNSCFG_TOOL}


def test_configuration_has_the_form_that_the_module_takes() -> None:
    role = _shape(_all_options("pcns_directory")["pcns_directory_configuration"]["options"])
    module = _shape(_arguments.PCNS_CONFIGURATION)
    assert role == {name: option for name, option in module.items() if name not in _arguments.PCNSCFG_TOOL}


def test_applications_and_adapters_have_the_form_that_the_module_takes() -> None:
    options = _all_options("password_sync_adapters")
    assert _shape(options["password_sync_adapters_applications"]["options"]) == _shape(_arguments.APPLICATION)
    adapters = _shape(options["password_sync_adapters_items"]["options"])
    module = _shape(_arguments.ADAPTER)
    assert {name: adapters[name] for name in module} == module


@pytest.mark.parametrize(
    ("role", "prefix", "specification"),
    [
        ("pcns", "pcns_restart_", _arguments.DOMAIN_CONTROLLER_RESTART),
        ("pcns", "pcns_", _arguments.MSI_PACKAGE),
        ("sso_password_sync", "sso_password_sync_", _arguments.SSO_FEATURE),
        ("password_sync_compliance", "password_sync_compliance_", _arguments.COMPLIANCE_REPORT),
    ],
)
def test_role_defaults_are_the_defaults_of_the_modules(role: str, prefix: str, specification: Options) -> None:
    compared = 0
    for name, option in _all_options(role).items():
        argument = specification.get(name.removeprefix(prefix))
        if argument is None or "default" not in option or "default" not in argument:
            continue
        compared += 1
        assert (option["type"], option["default"]) == (argument["type"], argument["default"]), name
    assert compared
