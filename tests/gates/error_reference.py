# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes docs/errors.md from the errors that the code knows; `python -m gates.error_reference` in tests/."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from ansible_collections.entsso.password_sync.plugins.module_utils import _errors as errors
from ansible_collections.entsso.password_sync.plugins.module_utils.codec._fault_table import FAULTS, FaultRow
from ansible_collections.entsso.password_sync.plugins.module_utils.transfer import _smb_status as smb_status
from ansible_collections.entsso.password_sync.plugins.module_utils.transfer._smb_status import Meaning
from ansible_collections.entsso.password_sync.plugins.plugin_utils._action import UNREACHABLE

ROOT = Path(__file__).resolve().parents[2]
TARGET = ROOT / "docs" / "errors.md"

HEAD = """\
# Errors

What can go wrong between the control node and a host, and what to do. This file is made from the tables of the code by
`tests/gates/error_reference.py`; a test fails when it is not up to date.

A message is two sentences: what is the case with which object on which host, and what to do. Where Windows gave a
number, the message has it, and the tables below say more. [connections](connections.md) says what to set and which
rights are needed; the module `connection_info` finds out which of them is missing.

"""

KINDS = """\
## Kinds

"unreachable" and "failed" are what Ansible reports. In plays that only observe (`compliance`, `observe`), what
failed on a host becomes an `unknown` finding instead.

| what it means | reported as | in the code |
| --- | --- | --- |
"""

FAULT_HEAD = """\

## Faults of WinRM and WMI

WS-Management faults by their number, as the message shows it. A write is never sent again because of a fault. Numbers
and names are those of Microsoft's `wsmerror.h`, `winerror.h` and `wbemcli.h`.

| number | name | what is the case | what to do | done by itself |
| --- | --- | --- | --- | --- |
"""

SMB_HEAD = """\

## Refusals of the SMB server

NT status codes (MS-ERREF 2.3.1) that a push over SMB may end with.

| number | refused | what is the case | what to do |
| --- | --- | --- | --- |
"""

CODES = """\

## Exit codes and return values

Those of Windows Installer and `Win32_Service` are explained in the message itself. For others look the number up with
`certutil -error <number>` or `net helpmsg <number>` on any Windows machine.
"""


def kinds() -> Iterator[type[errors.HostError]]:
    """Yields every kind of error that reaches a user, in the order of the file."""
    for _name, kind in sorted(vars(errors).items(), key=lambda item: _line(item[1])):
        if inspect.isclass(kind) and issubclass(kind, errors.HostError) and kind is not errors.HostError:
            yield kind


def reference() -> str:
    """Returns the whole page."""
    rows = [
        f"| {_first(kind)} | {'unreachable' if issubclass(kind, UNREACHABLE) else 'failed'} | `{kind.__name__}` |"
        for kind in kinds()
    ]
    faults = [_fault(row) for row in FAULTS]
    refusals = [line for what, table in _smb().items() for line in _refusals(what, table)]
    return "".join(
        (HEAD, KINDS, _lines(rows), FAULT_HEAD, _lines(faults), SMB_HEAD, _lines(refusals), CODES),
    )


def _fault(row: FaultRow) -> str:
    numbers = ", ".join(f"{code} (0x{code:X})" for code in row.codes) or "none"
    subcode = f"; SOAP subcode `{row.subcode}`" if row.subcode else ""
    return (
        f"| {numbers} | `{row.name}`{subcode} | {_sentence(row.sentence)} | {_sentence(row.remedy)} "
        f"| {_sentence(row.recovery.value)} |"
    )


def _smb() -> Mapping[str, Mapping[int, Meaning]]:
    tables = vars(smb_status)
    return {"the account": tables["_ACCOUNT"], "the share": tables["_SHARE"], "the file": tables["_FILE"]}


def _refusals(what: str, table: Mapping[int, Meaning]) -> Iterator[str]:
    for status, meaning in table.items():
        number = smb_status.number(status)
        yield f"| {number} | {what} | {_sentence(meaning.reason)} | {_sentence(meaning.remedy)} |"


def _first(kind: type[errors.HostError]) -> str:
    return " ".join((inspect.getdoc(kind) or "").split("\n\n", maxsplit=1)[0].split())


def _line(item: object) -> int:
    return inspect.getsourcelines(item)[1] if inspect.isclass(item) and item.__module__ == errors.__name__ else 0


def _sentence(text: str) -> str:
    plain = text.replace("|", "\\|").strip().rstrip(".")
    return plain[:1].upper() + plain[1:]


def _lines(rows: list[str]) -> str:
    return "".join(f"{row}\n" for row in rows)


def main() -> int:
    """Writes the page."""
    TARGET.write_text(reference(), encoding="utf-8")
    print(f"{TARGET.relative_to(ROOT)}: {len(list(kinds()))} kinds, {len(FAULTS)} rows of faults")
    return 0


if __name__ == "__main__":
    sys.exit(main())
