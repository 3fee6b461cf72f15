# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the modules' pages say is what the actions take and return."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.testing import patch_module_args

from ansible_collections.entsso.password_sync.plugins.module_utils._plan import Change, Effect, Operation
from ansible_collections.entsso.password_sync.plugins.module_utils.judge._finding import Finding

ROOT = Path(__file__).resolve().parents[2]
COLLECTION = "ansible_collections.entsso.password_sync.plugins"
MODULES = sorted(path.stem for path in (ROOT / "plugins" / "modules").glob("*.py") if path.stem != "__init__")
READERS = ("_health", "_info", "_plan", "_preflight", "_queue", "_report", "_wave")
RESOURCES = [name for name in MODULES if not name.endswith(READERS)]
LEFT_OUT = re.compile(r"default|[Ww]ithout (it|them)|[Rr]equired together|not given is")
ATTRIBUTES = ("type", "elements", "default", "choices", "required")


def _module(name: str) -> ModuleType:
    return importlib.import_module(f"{COLLECTION}.modules.{name}")


def _action(name: str) -> Any:
    return importlib.import_module(f"{COLLECTION}.action.{name}").ActionModule


def _documentation(name: str) -> dict[str, Any]:
    """Returns a module's documentation together with its fragments, as ansible-doc puts them together."""
    page: dict[str, Any] = yaml.safe_load(_module(name).DOCUMENTATION)
    for fragment in page["extends_documentation_fragment"]:
        file, _dot, variant = fragment.removeprefix("entsso.password_sync.").partition(".")
        source = importlib.import_module(f"{COLLECTION}.doc_fragments.{file}").ModuleDocFragment
        added = yaml.safe_load(getattr(source, variant.upper() or "DOCUMENTATION"))
        for part in ("options", "attributes"):
            page[part] = {**(added.get(part) or {}), **(page.get(part) or {})}
    return page


def _examples(name: str) -> Iterator[Mapping[str, Any]]:
    """Yields the arguments of every task in the examples that calls the module."""
    for item in yaml.safe_load(_module(name).EXAMPLES):
        for task in item.get("tasks", [item]):
            if f"entsso.password_sync.{name}" in task:
                yield task[f"entsso.password_sync.{name}"] or {}


def _returned(name: str) -> dict[str, Any]:
    return dict(yaml.safe_load(_module(name).RETURN))


def _options(specification: Mapping[str, Any], documented: bool, path: str = "") -> dict[str, dict[str, Any]]:
    """Returns every option below its full name with what specification and documentation must agree on."""
    found: dict[str, dict[str, Any]] = {}
    for name, option in specification.items():
        values = {attribute: option[attribute] for attribute in ATTRIBUTES if attribute in option}
        found[path + name] = {"type": "str", "required": False, **values}
        below = option.get("suboptions" if documented else "options") or {}
        found |= _options(below, documented, f"{path}{name}.")
    return found


def _descriptions(options: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, option in options.items():
        yield path + name, option
        yield from _descriptions(option.get("suboptions") or {}, f"{path}{name}.")


def test_action_group_module_and_action_have_the_same_names() -> None:
    runtime = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text(encoding="utf-8"))
    actions = sorted(path.stem for path in (ROOT / "plugins" / "action").glob("*.py") if path.stem != "__init__")
    assert len(MODULES) >= 13
    assert actions == MODULES
    assert runtime["action_groups"]["password_sync"] == MODULES


@pytest.mark.parametrize("name", MODULES)
def test_documented_options_are_those_that_the_action_takes(name: str) -> None:
    documented = _options(_documentation(name)["options"], documented=True)
    assert documented == _options(_action(name).argument_spec, documented=False)


@pytest.mark.parametrize("name", MODULES)
def test_every_option_says_what_leaving_it_out_means(name: str) -> None:
    for path, option in _descriptions(_documentation(name)["options"]):
        text = " ".join(option["description"])
        assert text.rstrip().endswith("."), path
        if not option.get("required"):
            assert re.search(
                r"default|[Ww]ithout (it|them)|[Rr]equired together|What is not given|not given is", text
            ), path


@pytest.mark.parametrize("name", MODULES)
def test_module_hands_the_specification_of_its_action_to_ansible(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, Any] = {}

    class Recorder:
        def __init__(self, **arguments: Any) -> None:
            seen.update(arguments)

        def fail_json(self, **arguments: Any) -> None:
            seen.update(arguments)

    monkeypatch.setattr(_module(name), "AnsibleModule", Recorder)
    _module(name).main()
    action = _action(name)
    assert seen.pop("supports_check_mode") is True
    assert f"entsso.password_sync.{name} " in seen.pop("msg")
    assert seen.pop("argument_spec") == action.argument_spec
    assert seen == dict(action.constraints)


def test_module_that_is_started_as_one_fails_with_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with patch_module_args({"directory": "reports"}), pytest.raises(SystemExit) as left:
        _module("compliance_report").main()
    assert left.value.code == 1
    assert "runs on the control node as an action plugin and was started as a module" in capsys.readouterr().out


@pytest.mark.parametrize("name", MODULES)
def test_examples_are_valid_arguments(name: str) -> None:
    examples = list(_examples(name))
    assert examples
    action = _action(name)
    for arguments in examples:
        assert set(arguments) <= set(action.argument_spec)
        plain = {key: value for key, value in arguments.items() if "{{" not in str(value)}
        if plain == dict(arguments):
            result = ArgumentSpecValidator(action.argument_spec, **action.constraints).validate(plain)
            assert result.error_messages == []


@pytest.mark.parametrize("name", RESOURCES)
def test_resource_documents_what_every_resource_returns(name: str) -> None:
    returned = _returned(name)
    assert {"changes", "observed", "msg", "diff", "ansible_facts"} <= set(returned)
    assert _documentation(name)["attributes"]["check_mode"]["support"] == "full"
    assert _documentation(name)["attributes"]["diff_mode"]["support"] == "full"
    first = _returned(RESOURCES[0])
    assert returned["changes"]["description"] == first["changes"]["description"]
    assert returned["observed"]["description"] == first["observed"]["description"]


@pytest.mark.parametrize("name", MODULES)
def test_samples_have_the_form_of_what_is_returned(name: str) -> None:
    returned = _returned(name)
    for sample in (returned.get("changes") or returned.get("planned") or {}).get("sample", []):
        rebuilt = Change(
            **{**sample, "operation": Operation(sample["operation"]), "implies": frozenset()},
        )
        assert rebuilt.to_json() == {**sample, "implies": []}
    for sample in (returned.get("findings") or {}).get("sample", []):
        assert Finding.from_json(sample).to_json() == sample
    for sample in (returned.get("observed") or {}).get("sample", []):
        assert set(sample) == {"scope", "resource", "name", "observed"}
        assert "state" in sample["observed"]
    facts = (returned.get("ansible_facts") or {}).get("contains", {})
    for sample in (facts.get("entsso_password_sync_planned") or {}).get("sample", []):
        assert Effect.from_json(sample).to_json() == sample
    for value in returned.values():
        assert value["description"]
        assert value["returned"]
