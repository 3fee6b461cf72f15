# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The base of the actions: one way through observe, plan, apply and verify for every module."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, NoReturn

from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure, AnsibleError
from ansible.module_utils.common.parameters import remove_values
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import (
    AuthenticationRejected,
    DeadlineExceeded,
    HostError,
    HostUnreachable,
    NotWindows,
    OutcomeUnknown,
)
from ansible_collections.entsso.password_sync.plugins.module_utils._plan import (
    Change,
    Effect,
    Estate,
    PlanError,
    differences,
    observation_json,
    overlay,
)
from ansible_collections.entsso.password_sync.plugins.module_utils._state_types import STATE_TYPES
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._ldap_settings import (
    is_configured,
    ldap_settings,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils._resource import Managed, Resource, Task
from ansible_collections.entsso.password_sync.plugins.plugin_utils._run_folder import run_folder
from ansible_collections.entsso.password_sync.plugins.plugin_utils.connection._preload import preload
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._directory import Directory
from ansible_collections.entsso.password_sync.plugins.plugin_utils.directory._directory_settings import (
    directory_variables,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._host import open_host

PLANNED_FACT = "entsso_password_sync_planned"
"""Host fact with the effects of the changes that this run planned in check mode."""

UNREACHABLE_IS_FAILURE = "password_sync_unreachable_is_failure"
"""Variable of plays that must survive a host that stops answering: it fails there, so that `rescue` sees it."""

OBSERVE_ONLY = "password_sync_observe_only"
"""Variable of plays that judge: only what is observed counts there, not what this run planned in check mode."""

UNREACHABLE = (HostUnreachable, AuthenticationRejected, NotWindows)
"""Errors that Ansible counts as unreachable."""

_ITEMS: dict[str, list[Effect]] = {}
"""By task, what the items of its loop planned in check mode. Ansible runs them in one process, which is the task's own,
and hands their facts on only when the last has ended."""

display = Display()
preload()


class WindowsAction(ActionBase):
    """An action that works on a Windows host over Ansible's own connection.

    Subclasses name the argument specification that the module of the same name hands to AnsibleModule.
    """

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = False

    argument_spec: ClassVar[Mapping[str, Any]] = {}
    constraints: ClassVar[Mapping[str, Any]] = {}

    _secrets: set[str]

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Runs the task; see Ansible's ActionBase."""
        task_vars = task_vars or {}
        result: dict[str, Any] = super().run(tmp, task_vars)
        arguments, self._secrets = self._arguments()
        subject = str(self._task.delegate_to or task_vars.get("inventory_hostname", ""))
        task = Task(
            subject=subject,
            arguments=arguments,
            check_mode=bool(self._task.check_mode),
            say=lambda text: display.display(f"{subject}: {text}", color="blue"),
            warn=lambda text: display.warning(f"{subject}: {text}"),
            find_file=self._find_file,
        )
        try:
            result.update(self._perform(task, task_vars))
        except (PlanError, HostError) as error:
            if not task_vars.get(OBSERVE_ONLY) or isinstance(error, UNREACHABLE):
                self._raise(error, task_vars)
            # A check judges what can't be read as unknown and goes on.
            result.update({"changed": False, "msg": str(error)})
        censored: dict[str, Any] = remove_values(result, self._secrets)
        return censored

    def _raise(self, error: PlanError | HostError, task_vars: Mapping[str, Any]) -> NoReturn:
        if isinstance(error, PlanError):
            raise self._failure(error.reason, error.remedy, {"subject": error.subject}) from None
        if isinstance(error, UNREACHABLE) and not task_vars.get(UNREACHABLE_IS_FAILURE):
            raise AnsibleConnectionFailure(str(error)) from None
        raise self._failure(str(error), "", {"host": error.host}) from None

    def _perform(self, task: Task, task_vars: Mapping[str, Any]) -> dict[str, Any]:
        """Does the work of the action and returns its result."""
        raise NotImplementedError

    def _directory_or_none(self, task_vars: Mapping[str, Any]) -> Directory | None:
        """Returns the directory that the variables name, of which nothing is opened yet; None where they name none.

        Raises:
            UnsupportedConnection: The variables contradict each other, or would show the password.
        """
        options = self._directory_variables(task_vars)
        return Directory(ldap_settings(options), run_folder()) if is_configured(options) else None

    def _directory_variables(self, task_vars: Mapping[str, Any]) -> dict[str, Any]:
        options = directory_variables(task_vars, self._templar.template)
        if options.get("password"):
            self._secrets.add(str(options["password"]))
        return options

    def _arguments(self) -> tuple[dict[str, Any], set[str]]:
        try:
            validate: Any = self.validate_argument_spec
            validation, arguments = validate(argument_spec=dict(self.argument_spec), **self.constraints)
        except AnsibleError as error:
            text = str(error).replace(f"({self._load_name})", f"({self._task.action})")
            raise AnsibleActionFail(text) from None
        return arguments, set(validation._no_log_values)

    def _find_file(self, path: str) -> str:
        try:
            find: Any = self._find_needle
            return str(find("files", path))
        except AnsibleError:
            raise self._failure(
                f"The file {path} was not found on the control node.",
                "Give a full path, or a path relative to the playbook's `files` folder; "
                "set `remote_src` to true when the file is on the Windows host.",
                {},
            ) from None

    @staticmethod
    def _failure(reason: str, remedy: str, details: Mapping[str, Any]) -> AnsibleActionFail:
        message = f"{reason} {remedy}".strip()
        return AnsibleActionFail(message, result={"changed": False, **details})


class ConvergingAction(WindowsAction):
    """An action that brings something to its wanted state, wherever that is."""

    def _converge(self, resource: Managed, task: Task, task_vars: Mapping[str, Any]) -> dict[str, Any]:
        """Observes, plans, applies and verifies; in check mode the first two. Returns the result."""
        estate = Estate(resource.observe(), STATE_TYPES)
        items = self._planned_by_items()
        if task.check_mode and not task_vars.get(OBSERVE_ONLY):
            estate = overlay(estate, planned_effects(task_vars, others=resource.shared) + items)
        changes = resource.plan(estate)
        after = overlay(estate, [effect for change in changes for effect in change.effects])
        if changes and not task.check_mode:
            after = self._apply(resource, changes, after)
            self._settle(resource, changes)
        elif not changes and not task.check_mode and not task_vars.get(OBSERVE_ONLY):
            resource.tidy()
            self._settle(resource, changes)
        result: dict[str, Any] = {
            # A task that only judges says what a run would do, and foresees nothing that this run does.
            "changed": bool(changes) and not (task.check_mode and task_vars.get(OBSERVE_ONLY)),
            "changes": [change.to_json() for change in changes],
            "observed": estate_json(after),
            "msg": _message(task, changes),
            **(resource.result(estate, changes) if task.check_mode else resource.result(after, ())),
        }
        if self._task.diff:
            result["diff"] = [change_diff(change) for change in changes]
        if task.check_mode and not task_vars.get(OBSERVE_ONLY):
            items += [effect for change in changes for effect in change.effects]
            planned = [*_effects_of(task_vars), *items]
            result["ansible_facts"] = {PLANNED_FACT: [effect.to_json() for effect in planned]}
        return result

    def _planned_by_items(self) -> list[Effect]:
        """Returns what the items before this one have planned, to be added to; empty where there is no loop."""
        task = getattr(self._task, "_uuid", None)
        return _ITEMS.setdefault(task, []) if isinstance(task, str) else []

    def _apply(self, resource: Managed, changes: tuple[Change, ...], projected: Estate) -> Estate:
        done: list[Change] = []
        try:
            for change in changes:
                resource.apply(change)
                done.append(change)
        except HostError as error:
            raise self._failure(
                str(error),
                "",
                {
                    "changed": bool(done) or isinstance(error, (DeadlineExceeded, OutcomeUnknown)),
                    "changes": [change.to_json() for change in done],
                },
            ) from None
        observed = Estate(resource.observe(), STATE_TYPES)
        wrong = differences(projected, observed, changes)
        if wrong:
            raise AnsibleActionFail(
                f"On {resource.task.subject} the change was made, and what is observed now is not what was planned: "
                f"{'; '.join(str(item) for item in wrong)}. Find out what undid or refused it there, then run again.",
                result={"changed": True, "changes": [change.to_json() for change in changes]},
            )
        return observed

    def _settle(self, resource: Managed, changes: tuple[Change, ...]) -> None:
        try:
            resource.settle()
        except HostError as error:
            details = {"changed": bool(changes), "changes": [change.to_json() for change in changes]}
            raise self._failure(str(error), "", details) from None


class ResourceAction(ConvergingAction):
    """An action that manages one resource on a host."""

    resource: ClassVar[type[Resource]]

    def _perform(self, task: Task, task_vars: Mapping[str, Any]) -> dict[str, Any]:
        with open_host(self._connection, task_vars, name=task.subject) as host:
            return self._converge(self.resource(host, task), task, task_vars)


def planned_effects(task_vars: Mapping[str, Any], *, others: bool = False) -> list[Effect]:
    """Returns the effects that this run planned in check mode.

    Args:
        task_vars: The task's variables.
        others: Whether those of all other hosts come first.
    """
    if task_vars.get(OBSERVE_ONLY):
        return []
    hostvars = task_vars.get("hostvars")
    own = str(task_vars.get("inventory_hostname", ""))
    effects: list[Effect] = []
    if others and hostvars is not None:
        for name in hostvars:
            if name != own:
                effects += _effects_of(hostvars.raw_get(name))
    return effects + _effects_of(task_vars)


def _effects_of(variables: Mapping[str, Any]) -> list[Effect]:
    facts = variables.get("ansible_facts") or {}
    planned: Iterable[Mapping[str, Any]] = facts.get(PLANNED_FACT) or []
    return [Effect.from_json(json.loads(json.dumps(item))) for item in planned]


def estate_json(estate: Estate) -> list[dict[str, Any]]:
    """Returns an estate in the form that modules return."""
    listed = []
    for key in estate.objects():
        observation = observation_json(estate.get(key))
        listed.append({"scope": key.scope, "resource": key.resource, "name": key.name, "observed": observation})
    return listed


def change_diff(change: Change) -> dict[str, str]:
    """Returns a change in the form of Ansible's diff mode."""
    title = f"{change.subject}: {change.resource} {change.name}"
    before = "".join(f"{name}: {json.dumps(value)}\n" for name, value in sorted(change.old.items()))
    after = "".join(f"{name}: {json.dumps(value)}\n" for name, value in sorted(change.new.items()))
    implied = "".join(f"# implies: {item.value}\n" for item in sorted(change.implies))
    return {
        "before_header": title,
        "after_header": f"{title} ({change.operation.value})",
        "before": before,
        "after": after + implied,
    }


def _message(task: Task, changes: tuple[Change, ...]) -> str:
    if not changes:
        return f"{task.subject} is as wanted."
    verb = "would change" if task.check_mode else "changed"
    return f"{task.subject} {verb}: {'; '.join(change.sentence() for change in changes)}."
