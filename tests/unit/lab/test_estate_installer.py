# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Windows Installer on the lab's real packages: every exit code, and nothing half done."""

from __future__ import annotations

import pytest
from unit.lab.estate_kit import MEDIA, PCNS_FOLDER, TEMP, install, put, put_media, restart

from lab.forest import Forest
from lab.settings import LabSettings, PcnsSettings, WindowsSettings
from lab.windows.host import SimulatedHost
from lab.windows.lsa import SYSTEM32
from lab.windows.msi.conditions import ConditionError, holds
from lab.windows.msi.registration import UNINSTALL

LOG = TEMP + r"\install.log"


def product(host: SimulatedHost) -> list[tuple[str, str]]:
    """Returns name and version of each product in the Uninstall key."""
    codes = host.registry.keys(UNINSTALL) or ()
    key = [f"{UNINSTALL}\\{code}" for code in codes]
    return [(str(host.registry.string(k, "DisplayName")), str(host.registry.string(k, "DisplayVersion"))) for k in key]


def code_of(host: SimulatedHost) -> str:
    """Returns the product code of the only product."""
    (code,) = host.registry.keys(UNINSTALL) or ()
    return code


def log_text(host: SimulatedHost) -> str:
    """Returns the installation log."""
    file = host.files.get(LOG)
    assert file is not None
    assert file.content is not None
    assert file.content.startswith(b"\xff\xfe")
    return file.content.decode("utf-16")


def test_an_installation_brings_files_service_entry_and_registration() -> None:
    host = Forest().host("dc01")
    assert install(host, more=f"/l*v {LOG}") == 3010
    for path in (rf"{SYSTEM32}\pcnsflt.dll", rf"{PCNS_FOLDER}\pcnssvc.exe", rf"{PCNS_FOLDER}\pcnscfg.exe"):
        file = host.files.get(path)
        assert file is not None
        assert file.version == "1.0.100.0"
    service = host.services.get("PCNSSVC")
    assert service is not None
    assert (service.start_mode.value, service.account, service.path) == (
        "Auto",
        "LocalSystem",
        f'"{PCNS_FOLDER}\\pcnssvc.exe"',
    )
    assert host.lsa.registered == ("rassfm", "scecli", "PCNSFLT")
    assert product(host) == [("Password Change Notification Service (lab stand-in)", "1.0.100.0")]
    assert host.registry.dword(f"{UNINSTALL}\\{code_of(host)}", "WindowsInstaller") == 1
    assert "MainEngineThread is returning 3010" in log_text(host)
    assert [event.event_id for event in host.events.find("MsiInstaller")] == [1040, 1042, 11707, 1033, 1038]


def test_the_same_package_again_changes_nothing() -> None:
    forest = Forest()
    host = forest.host("dc01")
    install(host)
    package = put_media(host)
    before = host.registry.dump(), host.files.dump(), host.services.dump(), host.events.find("PCNSSVC")
    forest.advance(60)
    assert host.run(f"msiexec /i {package} /qn /norestart ACCEPT_EULA=1")[0] == 0
    assert (host.registry.dump(), host.services.dump(), host.events.find("PCNSSVC")) == (before[0], *before[2:])
    for path in (rf"{SYSTEM32}\pcnsflt.dll", rf"{PCNS_FOLDER}\pcnssvc.exe"):
        file = host.files.get(path)
        assert file is not None
        assert file.modified < host.now()


def test_removal_takes_away_what_came_and_nothing_else() -> None:
    forest = Forest()
    host = forest.host("dc01")
    before = host.registry.dump()
    install(host)
    restart(forest, host)
    assert host.run(f"msiexec /x {code_of(host)} /qn /norestart")[0] == 3010
    assert host.lsa.registered == ("rassfm", "scecli")
    assert host.lsa.is_loaded("PCNSFLT")
    assert host.services.get("PCNSSVC") is None
    assert host.files.get(rf"{PCNS_FOLDER}\pcnssvc.exe") is None
    restart(forest, host)
    assert not host.lsa.is_loaded("PCNSFLT")
    assert not list(host.files.inside(r"C:\Config.Msi"))
    left = {key for key in host.registry.dump() if key not in before}
    assert not {key for key in left if "PCNS" in key.upper() or "{" in key}


def test_removal_can_leave_the_entry_behind() -> None:
    forest = Forest(LabSettings(pcns=PcnsSettings(uninstall_removes_entry=False)))
    host = forest.host("dc01")
    install(host)
    host.run(f"msiexec /x {code_of(host)} /qn /norestart")
    assert "PCNSFLT" in host.lsa.registered


