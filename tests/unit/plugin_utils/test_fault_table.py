# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every fault of wsman.md 1.9 over a real connection, in every shape on record: error, sentences, what is done."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import (
    AccessDenied,
    DeadlineExceeded,
    EnvelopeTooLarge,
    HostError,
    OutcomeUnknown,
    QuotaExceeded,
    WsmanFault,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.codec._fault_table import FAULTS, FaultRow, find
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._host import Host
from ansible_collections.entsso.password_sync.tests.unit.lab.endpoint_kit import serving
from ansible_collections.entsso.password_sync.tests.unit.plugin_utils.fault_kit import NamedMachine, opened, start
from lab.endpoint import Endpoint
from lab.endpoint.wsman_fault import WMI_ERROR_NAMESPACES, ProviderError, WmiError, WsmanFaultError


@dataclass(frozen=True)
class Expected:
    """What a fault must lead to, written down from wsman.md 1.9 and not taken from the table.

    Attributes:
        kind: Class of the error.
        told: What its two sentences name.
        requests: How often a read is sent, the first time included.
        unknown: Whether the outcome of a write is then unknown.
        subcode: Subcode that newer systems give it, with its usual prefix.
    """

    kind: type[HostError]
    told: tuple[str, ...]
    requests: int = 1
    unknown: bool = False
    subcode: str = ""


TOO_LARGE = Expected(
    EnvelopeTooLarge, ("larger than the host may send", "MaxEnvelopeSizekb"), subcode="w:EncodingLimit"
)
PLUGIN = Expected(QuotaExceeded, ("quota of the WinRM plug-in", r"WSMan:\localhost\Plugin"), requests=4)
NAMESPACE = Expected(AccessDenied, ("denied by WMI", "Enable Account and Remote Enable", "root\\cimv2"))
ACCESS = Expected(AccessDenied, ("access was denied", "Remote Management Users"), subcode="w:AccessDenied")
PARAMETER = Expected(WsmanFault, ("refuses a parameter", "Correct the option"))
QUOTAS = Expected(QuotaExceeded, ("a quota of WinRM", "winrm/config/service"), requests=4)
FILTER = Expected(
    WsmanFault, ("does not know the class or the namespace", "Install the role"), subcode="n:CannotProcessFilter"
)

EXPECTED: dict[int, Expected] = {
    2150858752: Expected(
        WsmanFault, ("no such object", "Check the name", "0x80338000"), subcode="a:DestinationUnreachable"
    ),
    2150858778: FILTER,
    2150858779: Expected(
        WsmanFault, ("forgot the enumeration", "EnumerationTimeoutms"), subcode="n:InvalidEnumerationContext"
    ),
    2150858793: Expected(DeadlineExceeded, ("operation time-out", "less busy"), unknown=True, subcode="w:TimedOut"),
    2150858843: Expected(
        WsmanFault, ("the shell, the command or the key", "IdleTimeout"), subcode="w:InvalidSelectors"
    ),
    2150858767: Expected(
        WsmanFault, ("takes a header of the request for invalid", "-vvvv"), subcode="a:InvalidMessageInformationHeader"
    ),
    2150858817: Expected(WsmanFault, ("the parameters are not those", "-vvvv"), subcode="w:SchemaValidationError"),
    2150858790: TOO_LARGE,
    2150858805: TOO_LARGE,
    2150858824: TOO_LARGE,
    2150858999: Expected(WsmanFault, ("the Windows WinRM client", "proxy")),
    2150859002: Expected(WsmanFault, ("singleton",)),
    2150859003: Expected(WsmanFault, ("the whole namespace",)),
    2150859010: Expected(WsmanFault, ("does not offer this operation", "provider")),
    2150859011: Expected(WsmanFault, ("refuses a value", "Correct the option")),
    2150859012: NAMESPACE,
    2150859013: Expected(AccessDenied, ("denied by the WMI provider", "the service, the registry key")),
    2150859014: Expected(AccessDenied, ("when WMI was connected to", "Remote Enable")),
    2150859016: Expected(WsmanFault, ("an instance whose key", "Repair the provider")),
    2150859018: Expected(WsmanFault, ("characters that can't be sent", "control characters")),
    2150859038: PARAMETER,
    2150859173: Expected(QuotaExceeded, ("as many shells open", "MaxShellsPerUser")),
    2150859174: Expected(
        QuotaExceeded, ("as many WinRM operations", "MaxConcurrentOperationsPerUser"), 4, subcode="w:QuotaLimit"
    ),
    2150859175: QUOTAS,
    2150859176: QUOTAS,
    2150859179: Expected(QuotaExceeded, ("as many accounts have shells", "MaxConcurrentUsers")),
    **dict.fromkeys(range(2150859236, 2150859243), PLUGIN),
    5: ACCESS,
    87: PARAMETER,
    170: Expected(WsmanFault, ("in use", "less busy"), requests=4, unknown=True),
    995: Expected(WsmanFault, ("broke the operation off", "what stops WinRM or WMI"), unknown=True),
    2147942402: Expected(WsmanFault, ("did not find a file", "Check the path")),
    0x80041033: Expected(WsmanFault, ("shutting down or starting", "Winmgmt"), requests=4, unknown=True),
    0x80070005: ACCESS,
    0x80041003: NAMESPACE,
    0x80041010: FILTER,
    0x8004100E: FILTER,
    0x80041002: Expected(WsmanFault, ("no such object",)),
}

