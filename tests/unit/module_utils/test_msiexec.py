# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""msiexec: its command line read back by the documented rules, its exit codes, and the telling lines of its log."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import Unquotable
from ansible_collections.entsso.password_sync.plugins.module_utils.msi._msiexec import (
    install_command,
    outcome_of,
    remove_command,
    repair_command,
    telling_lines,
)

PACKAGE = r"C:\media dir\pcns.msi"
LOG = r"C:\logs\pcns.log"
CODE = "{E5500000-0000-4000-8000-000000000011}"


def split_as_documented(line: str) -> list[str]:
    """Splits a command line by the rules of Microsoft's page "Command-Line Options" (of msiexec).

    White space separates, except between quotation marks; inside them two marks are one mark. A backslash is itself.
    """
    words: list[str] = []
    word, quoted, started = "", False, False
    position = 0
    while position < len(line):
        character = line[position]
        if quoted and line[position : position + 2] == '""':
            word += '"'
            position += 1
        elif character == '"':
            quoted, started = not quoted, True
        elif character.isspace() and not quoted:
            if started:
                words.append(word)
            word, started = "", False
        else:
            word, started = word + character, True
        position += 1
    assert not quoted
    return [*words, word] if started else words


def read_back(line: str) -> dict[str, str]:
    """Returns the properties that msiexec would see."""
    return dict(word.split("=", 1) for word in split_as_documented(line)[7:])


def test_the_documented_examples_of_microsoft_read_as_documented() -> None:
    assert split_as_documented(r'msiexec /i A:\Example.msi PROPERTY="Embedded White Space"')[-1] == (
        "PROPERTY=Embedded White Space"
    )
    assert split_as_documented(r'msiexec /i A:\Example.msi PROPERTY="Embedded ""Quotes"" White Space"')[-1] == (
        'PROPERTY=Embedded "Quotes" White Space'
    )
    assert (
        split_as_documented(r'msiexec /i testdb.msi /l* msi.log COMPANYNAME="Acme ""Widgets"" and ""Gizmos."""')[-1]
        == 'COMPANYNAME=Acme "Widgets" and "Gizmos."'
    )


def test_install() -> None:
    line = install_command(PACKAGE, LOG, properties={"ACCEPT_EULA": "1", "TEXT": 'a "b" c'})
    assert line == (
        r'msiexec.exe /i "C:\media dir\pcns.msi" /qn /norestart /l*v "C:\logs\pcns.log" '
        r'ACCEPT_EULA="1" TEXT="a ""b"" c"'
    )


def test_microsofts_own_example_is_what_we_write() -> None:
    line = install_command(PACKAGE, LOG, properties={"PROPERTY": 'Embedded "Quotes" White Space'})
    assert line.endswith('PROPERTY="Embedded ""Quotes"" White Space"')


def test_remove_and_repair() -> None:
    assert remove_command(CODE, LOG) == rf'msiexec.exe /x {CODE} /qn /norestart /l*v "{LOG}"'
    assert remove_command(PACKAGE, LOG).split(" /qn", maxsplit=1)[0] == rf'msiexec.exe /x "{PACKAGE}"'
    assert repair_command(CODE, LOG) == rf'msiexec.exe /fomus {CODE} /qn /norestart /l*v "{LOG}"'
    assert repair_command(PACKAGE, LOG, mode="vomus").startswith("msiexec.exe /fvomus ")


@pytest.mark.parametrize("mode", ["", "x", "O", "o m", "o /i"])
def test_a_repair_mode_that_is_none(mode: str) -> None:
    with pytest.raises(Unquotable, match="repair mode"):
        repair_command(CODE, LOG, mode=mode)


values = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"], exclude_characters="%!\u0085"), max_size=40)
names = st.text(string.ascii_uppercase, min_size=1, max_size=1).flatmap(
    lambda first: st.text(string.ascii_uppercase + string.digits + "_.", max_size=12).map(lambda rest: first + rest)
)


@given(properties=st.dictionaries(names.filter(lambda name: not name.startswith("REBOOT")), values, max_size=4))
def test_what_is_given_is_what_msiexec_reads(properties: dict[str, str]) -> None:
    line = install_command(PACKAGE, LOG, properties=properties)
    assert split_as_documented(line)[:7] == ["msiexec.exe", "/i", PACKAGE, "/qn", "/norestart", "/l*v", LOG]
    assert read_back(line) == properties