def test_an_upgrade_replaces_the_product_and_the_loaded_file_only_at_boot() -> None:
    forest = Forest()
    host = forest.host("dc01")
    install(host)
    restart(forest, host)
    assert install(host, "pcns-all-in-one-2.msi") == 3010
    assert product(host) == [("Password Change Notification Service (lab stand-in)", "1.1.200.0")]
    assert host.lsa.registered == ("rassfm", "scecli", "PCNSFLT")

    def loaded() -> str | None:
        return next(item.version for item in host.lsa.loaded if item.name == "PCNSFLT")

    file = host.files.get(rf"{SYSTEM32}\pcnsflt.dll")
    assert file is not None
    assert (file.version, loaded()) == ("1.1.200.0", "1.0.100.0")
    restart(forest, host)
    assert loaded() == "1.1.200.0"
    assert host.files.get(rf"{SYSTEM32}\pcnsflt.dll") is not None


def test_an_older_package_is_refused() -> None:
    host = Forest().host("dc01")
    install(host, "pcns-all-in-one-2.msi")
    assert install(host, more=f"/l*v {LOG}") == 1603
    assert "A newer version" in log_text(host)
    assert product(host)[0][1] == "1.1.200.0"


def test_two_packages_make_the_same_as_one() -> None:
    forest = Forest()
    host = forest.host("dc01")
    assert install(host, "capture-component.msi") == 3010
    assert install(host, "pcns-service.msi") == 0
    restart(forest, host)
    assert host.lsa.is_loaded("PCNSFLT")
    assert host.services.get("PCNSSVC") is not None
    assert len(product(host)) == 2


def test_a_feature_can_be_left_out_and_added() -> None:
    host = Forest().host("dc01")
    assert install(host, more="ADDLOCAL=Complete") == 3010
    assert host.files.get(rf"{PCNS_FOLDER}\pcnscfg.exe") is None
    assert install(host, more="ADDLOCAL=Tools") in (0, 3010)
    assert host.files.get(rf"{PCNS_FOLDER}\pcnscfg.exe") is not None
    assert install(host, more="REMOVE=Tools") in (0, 3010)
    assert host.files.get(rf"{PCNS_FOLDER}\pcnscfg.exe") is None
    assert host.files.get(rf"{PCNS_FOLDER}\pcnssvc.exe") is not None
    assert install(host, more="ADDLOCAL=tools") == 1603


def test_repair_puts_files_back() -> None:
    host = Forest().host("dc01")
    install(host)
    host.files.delete(rf"{PCNS_FOLDER}\pcnscfg.exe")
    assert host.run(f"msiexec /fa {code_of(host)} /qn /norestart")[0] == 0
    assert host.files.get(rf"{PCNS_FOLDER}\pcnscfg.exe") is not None


def test_the_schema_step_extends_the_schema_and_installs_nothing() -> None:
    forest = Forest()
    host = forest.host("dc01")
    forest.directory.schema.pcns_extended = False
    assert install(host) == 1603
    assert install(host, more="SCHEMAONLY=TRUE") == 0
    assert forest.directory.schema.pcns_extended
    assert product(host) == []
    assert install(host) == 3010


@pytest.mark.parametrize(
    ("arguments", "exit_code"),
    [
        ("/i {package} /qn /norestart", 1603),  # the license is not accepted
        ("/i C:\\none.msi /qn /norestart", 1619),
        ("/i C:\\Windows\\Temp\\damaged.msi /qn /norestart", 1620),
        ("/i {package} /qn /norestart ACCEPT_EULA=1 /l*v C:\\none\\x.log", 1622),
        ("/i {wrong} /qn /norestart", 1633),
        ("/i {package} /qn /norestart /bogus", 1639),
        ("/i {package} /qn /norestart accept_eula=1", 1639),
        ("/qn", 1639),
        ('/i "{package} /qn', 1639),
        ("/x {{E5500000-0001-4000-8000-000000000011}} /qn", 1605),
        ("/x {package} /qn", 1605),
    ],
)
def test_exit_codes(arguments: str, exit_code: int) -> None:
    forest = Forest(LabSettings(windows=WindowsSettings(package_platforms=frozenset({"x64"}))))
    host = forest.host("dc01")
    package, wrong = put_media(host), put_media(host, "wrong-platform.msi")
    put(host, "damaged.msi", (MEDIA / "pcns-all-in-one.msi").read_bytes()[:3000])
    before = host.registry.dump(), host.files.dump(), host.services.dump()
    assert host.run("msiexec " + arguments.format(package=package, wrong=wrong))[0] == exit_code
    assert (host.registry.dump(), host.files.dump(), host.services.dump()) == before


def test_another_package_of_the_same_product_is_1638() -> None:
    host = Forest().host("dc01")
    install(host)
    key = r"SOFTWARE\Microsoft\Windows\CurrentVersion\Installer\UserData\S-1-5-18\Products"
    (name,) = host.registry.keys(key) or ()
    host.registry.set_string(
        rf"{key}\{name}\InstallProperties", "PackageCode", "{00000000-0000-0000-0000-000000000000}"
    )
    assert install(host) == 1638


