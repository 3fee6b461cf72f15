# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A machine: LSA loads at boot only, services, WMI classes, cmd, certutil, shutdown."""

from __future__ import annotations

import base64
import hashlib

import pytest
from unit.lab.estate_kit import TEMP, install, restart

from lab.backend import ChannelUnreadable, EventRecord
from lab.forest import Forest
from lab.settings import LabSettings, WindowsSettings
from lab.windows.host import SimulatedHost
from lab.windows.lsa import LSA, SYSTEM32, VALUE
from lab.windows.services import StartMode

WEEK = 7 * 24 * 3600


def events(host: SimulatedHost, channel: str) -> list[EventRecord]:
    """Returns the records of a channel that can be read."""
    found = host.event_channel(channel)
    assert not isinstance(found, ChannelUnreadable)
    return list(found)


def property_of(host: SimulatedHost, class_name: str, name: str) -> object:
    """Returns a property of the one instance of a class."""
    (instance,) = host.wmi_instances("root/cimv2", class_name) or ()
    return instance[name]


def test_lsa_loads_a_registered_package_only_when_the_machine_boots() -> None:
    forest = Forest()
    host = forest.host("dc01")
    assert install(host) == 3010
    assert host.lsa.registered == ("rassfm", "scecli", "PCNSFLT")
    assert not host.lsa.is_loaded("PCNSFLT")
    forest.advance(WEEK)
    assert not host.lsa.is_loaded("PCNSFLT")
    restart(forest, host)
    assert host.lsa.is_loaded("PCNSFLT")
    names = [event.data[0][1] for event in events(host, "Security") if event.event_id == 4614]
    assert names == ["rassfm", "scecli", "rassfm", "scecli", "PCNSFLT"]


def test_what_is_loaded_stays_loaded_when_its_entry_goes() -> None:
    forest = Forest()
    host = forest.host("dc01")
    install(host)
    restart(forest, host)
    host.remove_notification_package("pcnsflt")
    assert host.lsa.registered == ("rassfm", "scecli")
    assert host.lsa.is_loaded("PCNSFLT")
    restart(forest, host)
    assert not host.lsa.is_loaded("PCNSFLT")


def test_a_package_without_its_file_is_reported_with_126() -> None:
    forest = Forest()
    host = forest.host("dc01")
    host.registry.set_multi_string(LSA, VALUE, ["rassfm", "scecli", "PCNSFLT"])
    restart(forest, host)
    (event,) = host.events.find("Microsoft-Windows-Directory-Services-SAM", 16953)
    assert (event.channel, event.data[0][1], event.data[3][1]) == ("System", "PCNSFLT", "126")
    assert not host.lsa.is_loaded("PCNSFLT")


def test_a_blocked_filter_is_reported_with_577_and_windows_own_packages_load() -> None:
    forest = Forest()
    host = forest.host("dc01")
    install(host)
    host.faults.filter_blocked_error = 577
    restart(forest, host)
    (event,) = host.events.find("Microsoft-Windows-Directory-Services-SAM", 16953)
    assert event.data[3][1] == "577"
    assert [package.name for package in host.lsa.loaded] == ["rassfm", "scecli"]


def test_without_auditing_there_is_no_4614() -> None:
    settings = LabSettings(windows=WindowsSettings(audit_security_system_extension=False))
    assert events(Forest(settings).host("dc01"), "Security") == []


def test_a_restart_moves_boot_time_and_starts_automatic_services() -> None:
    forest = Forest()
    host = forest.host("dc01")
    before = property_of(host, "Win32_OperatingSystem", "LastBootUpTime")
    host.services.set_start_mode("W32Time", StartMode.DISABLED)
    host.services.stop("Netlogon")
    assert host.run("shutdown /r /t 5 /d p:4:1")[0] == 0
    assert host.run("shutdown /r /t 5 /d p:4:1")[0] == 1190
    forest.advance(0.6)
    assert not host.power.on
    with pytest.raises(ConnectionError):
        forest.change_password("dc01", "alice")
    forest.advance(2)
    assert host.power.on
    assert host.boot_count == 2
    after = property_of(host, "Win32_OperatingSystem", "LastBootUpTime")
    assert before != after
    assert host.services.is_running("Netlogon")
    assert not host.services.is_running("W32Time")


