# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Services over a scripted exchange."""

from __future__ import annotations

import pytest

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import (
    AccessDenied,
    DeadlineExceeded,
    OperationFailed,
    UnreadableOutput,
)
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._host import Host
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._services import (
    ServiceRunState,
    Services,
    ServiceState,
    StartMode,
)
from ansible_collections.entsso.password_sync.tests.unit.plugin_utils.scripted import (
    NOT_FOUND,
    Clock,
    ScriptedExchange,
    Step,
    instance,
    output,
)


def _state(state: str, **values: object) -> Step:
    known: dict[str, object] = {
        "Name": "PCNSSVC",
        "DisplayName": "Password Change Notification Service",
        "State": state,
        "StartMode": "Auto",
        "StartName": "LocalSystem",
        "PathName": r"C:\x.exe",
        "ProcessId": 4,
        "ExitCode": 0,
    }
    return Step("/Get", instance("Win32_Service", **(known | values)))


def _called(method: str, result: int, *contains: str) -> Step:
    return Step(f"/{method}", output("Win32_Service", method, ReturnValue=result), contains)


def _services(*steps: Step) -> tuple[Services, ScriptedExchange, Clock]:
    exchange, clock = ScriptedExchange(*steps), Clock()
    return Host("dc01", exchange, sleep=clock.sleep, clock=clock).services, exchange, clock


def test_get() -> None:
    services, _exchange, _clock = _services(_state("Running", DelayedAutoStart="true"))
    assert services.get("PCNSSVC") == ServiceState(
        "PCNSSVC",
        "Password Change Notification Service",
        ServiceRunState.RUNNING,
        StartMode.AUTO,
        "LocalSystem",
        r"C:\x.exe",
        4,
        True,
        0,
    )


def test_absent_only_when_the_registry_agrees() -> None:
    gone = Step("/EnumKey", output("StdRegProv", "EnumKey", ReturnValue=2), (r"CurrentControlSet\Services\PCNSSVC",))
    services, exchange, _clock = _services(Step("/Get", NOT_FOUND), gone)
    assert services.get("PCNSSVC") is None
    assert exchange.done()
    there = Step("/EnumKey", output("StdRegProv", "EnumKey", ReturnValue=0))
    services, _exchange, _clock = _services(Step("/Get", NOT_FOUND), there)
    with pytest.raises(AccessDenied, match="service PCNSSVC on dc01: it is in the registry"):
        services.get("PCNSSVC")


def test_a_state_nobody_knows_is_not_guessed() -> None:
    services, _exchange, _clock = _services(_state("Dancing"))
    with pytest.raises(UnreadableOutput, match="Dancing"):
        services.get("PCNSSVC")


def test_start_waits_until_it_runs() -> None:
    services, exchange, clock = _services(
        _state("Stopped"),
        _called("StartService", 0, 'Name="Name">PCNSSVC<'),
        _state("Start Pending"),
        _state("Running"),
    )
    assert services.start("PCNSSVC").state is ServiceRunState.RUNNING
    assert exchange.done()
    assert clock.slept == [0.5]


def test_what_is_as_wanted_is_left_alone() -> None:
    services, exchange, _clock = _services(_state("Running"), _state("Running"))
    services.start("PCNSSVC")
    assert exchange.done()
    services, exchange, _clock = _services(_state("Stopped"), _state("Stopped"))
    services.stop("PCNSSVC")
    assert exchange.done()


@pytest.mark.parametrize(("method", "result"), [("StartService", 10), ("StopService", 6)])
def test_somebody_else_was_faster(method: str, result: int) -> None:
    before, after = ("Stopped", "Running") if method == "StartService" else ("Running", "Stopped")
    services, _exchange, _clock = _services(_state(before), _called(method, result), _state(after))
    (services.start if method == "StartService" else services.stop)("PCNSSVC")


def test_a_service_that_stops_itself_is_an_error_at_once() -> None:
    services, exchange, _clock = _services(
        _state("Stopped"), _called("StartService", 0), _state("Start Pending"), _state("Stopped", ExitCode=1066)
    )
    with pytest.raises(OperationFailed, match="stopped again with exit code 1066"):
        services.start("PCNSSVC")
    assert exchange.done()


def test_the_deadline_names_the_last_state() -> None:
    services, _exchange, clock = _services(_state("Running"), _called("StopService", 0), *[_state("Stop Pending")] * 3)
    with pytest.raises(DeadlineExceeded, match="awaited Stopped for 1 seconds and is Stop Pending"):
        services.stop("PCNSSVC", deadline=1)
    assert clock.slept == [0.5, 0.5]


def test_refusals_have_their_meaning() -> None:
    services, _exchange, _clock = _services(_state("Stopped"), _called("StartService", 14))
    with pytest.raises(OperationFailed, match="StartService returned 14: the service is disabled"):
        services.start("PCNSSVC")
    services, _exchange, _clock = _services(_state("Running"), _called("StopService", 2))
    with pytest.raises(AccessDenied, match="StopService is not allowed"):
        services.stop("PCNSSVC")


def test_start_mode_is_written_under_its_other_name() -> None:
    services, exchange, _clock = _services(_called("ChangeStartMode", 0, "<p:StartMode>Automatic</p:StartMode>"))
    services.set_start_mode("PCNSSVC", StartMode.AUTO)
    assert exchange.done()
    services, _exchange, _clock = _services(_called("ChangeStartMode", 0, "<p:StartMode>Disabled</p:StartMode>"))
    services.set_start_mode("PCNSSVC", StartMode.DISABLED)


def test_starting_what_does_not_exist() -> None:
    gone = Step("/EnumKey", output("StdRegProv", "EnumKey", ReturnValue=2))
    services, _exchange, _clock = _services(Step("/Get", NOT_FOUND), gone)
    with pytest.raises(OperationFailed, match="it does not exist"):
        services.start("PCNSSVC")
