# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The ENTSSO tools and set-up (entsso.md 1.2, 2, 3), with the settings that stand for what is not known."""

from __future__ import annotations

import pytest
from unit.lab.estate_kit import ADAPTER, APPLICATION, TEMP, add_system, install_feature, put, sso

from lab.forest import Forest
from lab.settings import (
    AdapterListLayout,
    LabSettings,
    SetupStyle,
    SsoSettings,
    SyncAgeDisplay,
)
from lab.windows.entsso import FOLDER, SERVER_DLL
from lab.windows.host import SimulatedHost

SETUP = r"C:\Media\Platforms\SSO\setup.exe"


def ready(settings: SsoSettings | None = None) -> tuple[Forest, SimulatedHost]:
    """Returns a forest whose SSO server has Password Synchronization."""
    forest = Forest(LabSettings(sso=settings or SsoSettings()))
    server = forest.host("sso01")
    assert install_feature(server) == 0
    return forest, server


def started_with(server: SimulatedHost) -> list[int]:
    """Returns the events of ENTSSO since its last start began."""
    numbers = [event.event_id for event in server.events.find("ENTSSO")]
    last = len(numbers) - 1 - numbers[::-1].index(10611)
    return numbers[last:]


def test_without_the_feature_entsso_says_that_the_file_is_missing() -> None:
    server = Forest().host("sso01")
    assert started_with(server) == [10611, 10512, 10502]
    (event,) = server.events.find("ENTSSO", 10512)
    assert event.data == ((None, "SSOPSServer.dll"), (None, "0x8007007E"))
    assert sso(server, "ssops", "-list")[0] == 1


def test_the_feature_works_after_the_service_restarted() -> None:
    forest = Forest()
    server = forest.host("sso01")
    assert server.run(f"{SETUP} /quiet /norestart /addlocal LabPasswordSync /L {TEMP}\\setup.log")[0] == 0
    assert server.files.get(f"{FOLDER}\\{SERVER_DLL}") is not None
    assert server.files.get(f"{TEMP}\\setup.log") is not None
    assert server.sso_server is not None
    assert not server.sso_server.receives_from_pcns
    server.services.stop("ENTSSO")
    server.services.start("ENTSSO")
    assert server.sso_server.receives_from_pcns
    assert started_with(server) == [10611, 10650, 10651, 10656, 10657, 10659, 10660, 11065, 11066, 10502]


@pytest.mark.parametrize(
    ("settings", "arguments", "exit_code"),
    [
        (SsoSettings(), "/quiet /ADDLOCAL SSOPasswordSync", 1),
        (SsoSettings(), "/quiet ADDLOCAL=LabPasswordSync", 1),
        (SsoSettings(), "/quiet", 1),
        (SsoSettings(setup_usage_exit_code=87), "/bogus", 87),
        (SsoSettings(setup_style=SetupStyle.MSI_PROPERTIES), "/qn /norestart ADDLOCAL=LabPasswordSync", 0),
        (SsoSettings(setup_style=SetupStyle.MSI_PROPERTIES), "/quiet /ADDLOCAL LabPasswordSync", 1),
        (SsoSettings(feature_id="Other", setup_exit_code=3010), "/PASSIVE /NORESTART /ADDLOCAL SSOServer,Other", 3010),
    ],
)
def test_setup_takes_only_the_switches_it_is_set_to(settings: SsoSettings, arguments: str, exit_code: int) -> None:
    server = Forest(LabSettings(sso=settings)).host("sso01")
    assert server.run(f"{SETUP} {arguments}")[0] == exit_code
    assert (server.files.get(f"{FOLDER}\\{SERVER_DLL}") is not None) is (exit_code in (0, 3010))


def test_setup_without_a_quiet_switch_waits_for_a_click() -> None:
    forest = Forest()
    process = forest.host("sso01").start_process(f"{SETUP} /ADDLOCAL LabPasswordSync", None, {})
    forest.advance(3600)
    assert process.exit_code is None