def test_a_scheduled_restart_can_be_taken_back() -> None:
    forest = Forest()
    host = forest.host("dc01")
    assert host.run("shutdown /a")[0] == 1116
    host.run("shutdown /r /t 60")
    assert host.run("shutdown /a")[0] == 0
    forest.advance(WEEK)
    assert host.boot_count == 1


def test_a_host_that_never_returns_stays_down_until_it_is_switched_on() -> None:
    forest = Forest()
    host = forest.host("dc01")
    host.faults.restart_never_returns = True
    restart(forest, host)
    forest.advance(WEEK)
    assert not host.power.on
    host.power_on()
    assert host.power.on


def test_win32_service_methods_return_their_codes() -> None:
    host = Forest().host("dc01")
    (service,) = [
        item for item in host.wmi_instances("root/cimv2", "Win32_Service") or () if item["Name"] == "Netlogon"
    ]
    assert (service["State"], service["StartMode"], service["Started"]) == ("Running", "Auto", True)

    def invoke(method: str, **parameters: list[str]) -> object:
        return host.wmi_invoke("root/cimv2", "Win32_Service", method, service, parameters)["ReturnValue"]

    assert invoke("StartService") == 10
    assert invoke("StopService") == 0
    assert invoke("StopService") == 5
    assert invoke("ChangeStartMode", StartMode=["Auto"]) == 21
    assert invoke("ChangeStartMode", StartMode=["Disabled"]) == 0
    assert invoke("StartService") == 14
    host.faults.services_that_fail["netlogon"] = 7
    assert invoke("ChangeStartMode", StartMode=["Automatic"]) == 0
    assert invoke("StartService") == 7


def test_machine_classes_tell_what_kind_of_dc_it_is() -> None:
    forest = Forest()
    assert property_of(forest.host("dc01"), "Win32_ComputerSystem", "DomainRole") == 5
    assert property_of(forest.host("dc02"), "Win32_ComputerSystem", "DomainRole") == 4
    assert property_of(forest.host("sso01"), "Win32_ComputerSystem", "DomainRole") == 3
    assert property_of(forest.host("dc02"), "Win32_OperatingSystem", "ProductType") == 2
    disk = property_of(forest.host("dc02"), "Win32_LogicalDisk", "FreeSpace")
    assert isinstance(disk, int)
    assert disk > 0


def test_data_files_have_lower_case_names_and_versions() -> None:
    forest = Forest()
    host = forest.host("dc01")
    install(host)
    files = {item["Name"]: item for item in host.wmi_instances("root/cimv2", "CIM_DataFile") or ()}
    found = files[r"c:\windows\system32\pcnsflt.dll"]
    assert found["Version"] == "1.0.100.0"
    assert (found["FileName"], found["Extension"], found["Path"]) == ("pcnsflt", "dll", "\\windows\\system32\\")


def test_an_unreadable_or_missing_channel_says_so() -> None:
    host = Forest().host("dc01")
    host.events.unreadable["security"] = ChannelUnreadable("Access is denied.")
    assert host.event_channel("Security") == ChannelUnreadable("Access is denied.")
    missing = host.event_channel("Nothing")
    assert isinstance(missing, ChannelUnreadable)
    assert missing.code == 15007


def test_a_file_comes_through_standard_input_byte_for_byte() -> None:
    host = Forest().host("dc01")
    content = bytes(range(256)) * 300
    encoded = base64.encodebytes(content).replace(b"\n", b"\r\n")
    assert host.run(f'findstr "^" > {TEMP}\\x.b64', encoded)[0] == 0
    assert host.run(f"certutil -f -decode {TEMP}\\x.b64 {TEMP}\\x.bin && del /f /q {TEMP}\\x.b64")[0] == 0
    exit_code, output, _unused = host.run(f"certutil -hashfile {TEMP}\\x.bin SHA256")
    assert exit_code == 0
    assert hashlib.sha256(content).hexdigest() in output
    assert host.run(f"move /y {TEMP}\\x.bin {TEMP}\\y.bin")[0] == 0
    file = host.files.get(f"{TEMP}\\y.bin")
    assert file is not None
    assert file.content == content
    assert host.files.get(f"{TEMP}\\x.bin") is None
    assert host.files.get(f"{TEMP}\\x.b64") is None


