# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""pcnscfg: every verb of pcns.md 3, with the settings that stand for what is not known."""

from __future__ import annotations

import pytest
from unit.lab.estate_kit import TARGET, install, pcnscfg

from lab.directory import PcnsConfiguration
from lab.forest import Forest
from lab.settings import LabSettings, ListWithoutConfiguration, PcnsSettings
from lab.windows.host import SimulatedHost

SAMPLE = """MaxQueueLength........: 0
MaxQueueAge...........: 0 seconds
MaxNotificationRetries: 0
RetryInterval.........: 90 seconds

Targets

Target Name...........: fab-dev-01
Target GUID...........: {guid}
Server FQDN or Address: fab-dev-01.usergroup.fabrikam.com
Service Principal Name: PCNSCLNT/fab-dev-01.usergroup.fabrikam.com
Authentication Service: Kerberos
Inclusion Group Name..: CORP\\Domain Users
Exclusion Group Name..:
Keep Alive Interval...: 15 seconds
User Name Format......: 1
Queue Warning Level...: 100
Queue Warning Interval: 30 minutes
Disabled..............: False

Total targets: 1
"""


def installed(settings: PcnsSettings | None = None) -> tuple[Forest, SimulatedHost]:
    """Returns a forest and a DC that has pcnscfg."""
    forest = Forest(LabSettings(pcns=settings or PcnsSettings()))
    host = forest.host("dc01")
    assert install(host) == 3010
    return forest, host


def test_list_prints_microsofts_sample() -> None:
    forest, host = installed()
    assert pcnscfg(host, "service /L:0 /A:0 /R:0 /I:90")[0] == 0
    name = "fab-dev-01.usergroup.fabrikam.com"
    added = (
        f'addtarget /N:fab-dev-01 /A:{name} /S:PCNSCLNT/{name} /FI:"Domain Users" /F:1 /I:15 /D:False /WL:100 /WI:30'
    )
    assert pcnscfg(host, added)[0] == 0
    (target,) = forest.directory.pcns().targets
    assert pcnscfg(host, "list")[1].replace("\r\n", "\n") == SAMPLE.format(guid=target.guid)


def test_list_varies_with_the_settings() -> None:
    settings = PcnsSettings(
        list_indent=2, list_blank_lines=False, list_prints_user_name_format=False, list_prints_group_domain=False
    )
    _unused, host = installed(settings)
    pcnscfg(host, f"addtarget {TARGET}")
    lines = pcnscfg(host, "LIST")[1].splitlines()
    assert "" not in lines
    assert "  Inclusion Group Name..: Domain Users" in lines
    assert not [line for line in lines if "User Name Format" in line]


def test_list_without_a_configuration() -> None:
    _unused, host = installed()
    exit_code, output, _unused = pcnscfg(host, "list")
    assert exit_code == 0
    assert "MaxQueueAge...........: 259200 seconds" in output
    assert "Total targets: 0" in output
    _unused, host = installed(PcnsSettings(list_without_configuration=ListWithoutConfiguration.ERROR))
    exit_code, output, errors = pcnscfg(host, "list")
    assert (exit_code, output) == (1, "")
    assert "not found" in errors


@pytest.mark.parametrize(
    "arguments",
    [
        "service /L:-1",
        "service /R:1001",
        "service /I:9",
        "service /I:3601",
        "service /A:4294967296",
        "service /A:many",
        "service /X:1",
        "addtarget /A:a /S:s /FI:x",
        "addtarget /N:a /A:a /S:s",
        'addtarget /N:a /A:a /S:s /FI:"No such group"',
        "addtarget /N:a /A:a /S:s /FI:FABRIKAM\\Users",
        "modifytarget /N:none /WL:1",
        "enabletarget /N:none",
        "deletetarget /N:none",
        "disabletarget",
        "nonsense",
        "list /Server:nowhere",
        "list /Server:sso01",
    ],
)
def test_what_is_refused_changes_nothing(arguments: str) -> None:
    forest, host = installed()
    before = forest.directory.dump()
    exit_code, _unused, errors = pcnscfg(host, arguments)
    assert exit_code == 1
    assert errors
    assert forest.directory.dump() == before


