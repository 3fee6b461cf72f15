# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A password sync adapter in the SSO system."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ansible_collections.entsso.password_sync.plugins.module_utils._plan import (
    Absent,
    Change,
    Estate,
    JsonValue,
    Key,
    Operation,
    PlanError,
    Present,
    Unknown,
)

RESOURCE = "sso_adapter"

NO_ADAPTER = ("0xC0002A46", "0xC0002A04")
"""The specified adapter, or application, does not exist (entsso.md 6.3); an adapter is an application to ENTSSO."""

_NARROW = 79
"""Length from which a line may have been cut off: the tools do so unless the console has 120 columns (entsso.md 2)."""


@dataclass(frozen=True)
class AdapterState:
    """An adapter as observed.

    Attributes:
        enabled: The (E) or (D) of `ssops -list`.
        applications: Those of the wanted applications that `ssops -display` names, sorted.
        definition: SHA-256 of the definition that we last gave to ssops, from our marker; empty when there is none.
            The definition itself can't be read back.
    """

    enabled: bool = False
    applications: tuple[str, ...] = ()
    definition: str = ""


@dataclass(frozen=True)
class DesiredAdapter:
    """An adapter as wanted; what is `None` is left alone.

    Attributes:
        name: Adapter name.
        definition: SHA-256 of the definition file; `None` leaves an existing adapter's definition alone.
        enabled: Whether it is on.
        applications: Applications that it must have.
    """

    name: str
    definition: str | None = None
    enabled: bool | None = None
    applications: Sequence[str] = field(default_factory=tuple)


def key(subject: str, name: str) -> Key:
    """Returns the key of an adapter."""
    return Key(subject, RESOURCE, name)


def plan(subject: str, desired: DesiredAdapter, estate: Estate) -> tuple[Change, ...]:
    """Returns the change that brings an adapter to its wanted state, or nothing.

    Raises:
        PlanError: ssops is missing, its output could not be understood, or a new adapter has no definition.
    """
    tool = estate.get(Key(subject, "tool", "ssops"))
    if not isinstance(tool, Present):
        raise PlanError(
            subject,
            f"ssops is not on {subject}, so the adapter {desired.name} can't be managed there.",
            "Install the Password Synchronization feature first (playbooks/sso_servers.yml).",
        )
    observed = estate.get(key(subject, desired.name))
    if isinstance(observed, Unknown):
        raise PlanError(
            subject,
            f"The adapter {desired.name} could not be read on {subject}: {observed.reason}.",
            "Run `ssops -list` there by hand, in a window at least 120 columns wide.",
        )
    wanted_applications = tuple(sorted(desired.applications, key=str.lower))
    if isinstance(observed, Absent):
        if desired.definition is None:
            raise PlanError(
                subject,
                f"The adapter {desired.name} does not exist on {subject} and no definition was given.",
                "Give `definition` (a finished file or the output of your template).",
            )
        values: dict[str, JsonValue] = {
            "definition": desired.definition,
            "applications": wanted_applications,
            "enabled": bool(desired.enabled),
        }
        return (Change(subject, RESOURCE, desired.name, Operation.CREATE, new=values),)
    state: AdapterState = observed.state
    old: dict[str, JsonValue] = {}
    new: dict[str, JsonValue] = {}
    if desired.definition is not None and desired.definition != state.definition:
        old["definition"], new["definition"] = state.definition, desired.definition
    if desired.enabled is not None and desired.enabled != state.enabled:
        old["enabled"], new["enabled"] = state.enabled, desired.enabled
    present = {name.lower() for name in state.applications}
    if any(name.lower() not in present for name in wanted_applications):
        old["applications"], new["applications"] = state.applications, wanted_applications
    return (Change(subject, RESOURCE, desired.name, Operation.UPDATE, old=old, new=new),) if new else ()


class AdapterListError(ValueError):
    """The output of `ssops -list` could not be understood; the message says why."""


def parse_list(output: str) -> Mapping[str, bool]:
    """Reads `ssops -list`: adapter name, in lower case, to whether it is enabled.

    Documented is only that it prints adapters with descriptions and marks them (E) or (D) (entsso.md 2.4). A line
    with exactly one such mark is an adapter; the name is what stands on its side of the mark before two blanks, a
    colon or the end. Lines without a mark are headings. A name that runs to the end of a long line may have been cut
    off and gets three dots.

    Raises:
        AdapterListError: A line has a mark and no name, or the same name twice with different marks.
    """
    adapters: dict[str, bool] = {}
    for line in output.splitlines():
        marks = re.findall(r"\(([EeDd])\)", line)
        if len(marks) != 1:
            continue
        before, after = re.split(r"\([EeDd]\)", line, maxsplit=1)
        source = after if not before.strip() else before
        name = re.split(r"\s{2,}|\t|\s:", source.strip(), maxsplit=1)[0].strip(" :-")
        if not name:
            raise AdapterListError(f"a line marks an adapter without naming it: {line.strip()[:60]!r}")
        if source is after and source.strip() == name and len(line.rstrip()) >= _NARROW:
            name += "..."
        enabled = marks[0].upper() == "E"
        if adapters.get(name.lower(), enabled) != enabled:
            raise AdapterListError(f"it lists {name!r} twice with different marks")
        adapters[name.lower()] = enabled
    return adapters


def enabled_in(adapters: Mapping[str, bool], name: str) -> bool | None:
    """Returns whether an adapter is enabled, `None` when the list does not name it.

    Raises:
        AdapterListError: Only a name cut off by the column width fits, which could be another adapter.
    """
    wanted = name.lower()
    if wanted in adapters:
        return adapters[wanted]
    cut = [listed for listed in adapters if listed.endswith("...") and wanted.startswith(listed.rstrip("."))]
    if cut:
        raise AdapterListError(f"it cuts off names, and {cut[0]!r} may be {name!r}")
    return None


def applications_in(output: str, wanted: Sequence[str]) -> tuple[str, ...]:
    """Returns which of the wanted applications `ssops -display` shows as the adapter's, sorted.

    Documented is what it shows and in which order, not in which form (entsso.md 2.4): the applications come last,
    behind the port number. So only whole values behind the last number count: the adapter's own name or description
    may well be an application's name.

    Raises:
        AdapterListError: It holds no number at all, or only a name that was cut off fits.
    """
    found: list[tuple[str, bool]] = []
    names = {name.lower() for name in wanted}
    numbers = False
    for line in output.splitlines():
        values = [value.strip() for value in re.split(r"[,;\t]|\s{2,}", line.partition(":")[2] or line)]
        long = len(line.rstrip()) >= _NARROW
        for value in filter(None, values):
            if value.isdecimal() and value not in names:
                numbers = True
                found.clear()
            else:
                found.append((value.lower(), long and line.rstrip().endswith(value)))
    if not numbers:
        raise AdapterListError("it holds none of the numbers that are shown before the applications")
    for name in wanted:
        if any(cut and name.lower().startswith(value) for value, cut in found):
            raise AdapterListError(f"it cuts off names, and one may be {name!r}")
    shown = {value for value, _cut in found}
    return tuple(sorted((name for name in wanted if name.lower() in shown), key=str.lower))
