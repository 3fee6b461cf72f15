# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What PCNS has in a directory, as objects with values: for the lab's responder and, as LDIF, for a real directory.

Schema objects, container and attributes: pcns.md 1 and 2. Syntaxes (MS-ADTS 3.1.1.2.2.2), placement and what is not
public: `lab.settings.PcnsDirectorySettings`. Product code is not used here, so that a test proves what is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from lab.directory import PcnsConfiguration, PcnsObjects, PcnsTarget
from lab.schema import ATTRIBUTES, CLASSES, Foreign
from lab.settings import GuidForm, PcnsDirectorySettings, Placement, SidForm

CONTAINER = "CN=Password Change Notification Service,CN=System"
"""Below the domain."""
_TEXT, _NUMBER, _LARGE, _FLAG, _OCTETS, _SID = (
    ("2.5.5.12", "64"),
    ("2.5.5.9", "2"),
    ("2.5.5.16", "65"),
    ("2.5.5.8", "1"),
    ("2.5.5.10", "4"),
    ("2.5.5.17", "4"),
)
"""attributeSyntax and oMSyntax."""
_TEXTS = frozenset({"spn", "server"})
_OF_THE_SERVICE = ("max_queue_length", "max_queue_age", "max_retries", "retry_interval")


@dataclass(frozen=True)
class Entry:
    """One object; a value is bytes where it is not text."""

    dn: str
    object_class: str
    values: Mapping[str, Sequence[str | bytes]] = field(default_factory=dict)


def ldap_name(common_name: str) -> str:
    """Returns lDAPDisplayName as public scripts spell it: mS-MIIS-PCNS-TargetDisabled (pcns.md 2)."""
    return common_name[:1].lower() + common_name[1:]


def attribute_name(settings: PcnsDirectorySettings, word: str) -> str:
    """Returns an attribute's lDAPDisplayName."""
    return ldap_name(_attributes(settings)[word][0])


def schema_entries(
    settings: PcnsDirectorySettings, schema: str, parts: Iterable[str], foreign: Iterable[Foreign] = ()
) -> list[Entry]:
    """Returns the parts of the PCNS schema: attributes, then the service's class, then the target's.

    Args:
        settings: What the lab assumes.
        schema: Distinguished name of the schema.
        parts: Which, in the words of `lab.schema`.
        foreign: What others have there.
    """
    wanted = set(parts)
    attributes = {word: item for word, item in _attributes(settings).items() if word in wanted}
    entries = [_attribute(schema, *item, _syntax(settings, word)) for word, item in attributes.items()]
    below_service = (
        settings.placement is Placement.BELOW_SERVICE or settings.placement is Placement.CONTAINER_IS_SERVICE
    )
    above = ["container", *([ldap_name(CLASSES["service"][0])] if "service" in wanted and below_service else [])]
    for word in ("service", "target"):
        if word in wanted:
            own = {key for key in attributes if (key in _OF_THE_SERVICE) == (word == "service")}
            names = [ldap_name(attributes[key][0]) for key in attributes if key in own]
            entries.append(_class(schema, *CLASSES[word], names, above if word == "target" else ["container"]))
    for item in foreign:
        entries.append(
            _class(schema, item.common_name, item.oid, [], ["container"])
            if item.is_class
            else _attribute(schema, item.common_name, item.oid, _TEXT)
        )
    return entries


def object_entries(settings: PcnsDirectorySettings, base: str, objects: PcnsObjects) -> list[Entry]:
    """Returns the container, the service object and the targets of a domain; nothing when there are none."""
    if objects.configuration is None and not objects.targets:
        return []
    container = f"{CONTAINER},{base}"
    head = {"cn": ["Password Change Notification Service"]}
    entries: list[Entry] = []
    above = container
    if objects.configuration is None or settings.placement is not Placement.CONTAINER_IS_SERVICE:
        entries.append(Entry(container, "container", head))
    if objects.configuration is not None:
        values = _service(settings, objects.configuration)
        service = ldap_name(CLASSES["service"][0])
        if settings.placement is Placement.CONTAINER_IS_SERVICE:
            entries.append(Entry(container, service, {**head, **values}))
        else:
            dn = f"CN={settings.service_name},{container}"
            entries.append(Entry(dn, service, {"cn": [settings.service_name], **values}))
            above = dn if settings.placement is Placement.BELOW_SERVICE else container
    return entries + [_target(settings, above, item) for item in objects.targets]