def test_certutil_says_what_is_wrong() -> None:
    host = Forest().host("dc01")
    assert host.run(rf"certutil -hashfile {TEMP}\none SHA256")[0] == 0x80070002
    host.run(rf"echo !!! > {TEMP}\bad.b64")
    assert host.run(rf"certutil -decode {TEMP}\bad.b64 {TEMP}\bad.bin")[0] == 0x8007000D
    assert host.files.get(rf"{TEMP}\bad.bin") is None


def test_findstr_leaves_out_lines_that_are_too_long() -> None:
    host = Forest().host("dc01")
    exit_code, output, errors = host.run('findstr "^"', b"a" * 9000 + b"\r\nshort\r\n")
    assert (exit_code, output) == (0, "short\r\n")
    assert "too long" in errors


def test_a_full_disk_refuses_what_is_written() -> None:
    host = Forest().host("dc01")
    host.faults.disk_full = True
    exit_code, _unused, errors = host.run(rf'findstr "^" > {TEMP}\x.b64', b"abcd\r\n")
    assert exit_code == 112
    assert "not enough space" in errors
    assert property_of(host, "Win32_LogicalDisk", "FreeSpace") == 0


@pytest.mark.parametrize(
    ("line", "output"),
    [
        ("echo a&& echo b", "a\r\nb\r\n"),
        ("nothing || echo b", "b\r\n"),
        ("nothing && echo b", ""),
        ("echo a & echo b", "a \r\nb\r\n"),
        ('echo "a && b"', '"a && b"\r\n'),
        ('"echo a b"', "a b\r\n"),
        ("echo %COMPUTERNAME% %NOTHING%", "DC01 %NOTHING%\r\n"),
        ("echo a > nul", ""),
        ('echo hello| findstr "^"', "hello\r\n"),
        ("echo a^&b", "a&b\r\n"),
    ],
)
def test_cmd_line(line: str, output: str) -> None:
    found = Forest().host("dc01").run(line)[1]
    assert found.replace(" \r\n", "\r\n") == output.replace(" \r\n", "\r\n")


@pytest.mark.parametrize(
    ("line", "works"),
    [
        (r'"C:\Windows\System32\Space Tool\certutil.exe" -hashfile C:\Windows\System32\cmd.exe SHA256', True),
        (r'""C:\Windows\System32\Space Tool\certutil.exe" -hashfile "C:\Windows\System32\cmd.exe" SHA256"', True),
        (r'"C:\Windows\System32\Space Tool\certutil.exe" -hashfile "C:\Windows\System32\cmd.exe" SHA256', False),
    ],
)
def test_outer_quotes_are_taken_off_as_cmd_does(line: str, works: bool) -> None:
    host = Forest().host("dc01")
    host.files.make_folder(SYSTEM32 + r"\Space Tool")
    host.run(rf'copy {SYSTEM32}\certutil.exe "{SYSTEM32}\Space Tool\certutil.exe"')
    assert (host.run(line)[0] == 0) is works


def test_a_killed_process_leaves_nothing_half_done() -> None:
    forest = Forest()
    host = forest.host("dc01")
    path = host.files.write(TEMP + r"\p.msi", b"", host.now()).path
    before = forest.snapshot()
    process = host.start_process(f"msiexec /i {path} /qn /norestart", None, {})
    assert process.exit_code is None
    assert any(item["Name"] == "cmd.exe" for item in host.wmi_instances("root/cimv2", "Win32_Process") or ())
    process.terminate()
    forest.advance(60)
    assert process.exit_code == 1
    assert not host.installer.active
    assert forest.snapshot() == before
