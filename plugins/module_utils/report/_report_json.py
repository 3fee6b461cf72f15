# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The compliance report as JSON: for other programs, and to be read again.

The file holds the report and, for the convenience of who reads it, the verdict, the headline and the numbers that
follow from it. Reading takes only the report; what follows is derived anew.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, TypeVar

from ansible_collections.entsso.password_sync.plugins.module_utils._plan import (
    Change,
    Implication,
    JsonValue,
    Operation,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.judge._finding import CaptureState, Finding
from ansible_collections.entsso.password_sync.plugins.module_utils.report._report import (
    AdapterRow,
    DomainControllerRow,
    Report,
    headline,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.rollout._rollout_progress import (
    Rollout,
    next_step,
    progress_sentence,
)

SCHEMA_VERSION = 1
"""Raised when a reader of the version before would misunderstand the file; a new member alone does not raise it."""

_Item = TypeVar("_Item")


class ReportFormatError(ValueError):
    """What was read is not a report; the text is one sentence that says where it is wrong."""


def report_to_json(report: Report) -> dict[str, JsonValue]:
    """Returns the report as plain values, in a fixed order of members."""
    summary = report.summary
    numbers: dict[str, JsonValue] = {
        item.name: getattr(summary, item.name) for item in fields(summary) if item.name != "findings"
    }
    numbers["findings"] = {status.value: number for status, number in summary.findings.items()}
    return {
        "schema_version": SCHEMA_VERSION,
        "title": report.title,
        "generated_at": report.generated_at,
        "compliant": report.compliant,
        "headline": headline(report),
        "summary": numbers,
        "domain_controllers": [_domain_controller_to_json(row) for row in report.domain_controllers],
        "adapters": [
            {"name": row.name, "enabled": row.enabled, "applications": list(row.applications)}
            for row in report.adapters
        ],
        "findings": [finding.to_json() for finding in report.findings],
        "changes": None if report.changes is None else [change.to_json() for change in report.changes],
        "notes": list(report.notes),
        "rollout": None if report.rollout is None else _rollout_to_json(report.rollout),
    }


def report_from_json(data: object) -> Report:
    """Reads the plain values that `report_to_json` returned.

    What a change leaves behind on other objects is not part of a report, so it is not there afterwards, and neither is
    the rollout, whose plan is a file of its own.

    Raises:
        ReportFormatError: They are not a report of a version that is known here.
    """
    members = _mapping(data, "report")
    version = members.get("schema_version")
    if version != SCHEMA_VERSION or isinstance(version, bool):
        raise ReportFormatError(f"The report has schema_version {version!r}; only {SCHEMA_VERSION} is understood.")
    changes = members.get("changes")
    return Report(
        title=_text(members, "title", "report"),
        generated_at=_text(members, "generated_at", "report"),
        findings=_items(members, "findings", _finding_from_json),
        domain_controllers=_items(members, "domain_controllers", _domain_controller_from_json),
        adapters=_items(members, "adapters", _adapter_from_json),
        changes=None if changes is None else _items(members, "changes", change_from_json),
        notes=_texts(members, "notes", "report"),
    )


def render_json(report: Report) -> str:
    """Returns the text of the JSON file; pure ASCII, so that no encoding can spoil it."""
    return json.dumps(report_to_json(report), indent=2, ensure_ascii=True) + "\n"


def parse_json(text: str) -> Report:
    """Reads the text of a JSON file.

    Raises:
        ReportFormatError: It is not JSON, or not a report.
    """
    try:
        data: object = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ReportFormatError(f"The report is not JSON: {error}.") from error
    return report_from_json(data)


def change_from_json(data: object) -> Change:
    """Reads one change in the form that modules return in `changes`.

    Raises:
        ReportFormatError: It is not a change.
    """
    members = _mapping(data, "change")
    try:
        return Change(
            subject=_text(members, "subject", "change"),
            resource=_text(members, "resource", "change"),
            name=_text(members, "name", "change"),
            operation=Operation(_text(members, "operation", "change")),
            old=dict(_mapping(members.get("old", {}), "change's old")),
            new=dict(_mapping(members.get("new", {}), "change's new")),
            implies=frozenset(Implication(item) for item in _texts(members, "implies", "change")),
        )
    except ReportFormatError:
        raise
    except ValueError as error:
        raise ReportFormatError(f"A change in the report can't be read: {error}.") from error


def _rollout_to_json(rollout: Rollout) -> JsonValue:
    return {
        "refused": rollout.refused,
        "message": progress_sentence(rollout),
        "next": next_step(rollout),
        "waves": [{"number": wave.number, "domain_controllers": list(wave.names)} for wave in rollout.waves],
        "domain_controllers": [
            {"name": step.name, "state": step.progress.value, "why": step.why} for step in rollout.steps
        ],
    }


def _domain_controller_to_json(row: DomainControllerRow) -> JsonValue:
    return {
        "name": row.name,
        "site": row.site,
        "capture_state": row.capture_state.value,
        "grade": row.grade,
        "evidence": row.evidence,
        "version": row.version,
        "read_only": row.read_only,
        "exempt_reason": row.exempt_reason,
        "until_next_restart": row.until_next_restart,
    }


def _domain_controller_from_json(data: object) -> DomainControllerRow:
    what = "domain controller"
    members = _mapping(data, what)
    state = _text(members, "capture_state", what)
    try:
        capture_state = CaptureState(state)
    except ValueError as error:
        raise ReportFormatError(f"A domain controller in the report has the capture state {state!r}.") from error
    return DomainControllerRow(
        name=_text(members, "name", what),
        site=_text(members, "site", what),
        capture_state=capture_state,
        grade=_text(members, "grade", what),
        evidence=_text(members, "evidence", what),
        version=_text(members, "version", what),
        read_only=_flag(members, "read_only", what),
        exempt_reason=_text(members, "exempt_reason", what),
        until_next_restart=_flag(members, "until_next_restart", what),
    )


def _adapter_from_json(data: object) -> AdapterRow:
    members = _mapping(data, "adapter")
    return AdapterRow(
        name=_text(members, "name", "adapter"),
        enabled=None if members.get("enabled") is None else _flag(members, "enabled", "adapter"),
        applications=_texts(members, "applications", "adapter"),
    )


def _finding_from_json(data: object) -> Finding:
    try:
        return Finding.from_json(_mapping(data, "finding"))
    except ReportFormatError:
        raise
    except (ValueError, TypeError) as error:
        raise ReportFormatError(f"A finding in the report can't be read: {error}.") from error


def _mapping(data: object, what: str) -> Mapping[str, Any]:
    if not isinstance(data, Mapping):
        raise ReportFormatError(f"The {what} is no mapping but a {type(data).__name__}.")
    return data


def _text(members: Mapping[str, Any], name: str, what: str) -> str:
    value = members.get(name)
    if not isinstance(value, str):
        raise ReportFormatError(f"The {what} has no text in {name}.")
    return value


def _flag(members: Mapping[str, Any], name: str, what: str) -> bool:
    value = members.get(name)
    if not isinstance(value, bool):
        raise ReportFormatError(f"The {what} has neither true nor false in {name}.")
    return value


def _texts(members: Mapping[str, Any], name: str, what: str) -> tuple[str, ...]:
    value = members.get(name)
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ReportFormatError(f"The {what} has no list of texts in {name}.")
    return tuple(value)


def _items(members: Mapping[str, Any], name: str, read: Callable[[object], _Item]) -> tuple[_Item, ...]:
    value = members.get(name)
    if not isinstance(value, list):
        raise ReportFormatError(f"The report has no list in {name}.")
    return tuple(read(item) for item in value)
