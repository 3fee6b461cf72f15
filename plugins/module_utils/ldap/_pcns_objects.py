# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The PCNS objects of a domain as LDAP shows them: what their attributes are called, and what is in them.

Classes and attributes are known by OID, one by its common name (pcns.md 2, schema objects). Names and OIDs of four are
not public: they are looked for in the schema by the words of pcnscfg's own switches, and where none or several fit,
they are not read. Syntaxes are not public either, so each value is taken in every form that it may have.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Union
from uuid import UUID

from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._ldap_entry import Entry
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._pcns_schema import ATTRIBUTES, CLASSES
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._security_identifier import sid_text

CONTAINER = "CN=Password Change Notification Service,CN=System"
"""Below the domain (pcns.md 1)."""

_PUBLIC = {
    "MS-MIIS-PCNS-TargetGUID": "guid",
    "MS-MIIS-PCNS-TargetSPN": "service_principal_name",
    "MS-MIIS-PCNS-TargetServer": "address",
    "MS-MIIS-PCNS-TargetUserNameFormat": "user_name_format",
    "MS-MIIS-PCNS-TargetKeepAliveInterval": "keep_alive_interval",
    "MS-MIIS-PCNS-TargetDisabled": "disabled",
    "MS-MIIS-PCNS-ServiceMaxQueueLength": "max_queue_length",
    "MS-MIIS-PCNS-ServiceMaxQueueAge": "max_queue_age",
    "MS-MIIS-PCNS-TargetExclusionSID": "exclusion_sid",
    "MS-MIIS-PCNS-TargetInclusionSID": "inclusion_sid",
}
"""What is read; TargetEncryptionKey is left out on purpose: nobody needs to read it."""

_BY_OID = {oid: _PUBLIC[name] for oid, name in ATTRIBUTES.items() if name in _PUBLIC}
_CLASS_OID = {name: oid for oid, name in CLASSES.items()}
TARGET_CLASS, SERVICE_CLASS = _CLASS_OID["MS-MIIS-PCNS-Target"], _CLASS_OID["MS-MIIS-PCNS-Service"]

_PREFIX = "ms-miis-pcns-"

_BY_WORDS = {
    "max_notification_retries": ("service", "max", "retries"),
    "retry_interval": ("service", "retry", "interval"),
    "queue_warning_level": ("target", "warning", "level"),
    "queue_warning_interval": ("target", "warning", "interval"),
}
"""Words of the common name behind the prefix; only the first name is public, without its OID."""

_SERVICE_NUMBERS = ("max_queue_length", "max_queue_age", "max_notification_retries", "retry_interval")
_TARGET_NUMBERS = ("user_name_format", "keep_alive_interval", "queue_warning_level", "queue_warning_interval")
_TARGET_TEXTS = ("address", "service_principal_name")

SCHEMA_ATTRIBUTES = ("cn", "lDAPDisplayName", "attributeID", "governsID")

Value = Union[str, int, bool]


@dataclass(frozen=True)
class PcnsNames:
    """How a forest's schema calls what PCNS has.

    Attributes:
        service_class: lDAPDisplayName of the service's class; empty when the schema does not have it.
        target_class: As above, of the targets.
        attributes: lDAPDisplayName by the name that it has here.
    """

    service_class: str = ""
    target_class: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """Whether the schema knows PCNS at all."""
        return bool(self.service_class and self.target_class)

    def wanted(self) -> tuple[str, ...]:
        """Returns the attributes to ask for."""
        return ("objectClass", "cn", "displayName", *self.attributes.values())


@dataclass(frozen=True)
class ServiceObject:
    """The object with the queue and retry settings.

    Attributes:
        dn: Its distinguished name.
        values: Those settings that it has and that can be read.
    """

    dn: str
    values: Mapping[str, int]


@dataclass(frozen=True)
class TargetObject:
    """The object of a target.

    Attributes:
        dn: Its distinguished name.
        names: What may be its friendly name, in lower case: which attribute is, no public source says.
        guid: TargetGUID in lower case; empty when there is none.
        values: What it has and can be read, by the name that it has in `TargetState`.
        inclusion_sid: SID of the group whose changes are sent; empty when there is none.
        exclusion_sid: SID of the group whose changes are not.
    """

    dn: str
    names: frozenset[str]
    guid: str = ""
    values: Mapping[str, Value] = field(default_factory=dict)
    inclusion_sid: str = ""
    exclusion_sid: str = ""


@dataclass(frozen=True)
class PcnsObjects:
    """Everything below the container.

    Attributes:
        service: The service object; None when there is none.
        targets: All targets.
        problems: Values that can't be understood, each as a clause.
        hidden: Distinguished names of objects that are there and whose values the account may not read.
    """

    service: ServiceObject | None = None
    targets: tuple[TargetObject, ...] = ()
    problems: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()


