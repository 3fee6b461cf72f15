# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The catalogue of controls: what a compliance check judges, and what users lose while it is not met.

The source of each control names the Microsoft page or event that it rests on, then the place in the
project's fact sheets where that source is listed with how sure it is. Where Microsoft says nothing, the source says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ansible_collections.entsso.password_sync.plugins.module_utils.judge._finding import Finding, Severity, Status
from ansible_collections.entsso.password_sync.plugins.module_utils.report._printable import listing

SYSTEMS = "the connected systems"
"""What a rationale calls the systems behind the adapters when it is not known which they are."""


@dataclass(frozen=True)
class Control:
    """One thing that must hold for password changes to arrive.

    Attributes:
        id: Identifier; never reused for another meaning.
        title: What must hold, in a few words.
        severity: What is at stake while it does not.
        rationale: What users lose while it does not, one or two sentences.
        source: What it rests on.
        raised: When a finding of it is graver than `severity`, and how much; empty when none is.
    """

    id: str
    title: str
    severity: Severity
    rationale: str
    source: str
    raised: str = ""

    def consequence(self, systems: Sequence[str] = ()) -> str:
        """Returns the rationale with the names of the systems that are affected, for example RACF and LDAP."""
        return self.rationale.replace(SYSTEMS, listing(systems)) if systems else self.rationale

    def finding(
        self,
        status: Status,
        subject: str,
        message: str,
        *,
        about: str = "",
        site: str = "",
        systems: Sequence[str] = (),
        evidence: str = "",
        observed_at: str = "",
        repair: str = "",
        restarts: int = 0,
        severity: Severity | None = None,
        consequence: str = "",
    ) -> Finding:
        """Judges this control on one subject; a status that passes carries no consequence and no repair.

        Args:
            status: How the control stands.
            subject: Host, domain or SSO system.
            message: What is the case, one sentence.
            about: Which of the subject's objects, where a control is judged on several of them (an adapter, an
                application, a target); it becomes part of the title, so that each finding has its own name.
            site: Active Directory site of the subject.
            systems: Names of the systems whose users are affected.
            evidence: Where it was seen.
            observed_at: UTC, ISO 8601 with `Z`.
            repair: The command that repairs it, or what a person must do.
            restarts: How many host restarts the repair needs.
            severity: What is at stake in this case, where that is not the control's.
            consequence: What users lose in this case, where that is not the control's rationale.
        """
        loses = consequence.replace(SYSTEMS, listing(systems)) if consequence and systems else consequence
        return Finding(
            control=self.id,
            title=f"{self.title}: {about}" if about else self.title,
            severity=severity or self.severity,
            status=status,
            subject=subject,
            site=site,
            message=message,
            consequence="" if status.passes else loses or self.consequence(systems),
            evidence=evidence,
            observed_at=observed_at,
            repair="" if status.passes else repair,
            restarts=0 if status.passes else restarts,
        )


