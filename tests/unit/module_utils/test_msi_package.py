# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a package says it will leave on a host."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from ansible_collections.entsso.password_sync.plugins.module_utils.msi._msi import MsiError, read_msi
from ansible_collections.entsso.password_sync.plugins.module_utils.msi._msi_directory import WindowsFolders
from ansible_collections.entsso.password_sync.plugins.module_utils.msi._msi_package import MsiPackage, summarize
from ansible_collections.entsso.password_sync.plugins.module_utils.msi._msi_registry import RegistryAction, RegistryKind
from ansible_collections.entsso.password_sync.plugins.module_utils.msi._msi_summary import SummaryInformation

MEDIA = Path(__file__).parents[2] / "lab" / "media"
PCNS_FOLDER = r"%ProgramFiles%\Microsoft Password Change Notification"

needs_msitools = pytest.mark.skipif(
    shutil.which("msibuild") is None, reason="left out: msibuild of Debian's msitools is not installed"
)


def package(name: str) -> MsiPackage:
    return summarize(read_msi(MEDIA / f"{name}.msi"))


@pytest.fixture
def changed(tmp_path: Path) -> Callable[..., MsiPackage]:
    """Returns a package after SQL statements, built on the all-in-one package."""

    def change(*queries: str, properties: dict[str, str] | None = None) -> MsiPackage:
        copy = tmp_path / "changed.msi"
        shutil.copyfile(MEDIA / "pcns-all-in-one.msi", copy)
        for query in queries:
            subprocess.run(["msibuild", copy, "-q", query], check=True, capture_output=True)
        return summarize(read_msi(copy), properties)

    return change


def test_identity() -> None:
    found = package("pcns-all-in-one")
    assert found.product_code == "{E5500000-0000-4000-8000-000000000011}"
    assert found.upgrade_code == "{E5500000-0001-4000-8000-0000000000F0}"
    assert found.package_code == "{E5500000-0000-4000-8000-000000000111}"
    assert (found.version, found.language, found.platform) == ("1.0.100.0", 1033, "x64")
    assert found.manufacturer == "entsso.password_sync lab"
    assert "lab stand-in" in found.name


def test_every_package_of_the_lab_says_that_it_is_the_labs_own() -> None:
    for path in MEDIA.glob("*.msi"):
        found = summarize(read_msi(path))
        assert found.manufacturer == "entsso.password_sync lab"
        assert "lab stand-in" in found.name
        assert path.stat().st_size < 100_000


def test_two_versions_share_the_upgrade_code_alone() -> None:
    old, new = package("pcns-all-in-one"), package("pcns-all-in-one-2")
    assert old.upgrade_code == new.upgrade_code
    assert old.product_code != new.product_code
    assert old.package_code != new.package_code
    assert [int(part) for part in old.version.split(".")] < [int(part) for part in new.version.split(".")]


def test_files_go_to_the_documented_places() -> None:
    files = {file.name: file for file in package("pcns-all-in-one").files}
    assert files["pcnsflt.dll"].path == r"%SystemRoot%\System32\pcnsflt.dll"
    assert files["pcnssvc.exe"].path == rf"{PCNS_FOLDER}\pcnssvc.exe"
    assert files["pcnscfg.exe"].path == rf"{PCNS_FOLDER}\pcnscfg.exe"
    assert files["pcnscfg.exe"].features == ("Tools",)
    assert {file.version for file in files.values()} == {"1.0.100.0"}
    assert all(file.size > 100 for file in files.values())


def test_the_service_is_as_documented() -> None:
    (service,) = package("pcns-service").services
    assert service.name == "PCNSSVC"
    assert service.display_name == "Password Change Notification Service"
    assert service.path == rf"{PCNS_FOLDER}\pcnssvc.exe"
    assert (service.start, service.account, service.dependencies) == ("auto", "LocalSystem", ("RpcSs",))
    assert service.started
    assert service.removed


def test_the_two_part_product_together_is_the_all_in_one() -> None:
    whole, capture, service = package("pcns-all-in-one"), package("capture-component"), package("pcns-service")
    assert {file.path for file in whole.files} == {file.path for file in (*capture.files, *service.files)}
    assert capture.notification_packages == whole.notification_packages == ("PCNSFLT",)
    assert service.notification_packages == ()
    assert capture.services == ()