def _attributes(settings: PcnsDirectorySettings) -> dict[str, tuple[str, str]]:
    return {**ATTRIBUTES, **settings.unpublished}


def _attribute(schema: str, common_name: str, oid: str, syntax: tuple[str, str]) -> Entry:
    values = {
        "cn": [common_name],
        "attributeID": [oid],
        "lDAPDisplayName": [ldap_name(common_name)],
        "attributeSyntax": [syntax[0]],
        "oMSyntax": [syntax[1]],
        "isSingleValued": ["TRUE"],
    }
    return Entry(f"CN={common_name},{schema}", "attributeSchema", values)


def _class(schema: str, common_name: str, oid: str, attributes: Sequence[str], above: Sequence[str]) -> Entry:
    values = {
        "cn": [common_name],
        "governsID": [oid],
        "lDAPDisplayName": [ldap_name(common_name)],
        "subClassOf": ["top"],
        "objectClassCategory": ["1"],
        "possSuperiors": list(above),
        "mayContain": list(attributes),
    }
    return Entry(f"CN={common_name},{schema}", "classSchema", {name: given for name, given in values.items() if given})


def _syntax(settings: PcnsDirectorySettings, word: str) -> tuple[str, str]:
    if word in _TEXTS:
        return _TEXT
    if word == "disabled":
        return _FLAG
    if word == "encryption_key":
        return _OCTETS
    if word == "guid":
        return _OCTETS if settings.guid_form is GuidForm.BINARY else _TEXT
    if word in ("inclusion_sid", "exclusion_sid"):
        return _SID if settings.sid_form is SidForm.BINARY else _TEXT
    return _LARGE if settings.large_integers else _NUMBER


def _service(settings: PcnsDirectorySettings, configuration: PcnsConfiguration) -> dict[str, list[str | bytes]]:
    return {
        attribute_name(settings, word): [_number(settings, getattr(configuration, word))] for word in _OF_THE_SERVICE
    }


def _target(settings: PcnsDirectorySettings, above: str, target: PcnsTarget) -> Entry:
    name = target.guid if settings.target_named_by_guid else target.name
    given: dict[str, str | bytes | None] = {
        "guid": UUID(target.guid).bytes_le if settings.guid_form is GuidForm.BINARY else target.guid,
        "spn": target.spn,
        "server": target.server,
        "authentication_service": _number(settings, settings.authentication_service),
        "user_name_format": _number(settings, target.user_name_format),
        "keep_alive": _number(settings, target.keep_alive),
        "disabled": "TRUE" if target.disabled else "FALSE",
        "encryption_key": target.encryption_key.encode(),
        "warning_level": _number(settings, target.warning_level),
        "warning_interval": _number(settings, target.warning_interval),
        "inclusion_sid": _sid(settings, target.inclusion_sid),
        "exclusion_sid": _sid(settings, target.exclusion_sid),
    }
    values: dict[str, Sequence[str | bytes]] = {
        attribute_name(settings, word): [value] for word, value in given.items() if value
    }
    shown = {"displayName": [target.name]} if settings.target_named_by_guid else {}
    dn = f"CN={escaped(name)},{above}"
    return Entry(dn, ldap_name(CLASSES["target"][0]), {"cn": [name], **shown, **values})


def _number(settings: PcnsDirectorySettings, value: int) -> str:
    return str(value - 2**32 if not settings.large_integers and value >= 2**31 else value)


def _sid(settings: PcnsDirectorySettings, sid: str | None) -> str | bytes | None:
    if not sid:
        return None
    return sid_bytes(sid) if settings.sid_form is SidForm.BINARY else sid


def sid_bytes(sid: str) -> bytes:
    """Returns a SID as the directory keeps it (MS-DTYP 2.4.2.2)."""
    _s, revision, authority, *numbers = sid.split("-")
    head = bytes((int(revision), len(numbers))) + int(authority).to_bytes(6, "big")
    return head + b"".join(int(number).to_bytes(4, "little") for number in numbers)


def escaped(name: str) -> str:
    """Returns a value as it is written in a distinguished name (RFC 4514)."""
    text = "".join(f"\\{letter}" if letter in ',+"\\<>;=' else letter for letter in name)
    if text[:1] in ("#", " "):
        text = f"\\{text}"
    return f"{text[:-1]}\\ " if text.endswith(" ") and not text.endswith("\\ ") else text