def test_setup_on_a_full_disk_leaves_nothing() -> None:
    server = Forest().host("sso01")
    before = server.files.dump(), server.registry.dump()
    server.faults.disk_full = True
    assert server.run(f"{SETUP} /quiet /ADDLOCAL LabPasswordSync")[0] == 1603
    assert (server.files.dump(), server.registry.dump()) == before


def test_the_feature_can_be_removed() -> None:
    _unused, server = ready()
    assert server.run(f"{SETUP} /quiet /REMOVE LabPasswordSync")[0] == 0
    assert server.files.get(f"{FOLDER}\\{SERVER_DLL}") is None
    assert sso(server, "ssops", "-list")[0] == 1


def test_server_switches() -> None:
    _unused, server = ready()
    state = server.sso_server
    assert state is not None
    assert sso(server, "ssoconfig", "-allowPS PCNS yes")[0] == 0
    assert state.allow_pcns
    assert sso(server, "ssoconfig", "-ALLOWPS pcns NO")[0] == 0
    assert not state.allow_pcns
    assert sso(server, "ssoconfig", "-allowPS PCNS maybe")[0] == 1
    assert sso(server, "ssoconfig", "-syncage 12")[0] == 0
    assert sso(server, "ssoconfig", "-syncage")[1] == "Password sync age (hours): 12\r\n"
    assert sso(server, "ssoconfig", "-syncage many")[0] == 1
    assert sso(server, "ssoconfig", "-auditlevel 3 4")[0] == 1
    assert sso(server, "ssoconfig", "-auditlevel 2 3")[0] == 0
    assert state.audit_levels == (2, 3)


def test_server_switches_as_other_releases_may_have_them() -> None:
    _unused, server = ready(SsoSettings(allow_ps_no=False, sync_age_display=SyncAgeDisplay.ERROR, failure_exit_code=0))
    sso(server, "ssoconfig", "-allowPS PCNS yes")
    exit_code, output, _unused = sso(server, "ssoconfig", "-allowPS PCNS no")
    assert exit_code == 0
    assert "ERROR: 0x80070057" in output
    assert server.sso_server is not None
    assert server.sso_server.allow_pcns
    assert "ERROR" in sso(server, "ssoconfig", "-syncage")[1]


def test_tools_need_the_service() -> None:
    _unused, server = ready()
    server.services.stop("ENTSSO")
    exit_code, output, _unused = sso(server, "ssomanage", "-displaydb")
    assert exit_code == 1
    assert "ERROR: 0x800706BA: The RPC server is unavailable." in output


def test_a_new_adapter_is_disabled_whatever_the_file_says() -> None:
    forest, server = ready()
    path = put(server, "a.xml", ADAPTER.format(name="RACF", more='verifyOldPassword="no"').encode())
    exit_code, output, _unused = sso(server, "ssops", f"-create {path}")
    assert exit_code == 0
    assert "Adapter enabled                           : No" in output
    adapter = forest.sso.adapter("racf")
    assert (adapter.enabled, adapter.flags["syncToAdapter"], adapter.flags["verifyOldPassword"]) == (False, True, False)
    assert sso(server, "ssops", "-enable RACF")[0] == 0
    assert forest.sso.adapter("racf").enabled
    assert sso(server, "ssops", f"-create {path}")[0] == 1
    forest, server = ready(SsoSettings(created_enabled=True))
    path = put(server, "a.xml", ADAPTER.format(name="RACF", more="").encode())
    sso(server, "ssops", f"-create {path}")
    assert forest.sso.adapter("racf").enabled


