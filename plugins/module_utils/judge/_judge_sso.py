# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges the controls of one SSO server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.entsso.password_sync.plugins.module_utils import (
    _sso_adapter,
    _sso_application,
    _sso_feature,
    _sso_server,
)
from ansible_collections.entsso.password_sync.plugins.module_utils._plan import (
    Absent,
    Change,
    Estate,
    Present,
    Unknown,
)
from ansible_collections.entsso.password_sync.plugins.module_utils._sso_adapter import DesiredAdapter
from ansible_collections.entsso.password_sync.plugins.module_utils._sso_application import DesiredApplication
from ansible_collections.entsso.password_sync.plugins.module_utils._sso_server import DesiredServer
from ansible_collections.entsso.password_sync.plugins.module_utils.judge._controls import get_control
from ansible_collections.entsso.password_sync.plugins.module_utils.judge._finding import Finding, Status

REPAIR_SERVER = "ansible-playbook playbooks/sso_servers.yml --limit {subject}"
REPAIR_ADAPTERS = "ansible-playbook playbooks/adapters.yml --limit {subject}"


@dataclass(frozen=True)
class JudgedServer:
    """Everything that the judgement of one SSO server rests on.

    Attributes:
        subject: Its name in the inventory.
        service_running: Whether ENTSSO runs; `None` when not known.
        server: Wanted switches.
        applications: Wanted applications.
        adapters: Wanted adapters.
        estate: What is observed.
        changes: What a run would change, by the same plan.
        observed_at: UTC time of the observation.
    """

    subject: str
    service_running: bool | None
    server: DesiredServer
    applications: Sequence[DesiredApplication]
    adapters: Sequence[DesiredAdapter]
    estate: Estate
    changes: Sequence[Change]
    observed_at: str

    def finding(self, control: str, status: Status, message: str, evidence: str, about: str = "") -> Finding:
        """Judges one control, about one application or adapter where there are several."""
        repair = REPAIR_SERVER if control in ("SSO-001", "SSO-002", "SSO-003", "SSO-004") else REPAIR_ADAPTERS
        repairable = status is Status.DRIFT and control != "SSO-002"
        return get_control(control).finding(
            status,
            self.subject,
            message,
            about=about,
            systems=(about,) if about else (),
            evidence=evidence,
            observed_at=self.observed_at,
            repair=repair.format(subject=self.subject) if repairable else "",
        )


def judge_sso_server(judged: JudgedServer) -> tuple[Finding, ...]:
    """Returns the findings on one SSO server: feature, service, switches, applications, adapters."""
    findings = [_feature(judged), _service(judged)]
    if judged.server.allow_pcns is not None:
        findings.append(_allow_pcns(judged))
    if judged.server.password_sync_age is not None:
        findings.append(_sync_age(judged))
    findings += [_application(judged, application) for application in judged.applications]
    for adapter in judged.adapters:
        findings += _adapter(judged, adapter)
    return tuple(findings)


def _feature(judged: JudgedServer) -> Finding:
    observed = judged.estate.get(_sso_feature.key(judged.subject))
    if isinstance(observed, Present):
        return judged.finding(
            "SSO-001", Status.COMPLIANT, "Password Synchronization is installed.", observed.state.evidence
        )
    if isinstance(observed, Absent):
        return judged.finding("SSO-001", Status.DRIFT, "Password Synchronization is not installed.", "files")
    return judged.finding(
        "SSO-001", Status.UNKNOWN, f"Whether it is installed is not known: {observed.reason}.", "files, events"
    )


def _service(judged: JudgedServer) -> Finding:
    evidence = "service control manager"
    if judged.service_running is None:
        return judged.finding("SSO-002", Status.UNKNOWN, "The ENTSSO service could not be read.", evidence)
    if judged.service_running:
        return judged.finding("SSO-002", Status.COMPLIANT, "ENTSSO runs.", evidence)
    return judged.finding("SSO-002", Status.MANUAL, "ENTSSO does not run.", evidence)


def _server_state(judged: JudgedServer) -> _sso_server.ServerState | None:
    observed = judged.estate.get(_sso_server.key(judged.subject))
    return observed.state if isinstance(observed, Present) else None