def test_service_keeps_what_is_not_given() -> None:
    forest, host = installed()
    assert pcnscfg(host, "service /L:0 /A:0 /R:500 /I:15")[0] == 0
    assert pcnscfg(host, "service /A:3600")[0] == 0
    assert forest.directory.pcns().configuration == PcnsConfiguration(0, 3600, 500, 15)


def test_a_target_is_added_changed_secured_and_deleted() -> None:
    forest, host = installed()

    def target() -> object:
        (found,) = forest.directory.pcns().targets
        return found.user_name_format, found.keep_alive, found.disabled, bool(found.exclusion_sid)

    assert pcnscfg(host, f"addtarget {TARGET} /I:600 /D:True")[0] == 0
    assert target() == (3, 600, True, True)
    assert pcnscfg(host, f"addtarget {TARGET}")[0] == 1
    assert pcnscfg(host, "modifytarget /N:sso /I:15")[0] == 0
    assert target() == (3, 15, True, True)
    assert pcnscfg(host, "enabletarget /N:SSO")[0] == 0
    assert target() == (3, 15, False, True)
    exit_code, output, _unused = pcnscfg(host, "securetarget /N:SSO /FE:")
    assert exit_code == 0
    assert "Warning" in output
    assert target() == (3, 15, False, False)
    assert pcnscfg(host, "disabletarget /N:SSO")[0] == 0
    assert target() == (3, 15, True, False)
    assert pcnscfg(host, "deletetarget /N:SSO")[0] == 0
    assert forest.directory.pcns().targets == ()


def test_addtarget_may_need_the_service_object() -> None:
    forest, host = installed()
    pcnscfg(host, f"addtarget {TARGET}")
    assert forest.directory.pcns().configuration == PcnsConfiguration()
    _unused, host = installed(PcnsSettings(addtarget_creates_configuration=False))
    assert pcnscfg(host, f"addtarget {TARGET}")[0] == 1


def test_there_is_a_limit_of_50_targets() -> None:
    forest, host = installed()
    for number in range(50):
        assert pcnscfg(host, f"addtarget {TARGET.replace('/N:SSO', f'/N:T{number}')}")[0] == 0
    assert pcnscfg(host, f"addtarget {TARGET}")[0] == 1
    assert len(forest.directory.pcns().targets) == 50


def test_a_failed_verb_may_still_return_zero() -> None:
    forest, host = installed(PcnsSettings(failure_exit_code=0))
    exit_code, _unused, errors = pcnscfg(host, "deletetarget /N:none")
    assert exit_code == 0
    assert errors
    assert forest.directory.pcns().targets == ()


def test_another_dc_can_be_named_but_not_a_read_only_one() -> None:
    forest, host = installed()
    forest.directory.hold_replication("dc02")
    assert pcnscfg(host, f"addtarget {TARGET} /Server:dc02.corp.example")[0] == 0
    assert pcnscfg(host, "list /Server:dc02")[1].count("Target Name") == 1
    assert pcnscfg(host, "list")[1].count("Target Name") == 0
    forest.directory.release_replication("dc02")
    assert pcnscfg(host, "list")[1].count("Target Name") == 1
    assert pcnscfg(host, "disabletarget /N:SSO /Server:dc06")[0] == 1


def test_without_the_package_there_is_no_pcnscfg() -> None:
    host = Forest().host("dc01")
    exit_code, _unused, errors = pcnscfg(host, "list")
    assert exit_code == 1
    assert "not recognized" in errors


def test_output_and_exit_code_can_be_made_nonsense() -> None:
    forest, host = installed()
    host.faults.tool_output["pcnscfg"] = b"\xff\x00 nonsense"
    host.faults.tool_exit_code["pcnscfg"] = 77
    assert pcnscfg(host, f"addtarget {TARGET}")[0] == 77
    assert "nonsense" in pcnscfg(host, "list")[1]
    assert len(forest.directory.pcns().targets) == 1