def test_the_notification_package_is_appended_not_replaced() -> None:
    (value,) = package("capture-component").registry
    assert (value.root, value.key, value.name) == (
        "HKLM",
        r"SYSTEM\CurrentControlSet\Control\Lsa",
        "Notification Packages",
    )
    assert (value.kind, value.action, value.data) == (RegistryKind.MULTI_STRING, RegistryAction.APPEND, ("PCNSFLT",))


def test_features_conditions_and_properties() -> None:
    found = package("pcns-all-in-one")
    assert [(feature.name, feature.parent, feature.level) for feature in found.features] == [
        ("Complete", "", 1),
        ("Tools", "Complete", 1),
    ]
    assert "ACCEPT_EULA = 1 OR Installed" in [item.condition for item in found.launch_conditions]
    assert found.properties["SCHEMAONLY"] == "FALSE"
    assert not found.has_custom_actions, "setting a property runs no code"


def test_a_package_for_another_platform() -> None:
    found = package("wrong-platform")
    assert found.platform == "Intel"
    assert found.files[0].path == r"%SystemRoot%\SysWOW64\pcnsflt.dll"


@pytest.mark.parametrize(
    ("template", "platforms", "languages"),
    [
        ("x64;1033", ("x64",), (1033,)),
        (";1033", (), (1033,)),
        ("Intel ;1033,2046", ("Intel",), (1033, 2046)),
        ("Arm64;0", ("Arm64",), (0,)),
        ("x64", ("x64",), ()),
        ("", (), ()),
    ],
)
def test_the_template_as_microsoft_documents_it(
    template: str, platforms: tuple[str, ...], languages: tuple[int, ...]
) -> None:
    summary = SummaryInformation(template=template)
    assert summary.platforms == platforms
    assert summary.languages == languages


def test_paths_on_a_host() -> None:
    folders = WindowsFolders(system_root=r"D:\WINNT", program_files=r"E:\Programs")
    assert folders.expand(r"%SystemRoot%\System32\pcnsflt.dll") == r"D:\WINNT\System32\pcnsflt.dll"
    assert folders.expand(r"%ProgramFiles%\a\b.exe") == r"E:\Programs\a\b.exe"
    assert folders.expand(r"%ProgramFiles(x86)%\a") == r"C:\Program Files (x86)\a"
    assert folders.expand(r"%SystemDrive%\a") == r"D:\a"
    assert folders.expand(r"[TARGETDIR]\a") == r"[TARGETDIR]\a"


def in_folder(name: str, parent: str, stored: str) -> tuple[str, str]:
    """SQL that puts pcnssvc.exe into a new directory."""
    columns = "`Directory`, `Directory_Parent`, `DefaultDir`"
    return (
        f"INSERT INTO `Directory` ({columns}) VALUES ('{name}', '{parent}', '{stored}')",
        f"UPDATE `Component` SET `Directory_`='{name}' WHERE `Component`='NotificationService'",
    )


@needs_msitools
@pytest.mark.parametrize(
    ("parent", "stored", "path"),
    [
        ("INSTALLDIR", "SHORT~1|A long name", rf"{PCNS_FOLDER}\A long name\pcnssvc.exe"),
        ("INSTALLDIR", "target:source", rf"{PCNS_FOLDER}\target\pcnssvc.exe"),
        ("INSTALLDIR", "T|Target:S|Source", rf"{PCNS_FOLDER}\Target\pcnssvc.exe"),
        ("INSTALLDIR", ".", rf"{PCNS_FOLDER}\pcnssvc.exe"),
        ("INSTALLDIR", ".:source", rf"{PCNS_FOLDER}\pcnssvc.exe"),
        ("TARGETDIR", "Own", r"[TARGETDIR]\Own\pcnssvc.exe"),
    ],
)
def test_names_of_directories(changed: Callable[..., MsiPackage], parent: str, stored: str, path: str) -> None:
    found = changed(*in_folder("NEWDIR", parent, stored))
    assert found.services[0].path == path
    assert path in [file.path for file in found.files]