@given(properties=st.dictionaries(names.filter(lambda name: not name.startswith("REBOOT")), values, max_size=4))
def test_what_cmd_acts_on_is_always_between_marks(properties: dict[str, str]) -> None:
    quoted = False
    for character in install_command(PACKAGE, LOG, properties=properties):
        if character == '"':
            quoted = not quoted
        assert quoted or character not in "&|<>^()@"
        assert character not in "%!\r\n"
    assert not quoted


@pytest.mark.parametrize("value", ["100%", "%PATH%", "two\nlines", "a\rb", "nul\0", "hello!", "x\u2028y", "tab\there"])
def test_values_that_cmd_would_change_are_refused(value: str) -> None:
    with pytest.raises(Unquotable, match="MSI property TEXT"):
        install_command(PACKAGE, LOG, properties={"TEXT": value})


@pytest.mark.parametrize("name", ["", "lower", "Mixed", "1A", "A B", "A=B", 'A"', "A-B", "A\n", ".A", "%A"])
def test_names_that_are_no_public_properties_are_refused(name: str) -> None:
    with pytest.raises(Unquotable):
        install_command(PACKAGE, LOG, properties={name: "1"})


@pytest.mark.parametrize("name", ["REBOOT", "REBOOTPROMPT"])
def test_properties_that_restart_are_refused(name: str) -> None:
    with pytest.raises(Unquotable, match="contradicts /norestart"):
        install_command(PACKAGE, LOG, properties={name: "Force"})


@pytest.mark.parametrize(
    "path",
    [
        "",
        "pcns.msi",
        "dir\\pcns.msi",
        "C:pcns.msi",
        "/tmp/pcns.msi",
        "C:\\",
        "C:\\a\\",
        'C:\\a".msi',
        "C:\\%TEMP%\\a.msi",
        "C:\\a\nb.msi",
        "C:\\a|b.msi",
        "C:\\a*.msi",
        "\\\\server",
        "{not-a-guid}",
        CODE + " /i x",
    ],
)
def test_paths_that_are_none_are_refused(path: str) -> None:
    with pytest.raises(Unquotable):
        install_command(path, LOG)
    with pytest.raises(Unquotable):
        remove_command(path, LOG)
    with pytest.raises(Unquotable):
        install_command(PACKAGE, path)


def test_a_network_path_is_a_path() -> None:
    assert r'"\\server\share\a b.msi"' in install_command(r"\\server\share\a b.msi", LOG)


@pytest.mark.parametrize(
    ("code", "name", "succeeded", "restart", "retry"),
    [
        # Microsoft, desktop-src/Msi/error-codes.md
        (0, "ERROR_SUCCESS", True, False, False),
        (3010, "ERROR_SUCCESS_REBOOT_REQUIRED", True, True, False),
        (1641, "ERROR_SUCCESS_REBOOT_INITIATED", True, True, False),
        (1602, "ERROR_INSTALL_USEREXIT", False, False, False),
        (1603, "ERROR_INSTALL_FAILURE", False, False, False),
        (1605, "ERROR_UNKNOWN_PRODUCT", False, False, False),
        (1612, "ERROR_INSTALL_SOURCE_ABSENT", False, False, False),
        (1618, "ERROR_INSTALL_ALREADY_RUNNING", False, False, True),
        (1619, "ERROR_INSTALL_PACKAGE_OPEN_FAILED", False, False, False),
        (1620, "ERROR_INSTALL_PACKAGE_INVALID", False, False, False),
        (1622, "ERROR_INSTALL_LOG_FAILURE", False, False, False),
        (1625, "ERROR_INSTALL_PACKAGE_REJECTED", False, False, False),
        (1632, "ERROR_INSTALL_TEMP_UNWRITABLE", False, False, False),
        (1633, "ERROR_INSTALL_PLATFORM_UNSUPPORTED", False, False, False),
        (1638, "ERROR_PRODUCT_VERSION", False, False, False),
        (1639, "ERROR_INVALID_COMMAND_LINE", False, False, False),
    ],
)
def test_exit_codes(code: int, name: str, succeeded: bool, restart: bool, retry: bool) -> None:
    outcome = outcome_of(code)
    assert (outcome.code, outcome.name) == (code, name)
    assert (outcome.succeeded, outcome.restart_required, outcome.retry) == (succeeded, restart, retry)
    assert outcome.sentence.endswith(".")
    assert outcome.remedy.endswith(".") or code == 0
    assert outcome.restart_started == (code == 1641)
    assert outcome.not_installed == (code == 1605)