@pytest.mark.parametrize(
    "content",
    [
        "<sso><adapter name='A'>",
        "<sso/>",
        "<sso><application name='A'/></sso>",
        "<sso><adapter><computer>a.b</computer></adapter></sso>",
        "<sso><adapter name='A'><computer>short</computer></adapter></sso>",
        "<sso><adapter name='A'><computer>a.b</computer><retries>1</retries></adapter></sso>",
        "<sso><adapter name='A'><computer>a.b</computer><flags syncToAdapter='true'/></adapter></sso>",
        "<sso><adapter name='A'><computer>a.b</computer><flags sync='yes'/></adapter></sso>",
        r"<sso><adapter name='A'><computer>a.b</computer><appUserAccount>CORP\nobody</appUserAccount></adapter></sso>",
        r"<sso><adapter name='A'><computer>a.b</computer><appUserAccount>CORP\alice</appUserAccount></adapter></sso>",
    ],
)
def test_a_definition_that_is_wrong_creates_nothing(content: str) -> None:
    forest, server = ready()
    exit_code, output, _unused = sso(server, "ssops", f"-create {put(server, 'a.xml', content.encode())}")
    assert exit_code == 1
    assert "ERROR: 0x" in output
    assert forest.sso.adapters == {}


def test_update_changes_settings_and_flags_but_not_what_is_enabled_or_assigned() -> None:
    forest, server = ready()
    add_system(server, "RACF")
    text = ADAPTER.format(name="racf", more='allowMappingConflicts="yes"').replace("racf adapter", "new words")
    assert sso(server, "ssops", f"-update {put(server, 'u.xml', text.encode())}")[0] == 0
    adapter = forest.sso.adapter("RACF")
    assert (adapter.name, adapter.description, adapter.enabled, adapter.applications) == (
        "RACF",
        "new words",
        True,
        ["RACF"],
    )
    assert adapter.flags["allowMappingConflicts"]


def test_lists_in_both_layouts() -> None:
    forest, server = ready()
    add_system(server, "RACF")
    sso(server, "ssops", "-disable RACF")
    forest.sso.adapter("RACF").description = "x" * 100
    lines = sso(server, "ssops", "-list")[1].splitlines()
    assert lines[2].startswith("(D) RACF ")
    assert len(lines[2]) == 80
    settings = SsoSettings(
        list_layout=AdapterListLayout.TWO_COLUMNS, list_width=0, list_header=False, disabled_mark="(A)"
    )
    forest, server = ready(settings)
    add_system(server, "RACF")
    sso(server, "ssops", "-disable RACF")
    (line,) = sso(server, "ssops", "-list")[1].splitlines()
    assert line.split() == ["RACF", "(A)", "RACF", "adapter"]


def test_assignment_rules() -> None:
    forest, server = ready()
    add_system(server, "RACF")
    add_system(server, "LDAP")
    for arguments, code in (
        ("-addapp LDAP RACF", "0xC0002A49"),
        ("-addapp NONE RACF", "0xC0002A46"),
        ("-addapp LDAP NONE", "0xC0002A04"),
        ("-enable NONE", "0xC0002A46"),
        ("-delete NONE", "0xC0002A46"),
        ("-addtogroup RACF NONE", "0xC0002A4A"),
    ):
        exit_code, output, _unused = sso(server, "ssops", arguments)
        assert exit_code == 1
        assert code in output
    assert "0xC0002A36" in sso(server, "ssomanage", "-deleteapp RACF")[1]
    assert sso(server, "ssops", "-deleteapp RACF")[0] == 0
    assert forest.sso.adapter("RACF").applications == []
    assert sso(server, "ssomanage", "-deleteapp RACF")[0] == 0
    assert sso(server, "ssops", "-delete RACF")[0] == 0
    assert list(forest.sso.adapters) == ["ldap"]


def test_groups_of_adapters() -> None:
    forest, server = ready()
    add_system(server, "RACF")
    group = ADAPTER.format(name="ALL", more='groupAdapter="yes"')
    assert sso(server, "ssops", f"-create {put(server, 'g.xml', group.encode())}")[0] == 0
    assert sso(server, "ssops", "-addtogroup RACF ALL")[0] == 0
    assert "0xC0002A4C" in sso(server, "ssops", "-addtogroup RACF ALL")[1]
    assert "0xC0002A45" in sso(server, "ssops", "-delete RACF")[1]
    assert sso(server, "ssops", "-deletefromgroup RACF ALL")[0] == 0
    assert forest.sso.adapter("RACF").group is None