@needs_msitools
def test_standard_folders_of_merge_modules(changed: Callable[..., MsiPackage]) -> None:
    identifier = "CommonFiles64Folder.0123ABCD_0123_4567_89AB_0123456789AB"
    found = changed(*in_folder(identifier, "TARGETDIR", "."))
    assert found.services[0].path == r"%ProgramFiles%\Common Files\pcnssvc.exe"


@needs_msitools
def test_a_property_moves_a_directory(changed: Callable[..., MsiPackage]) -> None:
    found = changed(properties={"INSTALLDIR": "D:\\PCNS\\"})
    assert found.services[0].path == r"D:\PCNS\pcnssvc.exe"
    assert r"%SystemRoot%\System32\pcnsflt.dll" in [file.path for file in found.files]


@needs_msitools
@pytest.mark.parametrize(
    ("queries", "message"),
    [
        (in_folder("A", "A_", "x"), "names A_, which is not there"),
        (
            (
                "UPDATE `Directory` SET `Directory_Parent`='B' WHERE `Directory`='INSTALLDIR'",
                *in_folder("B", "INSTALLDIR", "x"),
            ),
            "runs in a circle",
        ),
        (("UPDATE `Component` SET `Directory_`='' WHERE `Component`='PasswordFilter'",), "belongs to no directory"),
        (("DELETE FROM `Property` WHERE `Property`='ProductCode'",), "has no ProductCode"),
        (("UPDATE `Property` SET `Value`='17' WHERE `Property`='UpgradeCode'",), "UpgradeCode is not a GUID"),
        (("UPDATE `Registry` SET `Root`=7",), "has no root or no key"),
    ],
)
def test_contradictions_are_told(changed: Callable[..., MsiPackage], queries: tuple[str, ...], message: str) -> None:
    with pytest.raises(MsiError, match=message):
        changed(*queries)


@needs_msitools
@pytest.mark.parametrize(
    ("value", "kind", "action", "data"),
    [
        ("text", RegistryKind.STRING, RegistryAction.SET, ("text",)),
        ("##5", RegistryKind.STRING, RegistryAction.SET, ("#5",)),
        ("#5", RegistryKind.DWORD, RegistryAction.SET, ("5",)),
        ("#x0aff", RegistryKind.BINARY, RegistryAction.SET, ("0aff",)),
        ("#%[WindowsFolder]x", RegistryKind.EXPAND_STRING, RegistryAction.SET, ("[WindowsFolder]x",)),
        ("a[~]b[~]c", RegistryKind.MULTI_STRING, RegistryAction.SET, ("a", "b", "c")),
        ("[~]a[~]b", RegistryKind.MULTI_STRING, RegistryAction.APPEND, ("a", "b")),
        ("a[~]", RegistryKind.MULTI_STRING, RegistryAction.PREPEND, ("a",)),
        ("[~]a[~]", RegistryKind.MULTI_STRING, RegistryAction.SET, ("a",)),
    ],
)
def test_registry_values_as_microsoft_documents_them(
    changed: Callable[..., MsiPackage],
    value: str,
    kind: RegistryKind,
    action: RegistryAction,
    data: tuple[str, ...],
) -> None:
    (found,) = changed(f"UPDATE `Registry` SET `Value`='{value}'").registry
    assert (found.kind, found.action, found.data) == (kind, action, data)


@needs_msitools
@pytest.mark.parametrize(
    ("name", "action"),
    [("+", RegistryAction.CREATE_KEY), ("*", RegistryAction.CREATE_KEY), ("-", RegistryAction.REMOVE_KEY)],
)
def test_registry_rows_for_keys(changed: Callable[..., MsiPackage], name: str, action: RegistryAction) -> None:
    (found,) = changed(f"UPDATE `Registry` SET `Name`='{name}', `Value`=''").registry
    assert (found.kind, found.action, found.name, found.data) == (RegistryKind.KEY, action, "", ())


@needs_msitools
def test_names_are_compared_without_regard_to_case(changed: Callable[..., MsiPackage]) -> None:
    found = changed(
        "UPDATE `Registry` SET `Key`='System\\CurrentControlSet\\control\\LSA', `Name`='notification packages'"
    )
    assert found.notification_packages == ("PCNSFLT",)