EXTENDED = (
    "http://schemas.microsoft.com/wbem/wsman/1/wmi/root/cimv2/__ExtendedStatus",
    "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/__ExtendedStatus",
)
WORDS = "What the host says in its own words"


FIRST = {row.codes[0] for row in FAULTS}


def shapes(code: int, subcode: str) -> Iterator[WsmanFaultError]:
    """Yields a fault in the shapes on record; of several numbers with one meaning only the first in all of them.

    Subcodes of WinRM 3.0 and 2.0, with and without the provider's part, MSFT_WmiError in every namespace.
    """
    named = subcode or "w:InternalError"
    yield WsmanFaultError(code, named, f"{WORDS}. ")
    wmi_errors = [WmiError(f"{WORDS}. ", namespace, 1) for namespace in (*WMI_ERROR_NAMESPACES, "urn:x/MSFT_WmiError")]
    yield WsmanFaultError(code, named, "Failed. ", wmi_error=wmi_errors[0])
    if code not in FIRST:
        return
    for other in {"w:InternalError", ""} - {named}:
        yield WsmanFaultError(code, other, f"{WORDS}. ")
    for namespace in EXTENDED:
        provider = ProviderError(f"{WORDS}. ", "GetObject", "Win32_Service", "CIMWin32", namespace)
        yield WsmanFaultError(code, named, "The WMI service or provider failed. ", provider=provider)
    for wmi_error in wmi_errors[1:]:
        yield WsmanFaultError(code, named, "Failed. ", wmi_error=wmi_error)


@pytest.fixture(scope="module")
def machine() -> NamedMachine:
    return NamedMachine()


@pytest.fixture(scope="module")
def endpoint(machine: NamedMachine) -> Iterator[Endpoint]:
    with serving(machine) as endpoint:
        yield endpoint


