# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The PCNS part of a forest's schema: what is observed, and who may extend it where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ansible_collections.entsso.password_sync.plugins.module_utils._plan import (
    Absent,
    Change,
    Estate,
    JsonValue,
    Key,
    Observation,
    Operation,
    PlanError,
    Present,
    Unknown,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._directory_rights import DirectoryRights
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._pcns_schema import SchemaView

RESOURCE = "pcns_schema"
NAME = "PCNS"

PLAYBOOK = "playbooks/schema.yml"
PROPERTIES: Mapping[str, str] = {"SCHEMAONLY": "TRUE"}
"""What makes the package extend the schema and install nothing (pcns.md 2)."""

BY_HAND = 'msiexec.exe /i "Password Change Notification Service.msi" SCHEMAONLY=TRUE'


@dataclass(frozen=True)
class SchemaState:
    """What a schema that knows PCNS has.

    Attributes:
        missing: Classes and attributes of pcns.md 2 that it lacks, by common name.
        discovered: Attributes that no public source lists; nothing stands on them.
    """

    missing: tuple[str, ...] = ()
    discovered: tuple[str, ...] = field(default=(), metadata={"verified": False})


@dataclass(frozen=True)
class Circumstances:
    """What else decides whether this task may extend the schema.

    Attributes:
        here: Full name of the host of the task.
        master: Full name of the schema master; empty when it is not known.
        conflicts: What no package can mend, each as a clause.
        rights: What the account may do that would run the package; None when nobody asked.
        has_package: Whether there is a package to run.
        complete_partial: Whether a schema that has a part of it is to be completed.
        judging: Whether only what a run would change is wanted, wherever and by whomever it is done.
        remedy: What to do where the schema could not be read.
    """

    here: str
    master: str = ""
    conflicts: tuple[str, ...] = ()
    rights: DirectoryRights | None = None
    has_package: bool = False
    complete_partial: bool = False
    judging: bool = False
    remedy: str = ""


def key(forest: str) -> Key:
    """Returns the key of the schema of a forest."""
    return Key(forest, RESOURCE, NAME)


def observation(view: SchemaView) -> Observation:
    """Returns what the view of the schema master means."""
    return Absent() if view.absent else Present(SchemaState(view.missing, view.discovered))


def plan(subject: str, forest: str, circumstances: Circumstances, estate: Estate) -> tuple[Change, ...]:
    """Returns the change that gives the schema all of PCNS, or nothing.

    Raises:
        PlanError: The schema is not known; or it lacks something, and this task can't or may not add it.
    """
    observed = estate.get(key(forest))
    if isinstance(observed, Unknown):
        if circumstances.judging:
            return ()
        raise PlanError(
            subject,
            f"Whether the schema of {forest} has PCNS is not known: {observed.reason.rstrip('.')}.",
            circumstances.remedy,
        )
    missing = observed.state.missing if isinstance(observed, Present) else None
    if missing == ():
        return ()
    if circumstances.judging:
        return () if circumstances.conflicts or missing else (_change(forest, missing),)
    _refuse_conflicts(subject, forest, circumstances)
    if missing and not circumstances.complete_partial:
        raise PlanError(
            subject,
            f"The schema of {forest} has PCNS only in part; it lacks {', '.join(missing)}.",
            "Find out why (an extension that failed half-way, an older package), since what is added to a schema stays "
            "for good. Then set `complete_partial` to true: the package's schema-only mode is run again, and what it "
            "did is looked at.",
        )
    _refuse_place(subject, forest, circumstances)
    _refuse_account(subject, forest, circumstances)
    return (_change(forest, missing),)


def _change(forest: str, missing: tuple[str, ...] | None) -> Change:
    old: dict[str, JsonValue] = {} if missing is None else {"missing": missing}
    operation = Operation.CREATE if missing is None else Operation.UPDATE
    return Change(forest, RESOURCE, NAME, operation, old=old, new={"missing": ()})


def _refuse_conflicts(subject: str, forest: str, circumstances: Circumstances) -> None:
    if circumstances.conflicts:
        raise PlanError(
            subject,
            f"In the schema of {forest} {'; '.join(circumstances.conflicts)}.",
            "No package can mend that, and nothing was run. Have the owner of the schema look at these objects, with "
            "Microsoft where an OID of theirs is taken.",
        )


def _refuse_place(subject: str, forest: str, circumstances: Circumstances) -> None:
    if circumstances.here.lower() != circumstances.master.lower():
        raise PlanError(
            subject,
            f"The schema of {forest} does not have all of PCNS, and only its schema master can write it, which is "
            f"{circumstances.master} and not {circumstances.here}.",
            f"Run {PLAYBOOK} with {circumstances.master} in the inventory, or there by hand, as a member of Schema "
            f"Admins and Domain Admins: {BY_HAND}.",
        )


def _refuse_account(subject: str, forest: str, circumstances: Circumstances) -> None:
    rights = circumstances.rights
    if rights is not None and not rights.unknown and not rights.may_extend_schema:
        raise PlanError(
            subject,
            f"{rights.account} may not extend the schema of {forest}: it is not a member of "
            f"{' and '.join(rights.missing_for_schema)}, and both Schema Admins and Domain Admins are needed.",
            f"Run {PLAYBOOK} as an account that is, or have the AD team run on {circumstances.master}: {BY_HAND}.",
        )
    if not circumstances.has_package:
        raise PlanError(
            subject,
            f"The schema of {forest} does not have all of PCNS, and there is no package to extend it with.",
            "Give `path` and `sha256` of the PCNS package.",
        )