def test_display_has_every_documented_field() -> None:
    _unused, server = ready()
    add_system(server, "RACF")
    output = sso(server, "ssops", "-display RACF")[1]
    for field in (
        "Adapter enabled",
        "Allow local accounts",
        "Receive password changes from adapter",
        "Verify old password",
        "Change Windows password",
        "Send Windows password changes to adapter",
        "Send old password to adapter",
        "Allow mapping conflicts",
        "Notification retry count",
        "Maximum pending notifications",
        "Store notifications (when offline)",
        "Server name",
        "Port number",
        "Applications for this adapter",
    ):
        assert field in output
    assert output.rstrip().endswith("RACF")


@pytest.mark.parametrize(
    "spelling",
    [
        lambda text: text,
        lambda text: text.replace("<sso>", "<SSO>").replace("</sso>", "</SSO>"),
        lambda text: text.replace("appuserAccount", "appUserAccount"),
    ],
)
def test_applications_in_any_published_spelling(spelling: object) -> None:
    forest, server = ready()
    assert callable(spelling)
    path = put(server, "app.xml", spelling(APPLICATION.format(name="SAP")).encode())
    assert sso(server, "ssomanage", f"-createapps {path}")[0] == 0
    application = forest.sso.application("sap")
    assert (application.kind, application.enabled, len(application.fields)) == ("Individual", True, 2)
    assert "SAP" in sso(server, "ssomanage", "-listapps")[1]
    assert sso(server, "ssomanage", "-disableapp SAP")[0] == 0
    assert "Application enabled                 : No" in sso(server, "ssomanage", "-displayapp SAP")[1]


def test_mappings_by_hand() -> None:
    forest, server = ready()
    add_system(server, "RACF", mapped=())

    def mapping(user: str, domain: str = "CORP") -> str:
        text = (
            f"<sso><mapping><windowsDomain>{domain}</windowsDomain><windowsUserId>{user}</windowsUserId>"
            "<externalApplication>RACF</externalApplication><externalUserId>X1</externalUserId></mapping></sso>"
        )
        return put(server, "m.xml", text.encode())

    assert sso(server, "ssomanage", f"-createmappings {mapping('alice')}")[0] == 0
    assert "0xC0002A5C" in sso(server, "ssomanage", f"-createmappings {mapping('alice')}")[1]
    assert "0xC0002A65" in sso(server, "ssomanage", f"-createmappings {mapping('dave')}")[1]
    assert "0xC0002A59" in sso(server, "ssomanage", f"-createmappings {mapping('alice', 'SERVER')}")[1]
    assert sso(server, "ssomanage", r"-disablemapping CORP\alice RACF")[0] == 0
    assert "disabled" in sso(server, "ssomanage", "-listmappings RACF")[1]
    assert sso(server, "ssomanage", r"-deletemapping CORP\alice RACF")[0] == 0
    assert forest.sso.mappings == []
    assert "0xC0002A53" in sso(server, "ssomanage", r"-deletemapping CORP\alice RACF")[1]


def test_system_switches() -> None:
    forest, server = ready()
    assert forest.sso.windows_sync
    assert sso(server, "ssomanage", "-disable winsync")[0] == 0
    assert not forest.sso.windows_sync
    assert sso(server, "ssomanage", "-enable extsync")[0] == 0
    assert forest.sso.external_sync
    assert sso(server, "ssomanage", "-enable nonsense")[0] == 1
    assert sso(server, "ssomanage", "-disablesso")[0] == 0
    assert "disabled" in sso(server, "ssomanage", "-displaydb")[1]


def test_texts_can_be_in_another_language() -> None:
    _unused, server = ready(SsoSettings(localised=True))
    assert "successfully" not in sso(server, "ssoconfig", "-allowPS PCNS yes")[1]
    assert "FEHLER: 0xC0002A46" in sso(server, "ssops", "-enable NONE")[1]
