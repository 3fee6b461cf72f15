# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each WS-Management fault means: one row for what people read, what they do, and what is done by itself.

Numbers, names and causes: wsman.md 1.9; names and texts of the numbers as in wsmerror.h of the Windows SDK. The page
that explains the errors is written from this table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum


class Meaning(Enum):
    """What a fault says about the request, whatever its words."""

    NOT_FOUND = "the object does not exist"
    ACCESS_DENIED = "the account may not do this"
    TIMED_OUT = "the host did not finish in time"
    CONTEXT_LOST = "the host no longer knows the enumeration"
    SHELL_LOST = "the host no longer knows the shell or the command"
    QUOTA = "a quota of the host is used up"
    TOO_LARGE = "a message is larger than allowed"
    BUSY = "the host can't do it now"
    ABORTED = "the host began and broke off"
    REFUSED = "the host refuses the request as it is"


class Recovery(Enum):
    """What is done about a fault without asking anybody. A write is never sent again because of a fault."""

    NONE = "nothing; the task fails"
    ABSENT = "a Get reads it as `does not exist`; anything else fails"
    WAIT = "a read is sent again after 1, 2 and 4 seconds"
    AGAIN = "while output or events are awaited, they are asked for again until the deadline; anything else fails"
    ANEW = "the query or the reading of events starts again from the beginning, once"
    NEW_SHELL = "a command that was not started is started in a new shell, once; while it runs, its outcome is unknown"


@dataclass(frozen=True)
class FaultRow:
    """One fault, or several of one cause.

    Attributes:
        codes: Its numbers, unsigned; empty where only the subcode tells.
        name: Name of the first number in Microsoft's headers.
        meaning: What it says about the request.
        sentence: What is the case, a clause without a full stop.
        remedy: What to do, one sentence.
        recovery: What is done by itself.
        subcode: The SOAP subcode that alone says the same, without prefix; empty where it says less.
        may_have_run: Whether a write that is answered so may have had its effect, all or part of it.
        cim_status: The CIMStatusCode of MSFT_WmiError that alone says the same (DSP0200).
    """

    codes: tuple[int, ...]
    name: str
    meaning: Meaning
    sentence: str
    remedy: str
    recovery: Recovery = Recovery.NONE
    subcode: str = ""
    may_have_run: bool = False
    cim_status: int | None = None


_REPORT = "Report it with the output of -vvvv: the request and this version of Windows do not fit together"
_QUOTA = "or wait until other programs that use WinRM with this account have ended"
_SHELLS = "Close shells that other programs left open on the host (restarting the WinRM service closes all)"