@pytest.mark.parametrize(
    ("code", "unsigned"), [(1627, 1627), (-1073741510, 3221225786), (3221225786, 3221225786), (2, 2)]
)
def test_codes_that_are_not_known_are_failures_and_keep_their_number(code: int, unsigned: int) -> None:
    outcome = outcome_of(code)
    assert (outcome.code, outcome.name) == (unsigned, "unknown")
    assert not outcome.succeeded
    assert not outcome.retry
    assert str(unsigned) in outcome.sentence


CUSTOM_ACTION_FAILED = """\
=== Verbose logging started: 11/22/2024  15:48:01  Build type: SHIP UNICODE 5.00.10011.00 ===
Action start 15:48:20: InstallFinalize.
MSI (s) (2C!64) [15:48:23:550]: Note: 1: 2205 2:  3: Error
MSI (s) (2C!64) [15:48:23:551]: Note: 1: 1402 2: HKEY_LOCAL_MACHINE\\Software\\Microsoft\\Rollback 3: 2
MSI (s) (2C!64) [15:48:23:562]: Product: Notification Service -- Error 25011.
The setup wizard failed calling SetInfo() on the Active Directory object LDAP://CN=System,DC=contoso,DC=com.
Access is denied.
Error 25011.The setup wizard failed calling SetInfo() on the Active Directory object LDAP://CN=System,DC=contoso,DC=com.
Access is denied.
CustomAction ConfigureDirectory returned actual error code 1603 (note this may not be 100% accurate if translation \
happened inside sandbox)
Action ended 15:48:23: InstallFinalize. Return value 3.
Action ended 15:48:24: INSTALL. Return value 3.
Property(S): SECRET = hunter2
MSI (s) (14:AC) [15:48:25:001]: Note: 1: 1708
MSI (s) (14:AC) [15:48:25:002]: Product: Notification Service -- Installation operation failed.
MSI (s) (14:AC) [15:48:25:003]: MainEngineThread is returning 1603
"""
"""The form follows logs that Microsoft's documentation quotes (FIM error 25009, Entra Connect 1708)."""


def test_a_failed_custom_action() -> None:
    assert telling_lines(CUSTOM_ACTION_FAILED) == (
        (
            "Product: Notification Service -- Error 25011. The setup wizard failed calling SetInfo() on the Active "
            "Directory object LDAP://CN=System,DC=contoso,DC=com. Access is denied."
        ),
        (
            "CustomAction ConfigureDirectory returned actual error code 1603 (note this may not be 100% accurate if "
            "translation happened inside sandbox)"
        ),
        "Action ended 15:48:23: InstallFinalize. Return value 3.",
        "Product: Notification Service -- Installation operation failed.",
    )


def test_a_service_that_does_not_start() -> None:
    lines = telling_lines(
        "MSI (s) (5C:54) [10:43:32:599]: Executing op: ServiceControl(,Name=PCNSSVC,Action=1,Wait=1,)\r\n"
        "MSI (s) (5C:54) [10:47:36:573]: Note: 1: 2205 2:  3: Error \r\n"
        "MSI (s) (5C:54) [10:47:36:574]: Note: 1: 1920 2: Password Change Notification Service 3: PCNSSVC \r\n"
        "Error 1920. Service 'Password Change Notification Service' (PCNSSVC) failed to start.\r\n"
        "MSI (s) (5C:54) [10:47:36:579]: Product: PCNS -- Error 1920. Service 'Password Change Notification Service' "
        "(PCNSSVC) failed to start.\r\n"
        "Action ended 10:47:36: InstallFinalize. Return value 3.\r\n"
    )
    assert lines == (
        "Note: 1: 1920 2: Password Change Notification Service 3: PCNSSVC",
        "Error 1920. Service 'Password Change Notification Service' (PCNSSVC) failed to start.",
        "Action ended 10:47:36: InstallFinalize. Return value 3.",
    )