CONTROLS: tuple[Control, ...] = (
    Control(
        id="PCNS-001",
        title="Domain controller is known and was reached",
        severity=Severity.HIGH,
        rationale=(
            "Nobody knows whether password changes made on this DC reach the connected systems; "
            "a DC without the capture component loses them silently."
        ),
        source="Microsoft: Using Password Synchronization (jj590288); pcns.md 5 (T1) and 7, check 1",
        raised="Critical where the directory knows a writable domain controller that no run would look after.",
    ),
    Control(
        id="PCNS-002",
        title="Capture component is registered in Notification Packages",
        severity=Severity.HIGH,
        rationale=(
            "LSA loads only what is registered when it starts: after the next restart of this DC, password changes "
            "made on it no longer reach the connected systems."
        ),
        source="Microsoft: Installing and Registering a Password Filter DLL; pcns.md 1 (P1) and 7, check 2",
    ),
    Control(
        id="PCNS-003",
        title="Capture component is loaded by LSA",
        severity=Severity.HIGH,
        rationale=(
            "Password changes made on this DC never reach the connected systems until LSA has loaded the capture "
            "component, which it does only when the DC starts; those users must change again."
        ),
        source="Microsoft: deploying MIM PCNS on a domain controller, step 14; Security event 4614; "
        "pcns.md 2 (M1), 6d (P3, K2) and 7, checks 4 and 5",
    ),
    Control(
        id="PCNS-004",
        title="Capture component and PCNS are installed",
        severity=Severity.HIGH,
        rationale=(
            "Password changes made on this DC never reach the connected systems; those users must change again."
        ),
        source="Microsoft: How to Install Password Synchronization (BizTalk Server); MIM password management; "
        "pcns.md 1 (B1) and 2 (M2)",
    ),
    Control(
        id="PCNS-005",
        title="PCNS service exists, starts automatically and runs",
        severity=Severity.HIGH,
        rationale=(
            "While the service does not run, password changes made on this DC do not reach the connected systems "
            "and may be lost."
        ),
        source="Microsoft: Using Password Synchronization (jj590288); the start type is from community scripts; "
        "pcns.md 1 (T1, C1, S1) and 7, check 6",
    ),
    Control(
        id="PCNS-006",
        title="PCNS configuration exists in the directory",
        severity=Severity.HIGH,
        rationale=(
            "The PCNS service stops without its configuration (event 6000): no password change made in this domain "
            "reaches the connected systems."
        ),
        source="Microsoft: Using password synchronization (MIIS 2003 help), event 6000; pcns.md 6a (H2) and 7, check 9",
    ),
    Control(
        id="PCNS-007",
        title="PCNS target has the wanted address, SPN, user name format and groups",
        severity=Severity.HIGH,
        rationale=(
            "Password changes are sent to the wrong place, refused there or filtered out, and do not reach "
            "the connected systems."
        ),
        source="Microsoft: TechNet wiki 4159 (PCNS event 6025), Single Sign-On event 10750 (NT4 user names only); "
        "Keyfactor (PCNS event 6032); pcns.md 6a (W2, KF), 6c (B1) and 7, check 10",
    ),
    Control(
        id="PCNS-008",
        title="PCNS target is enabled",
        severity=Severity.HIGH,
        rationale=(
            "While the target is disabled nothing is queued for it: password changes made in this domain never reach "
            "the connected systems; those users must change again."
        ),
        source="Microsoft: Pcnscfg (MIIS 2003 help), disabletarget; pcns.md 3 (H1) and 5",
    ),
    Control(
        id="PCNS-009",
        title="All domain controllers have the same version of the packages",
        severity=Severity.MEDIUM,
        rationale=(
            "A DC with another version may behave differently from those that were tried, so that password changes "
            "made on it may not reach the connected systems."
        ),
        source="No statement by Microsoft; good practice, as Specops says it of its own agent; "
        "pcns.md 7, check 7, and 8",
    ),
    Control(
        id="PCNS-010",
        title="The schema has PCNS, on every domain controller",
        severity=Severity.HIGH,
        rationale=(
            "On a DC whose schema lacks PCNS the package refuses to install, and its service stops for want of a "
            "configuration (event 6000): no password change made on that DC reaches the connected systems."
        ),
        source="Microsoft: deploying PCNS on a domain controller (schema first), PCNS event 6000; pcns.md 2 (M1, T1), "
        "6a (H2) and 7 (before each DC)",
    ),
    Control(
        id="PCNS-011",
        title="Groups of a PCNS target exist",
        severity=Severity.HIGH,
        rationale=(
            "PCNS filters out every change for a target with a group that does not exist, and says so only when its "
            "service starts (event 6032): no password change made in this domain reaches the connected systems."
        ),
        source="No statement by Microsoft; Keyfactor on PCNS event 6032; pcns.md 5, 6a (KF) and 7, check 11",
    ),
    Control(
        id="PCNS-012",
        title="SPN of a PCNS target is on the service's account and on no other",
        severity=Severity.HIGH,
        rationale=(
            "Domain controllers can't authenticate the SSO server (event 6025): password changes do not reach the "
            "connected systems, and are lost when they grow older than the PCNS queue allows."
        ),
        source="Microsoft: TechNet wiki 4159 (PCNS event 6025); pcns.md 4, 6a (W2) and 7, check 13",
    ),
    Control(
        id="PCNS-013",
        title="SSO server of a PCNS target is in the domain",
        severity=Severity.HIGH,
        rationale=(
            "An SSO server takes password changes only from domain controllers of its own domain (event 10709): "
            "none of this domain reaches the connected systems."
        ),
        source="Microsoft: Single Sign-On event 10709; pcns.md 4 and 6c (B1)",
    ),
    Control(
        id="PCNS-014",
        title="Every domain controller has the same PCNS configuration and targets",
        severity=Severity.HIGH,
        rationale=(
            "A DC that has other settings sends password changes elsewhere, filters them differently or not at all; "
            "those made on it may not reach the connected systems."
        ),
        source="Microsoft: MIM password management (configuration is written on one DC and replicated); pcns.md 2 (M2) "
        "and 7, check 9",
    ),
    Control(
        id="SSO-001",
        title="Password Synchronization feature is installed",
        severity=Severity.HIGH,
        rationale=(
            "Without the feature this SSO server takes no password changes from domain controllers: "
            "none reaches the connected systems."
        ),
        source="Microsoft: How to Install Password Synchronization (BizTalk Server); entsso.md 1.1",
    ),
    Control(
        id="SSO-002",
        title="Enterprise Single Sign-On service runs",
        severity=Severity.HIGH,
        rationale=(
            "No password change reaches the connected systems while the service is down; changes wait on "
            "the domain controllers and are lost when they grow older than the PCNS queue allows."
        ),
        source="Microsoft: Pcnscfg (MIIS 2003 help), service /A; MIM password management; pcns.md 3 (H1) and 5 (M2)",
    ),
    Control(
        id="SSO-003",
        title="SSO server accepts password changes from PCNS",
        severity=Severity.HIGH,
        rationale=(
            "This SSO server refuses every change that a domain controller sends (event 11069): "
            "none reaches the connected systems; those users must change again."
        ),
        source="Microsoft: Single Sign-On event 11069; entsso.md 4.2 and 5",
    ),
    Control(
        id="SSO-004",
        title="Password sync age is as wanted",
        severity=Severity.MEDIUM,
        rationale=(
            "Changes older than this age are discarded (event 10712): after an outage longer than that, "
            "passwords changed meanwhile never reach the connected systems."
        ),
        source="Microsoft: How to Configure Password Synchronization; Single Sign-On event 10712; "
        "entsso.md 2.1, 4.2 and 4.5",
    ),
    Control(
        id="SSO-005",
        title="Affiliate application exists",
        severity=Severity.HIGH,
        rationale=(
            "Without the affiliate application no user is mapped to an account there, so changes are discarded "
            "(event 11030) and never reach the connected systems."
        ),
        source="Microsoft: Single Sign-On event 11030; How to Create an Affiliate Application; entsso.md 3.2 and 5",
    ),
    Control(
        id="SSO-006",
        title="Adapter exists",
        severity=Severity.HIGH,
        rationale=(
            "Without the adapter password changes never reach the connected systems; those users must change again."
        ),
        source="Microsoft: How to Administer Password Synchronization; entsso.md 2.4",
    ),
    Control(
        id="SSO-007",
        title="Adapter is enabled",
        severity=Severity.HIGH,
        rationale=(
            "While the adapter is disabled password changes do not reach the connected systems; "
            "users keep their old password there."
        ),
        source="Microsoft: How to Administer Password Synchronization; Single Sign-On events 10706 to 10708; "
        "entsso.md 2.4 and 4.1",
    ),
    Control(
        id="SSO-008",
        title="Adapter has its applications",
        severity=Severity.HIGH,
        rationale=(
            "Password changes of users who are mapped only in an application that no adapter serves never reach "
            "the connected systems."
        ),
        source="Microsoft: How to Administer Password Synchronization, ssops -addapp; entsso.md 2.4",
    ),
)
"""All controls, in the order in which a deployment makes them true."""

_BY_ID = {control.id: control for control in CONTROLS}


def get_control(control_id: str) -> Control:
    """Returns a control by its identifier.

    Raises:
        KeyError: There is no such control.
    """
    return _BY_ID[control_id]