FAULTS: tuple[FaultRow, ...] = (
    FaultRow(
        (2150858752, 0x80041002),
        "ERROR_WSMAN_RESOURCE_NOT_FOUND",
        Meaning.NOT_FOUND,
        "there is no such object on the host",
        "Check the name, and that what brings the object is installed on the host",
        Recovery.ABSENT,
        cim_status=6,
    ),
    FaultRow(
        (2150858778, 0x80041010, 0x8004100E),
        "ERROR_WSMAN_CANNOT_PROCESS_FILTER",
        Meaning.REFUSED,
        "WMI on the host does not know the class or the namespace, or can't read the query",
        "Install the role or the product that brings the class; if it is there, repair WMI on the host "
        "(winmgmt /verifyrepository)",
        subcode="CannotProcessFilter",
        cim_status=5,
    ),
    FaultRow(
        (2150858779,),
        "ERROR_WSMAN_ENUMERATE_INVALID_ENUMERATION_CONTEXT",
        Meaning.CONTEXT_LOST,
        "the host forgot the enumeration between two parts of the answer",
        "Run again; if it stays, raise EnumerationTimeoutms in winrm/config on the host",
        Recovery.ANEW,
        "InvalidEnumerationContext",
    ),
    FaultRow(
        (2150858793,),
        "ERROR_WSMAN_OPERATION_TIMEDOUT",
        Meaning.TIMED_OUT,
        "the host did not finish the request within its operation time-out",
        "Run again when the host is less busy",
        Recovery.AGAIN,
        "TimedOut",
        may_have_run=True,
    ),
    FaultRow(
        (2150858843,),
        "ERROR_WSMAN_UNEXPECTED_SELECTORS",
        Meaning.SHELL_LOST,
        "the shell, the command or the key that the request names does not exist on the host",
        "Run again; if it stays, find out what closes shells on the host (a restart of WinRM, its IdleTimeout)",
        Recovery.NEW_SHELL,
        "InvalidSelectors",
    ),
    FaultRow(
        (2150858767,),
        "ERROR_WSMAN_INVALID_MESSAGE_INFORMATION_HEADER",
        Meaning.REFUSED,
        "the host takes a header of the request for invalid",
        _REPORT,
        subcode="InvalidMessageInformationHeader",
    ),
    FaultRow(
        (2150858817,),
        "ERROR_WSMAN_SCHEMA_VALIDATION_ERROR",
        Meaning.REFUSED,
        "the parameters are not those that the method has on this version of Windows",
        _REPORT,
        subcode="SchemaValidationError",
    ),
    FaultRow(
        (2150858790, 2150858805, 2150858824),
        "ERROR_WSMAN_ENVELOPE_TOO_LARGE",
        Meaning.TOO_LARGE,
        "the answer is larger than the host may send in one message",
        "Raise MaxEnvelopeSizekb in winrm/config on the host, to its default of 500 or above",
        subcode="EncodingLimit",
    ),
    FaultRow(
        (2150858999,),
        "ERROR_WSMAN_HTTP_INVALID_CONTENT_TYPE_IN_RESPONSE_DATA",
        Meaning.REFUSED,
        "the number is one of the Windows WinRM client, which no WinRM service sends",
        "Find out what answers in place of the host: a proxy or a gateway on the way",
    ),
    FaultRow(
        (2150859002,),
        "ERROR_WSMAN_INVALID_URI_WMI_SINGLETON",
        Meaning.REFUSED,
        "the class is a singleton on this version of Windows and the request names an instance, or the other way round",
        _REPORT,
    ),
    FaultRow(
        (2150859003,),
        "ERROR_WSMAN_INVALID_URI_WMI_ENUM_WQL",
        Meaning.REFUSED,
        "a query was sent to one class where the host wants the whole namespace",
        _REPORT,
    ),
    FaultRow(
        (2150859010,),
        "ERROR_WSMAN_WMI_PROVIDER_NOT_CAPABLE",
        Meaning.REFUSED,
        "the WMI provider on the host does not offer this operation",
        "Repair or update what brings the provider, or report it with the version of Windows",
    ),
    FaultRow(
        (2150859011,),
        "ERROR_WSMAN_WMI_INVALID_VALUE",
        Meaning.REFUSED,
        "WMI on the host refuses a value in the request",
        "Correct the option that the subject comes from",
    ),
    FaultRow(
        (2150859012, 0x80041003),
        "ERROR_WSMAN_WMI_SVC_ACCESS_DENIED",
        Meaning.ACCESS_DENIED,
        "access was denied by WMI",
        "Give the account Enable Account and Remote Enable on the WMI namespace (root\\cimv2 unless another is named), "
        "and Execute Methods for the registry and for changes",
        cim_status=2,
    ),
    FaultRow(
        (2150859013,),
        "ERROR_WSMAN_WMI_PROVIDER_ACCESS_DENIED",
        Meaning.ACCESS_DENIED,
        "access was denied by the WMI provider",
        "Give the account the right on the object itself: the service, the registry key, the file or the event log",
    ),
    FaultRow(
        (2150859014,),
        "ERROR_WSMAN_WMI_CANNOT_CONNECT_ACCESS_DENIED",
        Meaning.ACCESS_DENIED,
        "access was denied when WMI was connected to",
        "Give the account Remote Enable on the WMI namespace (root\\cimv2 unless another is named)",
    ),
    FaultRow(
        (2150859016,),
        "ERROR_WSMAN_ENUMERATE_WMI_INVALID_KEY",
        Meaning.REFUSED,
        "WMI on the host found an instance whose key it can't write",
        "Repair the provider of the class on the host",
    ),
    FaultRow(
        (2150859018,),
        "ERROR_WSMAN_INVALID_CHARACTERS_IN_RESPONSE",
        Meaning.REFUSED,
        "the answer holds characters that can't be sent",
        "Look for control characters in the object on the host and remove them",
    ),
    FaultRow(
        (2150859038,),
        "ERROR_WSMAN_WMI_PROVIDER_INVALID_PARAMETER",
        Meaning.REFUSED,
        "the WMI provider on the host refuses a parameter",
        "Correct the option that the subject comes from",
        cim_status=4,
    ),
    FaultRow(
        (2150859173,),
        "ERROR_WSMAN_QUOTA_MAX_SHELLS",
        Meaning.QUOTA,
        "the account has as many shells open on the host as it may",
        f"{_SHELLS}, or raise MaxShellsPerUser in winrm/config/winrs",
    ),
    FaultRow(
        (2150859174,),
        "ERROR_WSMAN_QUOTA_MAX_OPERATIONS",
        Meaning.QUOTA,
        "the account has as many WinRM operations open on the host as it may",
        f"Raise MaxConcurrentOperationsPerUser in winrm/config/service on the host, {_QUOTA}",
        Recovery.WAIT,
        "QuotaLimit",
        cim_status=27,
    ),
    FaultRow(
        (2150859175, 2150859176),
        "ERROR_WSMAN_QUOTA_USER",
        Meaning.QUOTA,
        "a quota of WinRM for the account or for the whole host is used up",
        f"Raise the quotas in winrm/config/service on the host, {_QUOTA}",
        Recovery.WAIT,
    ),
    FaultRow(
        (2150859179,),
        "ERROR_WSMAN_QUOTA_MAX_SHELLUSERS",
        Meaning.QUOTA,
        "as many accounts have shells open on the host as may",
        f"{_SHELLS}, or raise MaxConcurrentUsers in winrm/config/winrs",
    ),
    FaultRow(
        (2150859236, 2150859237, 2150859238, 2150859239, 2150859240, 2150859241, 2150859242),
        "ERROR_WSMAN_QUOTA_MAX_SHELLS_PPQ",
        Meaning.QUOTA,
        "a quota of the WinRM plug-in on the host is used up",
        f"Raise the quotas of the plug-in (WSMan:\\localhost\\Plugin) on the host, {_QUOTA}",
        Recovery.WAIT,
    ),
    FaultRow(
        (5, 0x80070005),
        "ERROR_ACCESS_DENIED",
        Meaning.ACCESS_DENIED,
        "access was denied",
        "Make the account a member of Remote Management Users (of Administrators, for changes) on the host, and give "
        "it the right on the object itself",
        subcode="AccessDenied",
    ),
    FaultRow(
        (87,),
        "ERROR_INVALID_PARAMETER",
        Meaning.REFUSED,
        "Windows refuses a parameter of the request",
        "Correct the option that the subject comes from",
    ),
    FaultRow(
        (170,),
        "ERROR_BUSY",
        Meaning.BUSY,
        "the object is in use on the host",
        "Run again when the host is less busy",
        Recovery.WAIT,
        may_have_run=True,
    ),
    FaultRow(
        (995,),
        "ERROR_OPERATION_ABORTED",
        Meaning.ABORTED,
        "the host broke the operation off",
        "Run again; if it stays, look for what stops WinRM or WMI on the host",
        may_have_run=True,
    ),
    FaultRow(
        (0x80041033,),
        "WBEM_E_SHUTTING_DOWN",
        Meaning.BUSY,
        "WMI on the host is shutting down or starting again",
        "Run again when the host has started, or start the service Winmgmt",
        Recovery.WAIT,
        may_have_run=True,
    ),
    FaultRow(
        (2147942402,),
        "ERROR_FILE_NOT_FOUND",
        Meaning.REFUSED,
        "Windows did not find a file that the request needs",
        "Check the path in the option that the subject comes from; a program that is missing shows the same way",
    ),
)

_BY_CODE: Mapping[int, FaultRow] = {code: row for row in FAULTS for code in row.codes}
_BY_SUBCODE: Mapping[str, FaultRow] = {row.subcode: row for row in FAULTS if row.subcode}
_BY_STATUS: Mapping[int, FaultRow] = {row.cim_status: row for row in FAULTS if row.cim_status is not None}


def find(codes: Iterable[int], cim_status: int | None, subcode: str) -> FaultRow | None:
    """Returns the row of a fault, None for one that is not in the table.

    The number decides, since older systems give one error only a number for which newer ones have a subcode
    (wsman.md 1.9); among several the last that is known, which is the innermost and most exact.
    """
    for code in reversed(tuple(codes)):
        if code in _BY_CODE:
            return _BY_CODE[code]
    if cim_status is not None and cim_status in _BY_STATUS:
        return _BY_STATUS[cim_status]
    return _BY_SUBCODE.get(subcode)