@pytest.fixture(scope="module")
def host(endpoint: Endpoint, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    with opened("winrm", endpoint.address, tmp_path_factory.mktemp("guard")) as host:
        assert start(host) == 10
        yield host


def read(host: Host) -> None:
    """A read that is no Get, for which a missing object would be an answer."""
    assert host.registry.multi_string("K", "Notification Packages") == ("rassfm", "scecli")


@pytest.mark.parametrize("code", EXPECTED)
def test_a_read_ends_with_the_right_error(host: Host, endpoint: Endpoint, code: int) -> None:
    expected = EXPECTED[code]
    for error in shapes(code, expected.subcode):
        endpoint.faults.raising(error, times=None)
        before = endpoint.statistics.requests
        with pytest.raises(HostError) as caught:
            read(host)
        endpoint.faults.clear()
        assert isinstance(caught.value, expected.kind), error
        if isinstance(caught.value, WsmanFault):
            assert caught.value.__class__ is not WsmanFault
            assert caught.value.code == code
        text = str(caught.value)
        for part in expected.told:
            assert part in text, text
        assert text.startswith("StdRegProv.GetMultiStringValue on dc01: ")
        assert expected.kind is DeadlineExceeded or WORDS in text, text
        assert endpoint.statistics.requests - before == expected.requests


@pytest.mark.parametrize("code", EXPECTED)
def test_a_write_is_never_sent_again(host: Host, endpoint: Endpoint, machine: NamedMachine, code: int) -> None:
    expected = EXPECTED[code]
    endpoint.faults.raising(next(shapes(code, expected.subcode)), times=None)
    before, done = endpoint.statistics.requests, len(machine.invoked)
    with pytest.raises(HostError) as caught:
        start(host)
    endpoint.faults.clear()
    assert isinstance(caught.value, OutcomeUnknown if expected.unknown else expected.kind), caught.value
    assert endpoint.statistics.requests - before == 1
    assert len(machine.invoked) == done
    if expected.unknown:
        assert "Run again: the next run looks at the host first" in str(caught.value)


@pytest.mark.parametrize("code", [code for code, expected in EXPECTED.items() if expected.requests > 1])
def test_what_passes_is_waited_for(host: Host, endpoint: Endpoint, code: int) -> None:
    endpoint.faults.raising(WsmanFaultError(code, "w:InternalError", "Busy. "), times=3)
    read(host)
    assert endpoint.faults.pending == 0


@pytest.mark.parametrize("code", [2150858752, 0x80041002])
def test_a_get_of_what_is_not_there(host: Host, endpoint: Endpoint, code: int) -> None:
    for error in shapes(code, "a:DestinationUnreachable"):
        endpoint.faults.raising(error)
        assert host.wmi.get("Win32_Service", {"Name": "PCNSSVC"}) is None


@pytest.mark.parametrize("status", [0x80041010, 0x8004100E, 0x80041003])
def test_the_innermost_number_decides(host: Host, endpoint: Endpoint, status: int) -> None:
    """A missing class or a closed namespace must never pass for a missing instance."""
    provider = ProviderError("No. ", "GetObject", "Win32_Service", "WinMgmt", status=status)
    endpoint.faults.raising(WsmanFaultError(2150858752, "a:DestinationUnreachable", "No. ", provider=provider))
    with pytest.raises(EXPECTED[status].kind, match=EXPECTED[status].told[0]):
        host.wmi.get("Win32_Service", {"Name": "PCNSSVC"})


@pytest.mark.parametrize(
    ("status", "kind"), [(2, AccessDenied), (4, WsmanFault), (5, WsmanFault), (27, QuotaExceeded), (6, None)]
)
def test_the_status_of_cim_where_there_is_no_number(
    host: Host, endpoint: Endpoint, status: int, kind: type[HostError] | None
) -> None:
    wmi_error = WmiError("No. ", WMI_ERROR_NAMESPACES[2], status, error_type="MI")
    endpoint.faults.raising(WsmanFaultError(status, "", "No. ", wmi_error=wmi_error), times=None)
    try:
        if kind is None:
            assert host.wmi.get("Win32_Service", {"Name": "PCNSSVC"}) is None
            return
        with pytest.raises(kind):
            host.wmi.get("Win32_Service", {"Name": "PCNSSVC"})
    finally:
        endpoint.faults.clear()


def test_a_number_nobody_knows(host: Host, endpoint: Endpoint) -> None:
    endpoint.faults.raising(WsmanFaultError(15007, "w:InternalError", "The channel could not be found. "))
    with pytest.raises(WsmanFault, match=r"fault 15007 \(0x00003A9F\), InternalError: The channel could not be found"):
        read(host)


def test_the_table_is_the_one_of_the_sheet() -> None:
    codes = [code for row in FAULTS for code in row.codes]
    assert sorted(codes) == sorted(EXPECTED)
    assert len(set(codes)) == len(codes)
    subcodes = [row.subcode for row in FAULTS if row.subcode]
    assert len(set(subcodes)) == len(subcodes)
    statuses = [row.cim_status for row in FAULTS if row.cim_status is not None]
    assert len(set(statuses)) == len(statuses)


@pytest.mark.parametrize("row", FAULTS, ids=lambda row: row.name)
def test_every_row_can_be_read_by_people(row: FaultRow) -> None:
    for text in (row.sentence, row.remedy, row.recovery.value):
        assert len(text.split()) > 2
        assert not text.rstrip().endswith(".")
    assert row.remedy[0].isupper()
    assert row.sentence[0].islower() or row.sentence.startswith(("WMI", "Windows"))
    for code in row.codes:
        assert find((code,), None, "") is row