def _allow_pcns(judged: JudgedServer) -> Finding:
    state, wanted = _server_state(judged), judged.server.allow_pcns
    if state is None or state.allow_pcns is None:
        status = Status.DRIFT if state is not None else Status.UNKNOWN
        return judged.finding(
            "SSO-003", status, "Whether changes from PCNS are accepted was never set by us.", "marker, events"
        )
    word = "accepted" if state.allow_pcns else "refused"
    if state.allow_pcns != wanted:
        return judged.finding("SSO-003", Status.DRIFT, f"Changes from PCNS are {word}.", state.allow_pcns_evidence)
    if not state.allow_pcns_proved:
        message = f"Changes from PCNS should be {word} ({state.allow_pcns_evidence})."
        return judged.finding("SSO-003", Status.UNKNOWN, message, "marker")
    return judged.finding("SSO-003", Status.COMPLIANT, f"Changes from PCNS are {word}.", state.allow_pcns_evidence)


def _sync_age(judged: JudgedServer) -> Finding:
    state, wanted = _server_state(judged), judged.server.password_sync_age
    if state is None or state.password_sync_age is None:
        status = Status.DRIFT if state is not None else Status.UNKNOWN
        return judged.finding("SSO-004", status, "The password sync age is not known.", "ssoconfig -syncage")
    if state.password_sync_age != wanted:
        message = f"The password sync age is {state.password_sync_age} hours instead of {wanted}."
        return judged.finding("SSO-004", Status.DRIFT, message, state.password_sync_age_evidence)
    if not state.password_sync_age_proved:
        message = f"The password sync age should be {wanted} hours ({state.password_sync_age_evidence})."
        return judged.finding("SSO-004", Status.UNKNOWN, message, "marker")
    return judged.finding(
        "SSO-004", Status.COMPLIANT, f"The password sync age is {wanted} hours.", state.password_sync_age_evidence
    )


def _application(judged: JudgedServer, desired: DesiredApplication) -> Finding:
    observed = judged.estate.get(_sso_application.key(judged.subject, desired.name))
    evidence, name = "ssomanage -listapps", desired.name
    if isinstance(observed, Present):
        return judged.finding("SSO-005", Status.COMPLIANT, f"Application {desired.name} exists.", evidence, name)
    if isinstance(observed, Absent):
        return judged.finding("SSO-005", Status.DRIFT, f"Application {desired.name} does not exist.", evidence, name)
    message = f"Whether application {desired.name} exists is not known: {observed.reason}."
    return judged.finding("SSO-005", Status.UNKNOWN, message, evidence, name)


def _adapter(judged: JudgedServer, desired: DesiredAdapter) -> list[Finding]:
    name = desired.name
    observed = judged.estate.get(_sso_adapter.key(judged.subject, name))
    evidence = "ssops -list"
    if isinstance(observed, Unknown):
        message = f"Adapter {name} could not be read: {observed.reason}."
        return [judged.finding("SSO-006", Status.UNKNOWN, message, evidence, name)]
    if isinstance(observed, Absent):
        return [judged.finding("SSO-006", Status.DRIFT, f"Adapter {name} does not exist.", evidence, name)]
    planned: Mapping[str, object] = next(
        (change.new for change in judged.changes if change.resource == "sso_adapter" and change.name == name), {}
    )
    if "definition" in planned:
        message = f"Adapter {name} was last given another definition than the wanted one."
        findings = [judged.finding("SSO-006", Status.DRIFT, message, "marker", name)]
    else:
        findings = [judged.finding("SSO-006", Status.COMPLIANT, f"Adapter {name} exists.", evidence, name)]
    state = observed.state
    if desired.enabled is not None:
        status = Status.DRIFT if "enabled" in planned else Status.COMPLIANT
        message = f"Adapter {name} is {'enabled' if state.enabled else 'disabled'}."
        findings.append(judged.finding("SSO-007", status, message, evidence, name))
    if desired.applications:
        status = Status.DRIFT if "applications" in planned else Status.COMPLIANT
        message = f"Adapter {name} has the applications {', '.join(state.applications) or 'none'}."
        findings.append(judged.finding("SSO-008", status, message, "ssops -display", name))
    return findings