@pytest.mark.parametrize(
    ("error", "action"),
    [
        (
            "Fehler 1920. Der Dienst wurde nicht gestartet.",
            "Aktion beendet um 10:47:36: InstallFinalize. R\u00fcckgabewert 3.",
        ),
        (
            "Erreur 1920. Le service n'a pas d\u00e9marr\u00e9.",
            "Fin de l'action 10:47:36: InstallFinalize. Valeur renvoy\u00e9e 3.",
        ),
        (
            "\u30a8\u30e9\u30fc 1920\u3002x",
            "\u64cd\u4f5c\u306e\u7d42\u4e86 10:47:36: InstallFinalize\u3002\u623b\u308a\u50243\u3002",
        ),
    ],
)
def test_translated_logs_are_told_by_their_shape(error: str, action: str) -> None:
    # What these hosts write exactly was not at hand: the shape (word, number, stop; time, action, 3) is what counts.
    log = f"Action start 10:47:30: InstallFinalize.\n{error}\nnext line\n{action}\nX 10:47:37: INSTALL. Y 3.\n"
    assert telling_lines(log) == (f"{error} next line", action)


def test_a_launch_condition() -> None:
    lines = telling_lines(
        "Action start 9:00:00: LaunchConditions.\n"
        "MSI (s) (5C:54) [09:00:00:579]: Product: PCNS -- The license terms must be accepted: ACCEPT_EULA=1\n\n"
        "The license terms must be accepted: ACCEPT_EULA=1\n"
        "Action ended 9:00:00: LaunchConditions. Return value 3.\n"
    )
    assert lines == (
        "Product: PCNS -- The license terms must be accepted: ACCEPT_EULA=1",
        "Action ended 9:00:00: LaunchConditions. Return value 3.",
    )


def test_a_refusal_by_policy_without_any_action() -> None:
    lines = telling_lines(
        "MSI (s) (5C:54) [09:00:00:579]: Note: 1: 1708\n"
        "MSI (s) (5C:54) [09:00:00:580]: Product: PCNS -- Installation failed.\n"
        "Info 1625. This installation is forbidden by system policy. Contact your system administrator.\n"
        "MSI (s) (5C:54) [09:00:00:590]: MainEngineThread is returning 1625\n"
    )
    assert lines == (
        "Product: PCNS -- Installation failed.",
        "Info 1625. This installation is forbidden by system policy. Contact your system administrator.",
    )


def test_the_return_of_the_engine_when_nothing_else_tells() -> None:
    assert telling_lines("x\nMSI (s) (A:B) [1:2:3:4]: MainEngineThread is returning 1618\n") == (
        "MainEngineThread is returning 1618",
    )


def test_a_successful_log_and_an_empty_one_tell_nothing() -> None:
    assert telling_lines("") == ()
    assert (
        telling_lines(
            "Action ended 10:47:36: InstallFinalize. Return value 1.\n"
            "Action ended 13:03:33: INSTALL. Return value 1.\n"
            "CustomAction Extra returned actual error code 1157 but will be translated to success due to continue "
            "marking\n"
            "MSI (s) (A:B) [1:2:3:4]: MainEngineThread is returning 0\n"
        )
        == ()
    )


def test_what_is_near_the_failed_action_is_kept() -> None:
    before = [f"Error 1{number:03}. Early trouble number {number}." for number in range(300, 350)]
    after = [f"Error 1{number:03}. Late trouble number {number}." for number in range(700, 750)]
    failed = "Action ended 10:00:00: WriteRegistryValues. Return value 3."
    lines = telling_lines("\n".join([*before, failed, *after]))
    assert len(lines) == 12
    assert failed in lines
    assert before[-1] in lines


@given(st.text(max_size=400))
def test_any_text_gives_bounded_lines(text: str) -> None:
    lines = telling_lines(text)
    assert len(lines) <= 12
    assert all(len(line) <= 500 for line in lines)


def test_hostile_lines_take_no_time() -> None:
    evil = ("00:00:00: " + "a." * 4000) + "\n" + "Error " * 5000 + "\n" + "1:11:11: A." * 1000
    assert telling_lines((evil + "\n") * 20) == ()