def test_a_failure_on_the_way_leaves_the_machine_as_it_was() -> None:
    host = Forest().host("dc01")
    package = put_media(host)
    before = host.registry.dump(), host.files.dump(), host.services.dump()
    host.faults.services_that_fail["pcnssvc"] = 7
    assert host.run(f"msiexec /i {package} /qn /norestart ACCEPT_EULA=1")[0] == 1603
    assert (host.registry.dump(), host.files.dump(), host.services.dump()) == before
    assert host.events.find("MsiInstaller", 11708)


def test_a_full_disk_is_1603_with_lines_that_say_so() -> None:
    host = Forest().host("dc01")
    package = put_media(host)
    before = host.registry.dump()
    host.faults.disk_full = True
    assert host.run(f"msiexec /i {package} /qn /norestart ACCEPT_EULA=1 /l*v {LOG}")[0] == 1603
    assert host.registry.dump() == before
    text = log_text(host)
    assert "System error 112" in text
    assert "Return value 3" in text
    assert host.files.get(rf"{SYSTEM32}\pcnsflt.dll") is None


def test_a_failed_upgrade_keeps_the_old_product() -> None:
    forest = Forest()
    host = forest.host("dc01")
    install(host)
    restart(forest, host)
    package = put_media(host, "pcns-all-in-one-2.msi")
    before = host.registry.dump(), host.files.dump(), host.services.dump()
    host.faults.services_that_fail["pcnssvc"] = 7
    assert host.run(f"msiexec /i {package} /qn /norestart ACCEPT_EULA=1")[0] == 1603
    assert (host.registry.dump(), host.files.dump(), host.services.dump()) == before


def test_a_busy_installer_answers_1618_so_many_times() -> None:
    host = Forest().host("dc01")
    host.faults.installer_busy = 2
    assert [install(host) for _unused in range(3)] == [1618, 1618, 3010]


def test_two_installations_at_once_end_in_1618_for_the_second() -> None:
    forest = Forest()
    host = forest.host("dc01")
    first, second = put_media(host, "capture-component.msi"), put_media(host, "pcns-service.msi")
    running = host.start_process(f"msiexec /i {first} /qn /norestart", None, {})
    late = host.start_process(f"msiexec /i {second} /qn /norestart", None, {})
    assert (running.exit_code, late.exit_code) == (None, 1618)
    forest.advance(1)
    assert running.exit_code == 3010


def test_without_norestart_the_machine_restarts_by_itself() -> None:
    forest = Forest()
    host = forest.host("dc01")
    package = put_media(host)
    process = host.start_process(f"msiexec /i {package} /qn ACCEPT_EULA=1", None, {})
    forest.advance(0.06)
    assert process.exit_code == 1641
    forest.advance(2)
    assert host.boot_count == 2
    assert host.lsa.is_loaded("PCNSFLT")


def test_the_property_reboot_suppresses_the_restart_as_well() -> None:
    forest = Forest()
    host = forest.host("dc01")
    package = put_media(host)
    assert host.run(f"msiexec /i {package} /qn REBOOT=ReallySuppress ACCEPT_EULA=1")[0] == 3010
    forest.advance(60)
    assert host.boot_count == 1


def test_without_a_quiet_switch_it_waits_for_a_click_that_never_comes() -> None:
    forest = Forest()
    host = forest.host("dc01")
    process = host.start_process(f"msiexec /i {put_media(host)} ACCEPT_EULA=1", None, {})
    forest.advance(3600)
    assert process.exit_code is None
    process.terminate()


def test_an_exit_code_can_be_forced() -> None:
    host = Forest().host("dc01")
    host.faults.msiexec_exit_code = 1625
    assert install(host) == 1625
    assert product(host) == []


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("", True),
        ("A", True),
        ("B", False),
        ("NOT B", True),
        ('A = "1"', True),
        ("A = 1", True),
        ('A ~= "1" AND NOT B', True),
        ("VersionNT >= 601 AND VersionNT < 1000", True),
        ("TEXT > 5", False),
        ("TEXT <> 5", True),
        ('TEXT >< "el"', True),
        ('TEXT << "he" AND TEXT >> "lo"', True),
        ("B OR (A AND TEXT)", True),
        ("A XOR TEXT", False),
        ("B IMP A", True),
        ("A EQV B", False),
        ("&Feature = 3", False),
    ],
)
def test_condition(condition: str, expected: bool) -> None:
    assert holds(condition, {"A": "1", "TEXT": "hello", "VersionNT": "603"}) is expected


@pytest.mark.parametrize("condition", ["A =", "(A", "A B", "AND", '"open', "A ? B"])
def test_what_is_no_condition(condition: str) -> None:
    with pytest.raises(ConditionError):
        holds(condition, {})