def pcns_names(schema: Iterable[Entry]) -> PcnsNames:
    """Returns what the schema calls classes and attributes of PCNS.

    Args:
        schema: What the query of `_pcns_schema` finds in the schema.
    """
    classes: dict[str, str] = {}
    attributes: dict[str, str] = {}
    others: dict[str, str] = {}
    for entry in schema:
        name, oid = entry.text("lDAPDisplayName"), entry.text("attributeID")
        if not name:
            continue
        if entry.text("governsID"):
            classes[entry.text("governsID")] = name
        elif oid in _BY_OID:
            attributes[_BY_OID[oid]] = name
        elif oid:
            others[entry.text("cn").lower()] = name
    for key, words in _BY_WORDS.items():
        fitting = [name for common_name, name in others.items() if _fits(common_name, words)]
        if len(fitting) == 1:
            attributes[key] = fitting[0]
    return PcnsNames(classes.get(SERVICE_CLASS, ""), classes.get(TARGET_CLASS, ""), attributes)


def _fits(common_name: str, words: Iterable[str]) -> bool:
    rest = common_name.removeprefix(_PREFIX)
    return rest != common_name and all(word in rest for word in words)


def pcns_objects(entries: Iterable[Entry], names: PcnsNames) -> PcnsObjects:
    """Returns what the objects in and below the container say."""
    service: ServiceObject | None = None
    targets: list[TargetObject] = []
    problems: list[str] = []
    hidden: list[str] = []
    for entry in entries:
        classes = {item.lower() for item in entry.texts("objectClass")}
        if not classes:
            # Every object has a class (MS-ADTS 3.1.1.1.4): who does not see it sees nothing of the object.
            hidden.append(entry.dn)
            continue
        reader = _Reader(entry, names, problems)
        if names.service_class and names.service_class.lower() in classes:
            if service is not None:
                problems.append(f"there are two service objects, {service.dn} and {entry.dn}")
            service = ServiceObject(entry.dn, reader.numbers(_SERVICE_NUMBERS))
        elif names.target_class and names.target_class.lower() in classes:
            targets.append(_target(entry, reader))
    ordered = sorted(targets, key=lambda item: item.dn.lower())
    return PcnsObjects(service, tuple(ordered), tuple(problems), tuple(hidden))


def _target(entry: Entry, reader: _Reader) -> TargetObject:
    values: dict[str, Value] = dict(reader.numbers(_TARGET_NUMBERS))
    for name in _TARGET_TEXTS:
        if text := reader.text(name):
            values[name] = text
    disabled = reader.flag("disabled")
    if disabled is not None:
        values["enabled"] = not disabled
    return TargetObject(
        dn=entry.dn,
        names=frozenset(item.casefold() for item in (*entry.texts("cn"), *entry.texts("displayName"))),
        guid=reader.guid("guid"),
        values=values,
        inclusion_sid=reader.sid("inclusion_sid"),
        exclusion_sid=reader.sid("exclusion_sid"),
    )


class _Reader:
    """Reads the values of one object; what can't be understood is told and left out."""

    def __init__(self, entry: Entry, names: PcnsNames, problems: list[str]) -> None:
        self._entry, self._names, self._problems = entry, names, problems

    def raw(self, name: str) -> bytes | None:
        attribute = self._names.attributes.get(name)
        return next(iter(self._entry.raw(attribute)), None) if attribute else None

    def text(self, name: str) -> str:
        return (self.raw(name) or b"").decode("utf-8", "backslashreplace").strip()

    def numbers(self, wanted: Iterable[str]) -> dict[str, int]:
        """Whole numbers. The attribute syntax Integer has 32 bits with a sign, and 4294967295 is -1 there."""
        found: dict[str, int] = {}
        for name in wanted:
            text = self.text(name)
            try:
                if text:
                    number = int(text)
                    found[name] = number + 2**32 if -(2**31) <= number < 0 else number
            except ValueError:
                self._doubt(name, text)
        return found

    def flag(self, name: str) -> bool | None:
        text = self.text(name).lower()
        if text in ("true", "false"):
            return text == "true"
        if text.lstrip("-").isdigit():
            return int(text) != 0
        if text:
            self._doubt(name, text)
        return None

    def sid(self, name: str) -> str:
        raw = self.raw(name)
        try:
            return sid_text(raw) if raw else ""
        except ValueError:
            self._doubt(name, repr(raw))
            return ""

    def guid(self, name: str) -> str:
        raw = self.raw(name)
        if not raw:
            return ""
        try:
            return str(UUID(bytes_le=raw) if len(raw) == 16 else UUID(raw.decode("ascii", "replace").strip()))
        except ValueError:
            self._doubt(name, repr(raw))
            return ""

    def _doubt(self, name: str, text: str) -> None:
        self._problems.append(f"{self._names.attributes[name]} of {self._entry.dn} is {text[:60]}")
