# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""pcnscfg: Microsoft's published output, its variations, and output that can't be understood."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.entsso.password_sync.plugins.module_utils._pcns_configuration import (
    ConfigurationState,
    DesiredConfiguration,
    plan,
)
from ansible_collections.entsso.password_sync.plugins.module_utils._pcns_target import (
    DesiredTarget,
    TargetState,
    same_group,
)
from ansible_collections.entsso.password_sync.plugins.module_utils._pcns_target import key as target_key
from ansible_collections.entsso.password_sync.plugins.module_utils._pcns_target import plan as plan_target
from ansible_collections.entsso.password_sync.plugins.module_utils._pcnscfg import (
    ListingError,
    parse_list,
    plain_arguments,
    service_arguments,
    target_arguments,
)
from ansible_collections.entsso.password_sync.plugins.module_utils._plan import (
    Absent,
    Estate,
    Key,
    Operation,
    PlanError,
    Present,
    Unknown,
)

PUBLISHED = """MaxQueueLength........: 0
MaxQueueAge...........: 0 seconds
MaxNotificationRetries: 0
RetryInterval.........: 90 seconds

Targets

Target Name...........: fab-dev-01
Target GUID...........: 515F9932-6332-4468-8DDA-975A74E2D337
Server FQDN or Address: fab-dev-01.usergroup.fabrikam.com
Service Principal Name: PCNSCLNT/fab-dev-01.usergroup.fabrikam.com
Authentication Service: Kerberos
Inclusion Group Name..: Fabrikam\\Domain Users
Exclusion Group Name..:
Keep Alive Interval...: 15 seconds
User Name Format......: 1
Queue Warning Level...: 100
Queue Warning Interval: 30 minutes
Disabled..............: False

Total targets: 1
"""
"""Output of `pcnscfg list` in Microsoft's help (pcns.md 3, H1)."""

TARGET = TargetState(
    address="fab-dev-01.usergroup.fabrikam.com",
    service_principal_name="PCNSCLNT/fab-dev-01.usergroup.fabrikam.com",
    inclusion_group="Fabrikam\\Domain Users",
    exclusion_group="",
    user_name_format=1,
    keep_alive_interval=15,
    queue_warning_level=100,
    queue_warning_interval=30,
    enabled=True,
)
HOST, DOMAIN = "dc01", "corp.example"
TOOL = {Key(HOST, "tool", "pcnscfg"): Present(object())}


@pytest.mark.parametrize(
    "text",
    [
        PUBLISHED,
        PUBLISHED.replace("\n", "\r\n"),
        "\n".join(f"  {line}" for line in PUBLISHED.splitlines()),
        PUBLISHED.replace("\n", "\n\n"),
    ],
)
def test_the_published_output_reads_in_every_layout(text: str) -> None:
    listing = parse_list(text)
    assert listing.configuration == ConfigurationState(0, 0, 0, 90)
    assert listing.targets == {"fab-dev-01": TARGET}


def test_fewer_lines_of_a_target_are_fine() -> None:
    without = "\n".join(line for line in PUBLISHED.splitlines() if "User Name Format" not in line)
    assert parse_list(without).targets["fab-dev-01"].address == TARGET.address


def test_several_targets_are_kept_apart() -> None:
    second = PUBLISHED[PUBLISHED.index("Target Name") : PUBLISHED.index("Total")].replace("fab-dev-01", "other")
    text = PUBLISHED.replace("Total targets: 1", "") + second.replace("False", "True") + "Total targets: 2\n"
    targets = parse_list(text).targets
    assert set(targets) == {"fab-dev-01", "other"}
    assert (targets["fab-dev-01"].enabled, targets["other"].enabled) == (True, False)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "none of the lines"),
        ("Access is denied.", "none of the lines"),
        (PUBLISHED.replace("Total targets: 1", "Total targets: 2"), "2 targets and 1"),
        (PUBLISHED.replace("90 seconds", "ninety"), "no number"),
        (PUBLISHED.replace("False", "Falsch"), "neither True nor False"),
        (PUBLISHED.replace("MaxQueueAge...........: 0 seconds\n", ""), "lacks max_queue_age"),
    ],
)
def test_what_can_not_be_understood_is_said(text: str, told: str) -> None:
    with pytest.raises(ListingError, match=told):
        parse_list(text)


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(ListingError):
        parse_list(text)


def test_command_lines_are_those_of_microsofts_help() -> None:
    settings = {"max_queue_length": 0, "max_queue_age": 0, "max_notification_retries": 500, "retry_interval": 15}
    written = service_arguments(settings, "dc01")
    assert written == ["service", "/L:0", "/A:0", "/R:500", "/I:15", "/Server:dc01"]
    target = {
        "address": "sso01",
        "service_principal_name": "ENTSSO/sso01",
        "inclusion_group": "Domain Users",
        "user_name_format": 3,
        "enabled": False,
    }
    added = [
        "addtarget",
        "/N:SSO",
        "/A:sso01",
        "/S:ENTSSO/sso01",
        "/FI:Domain Users",
        "/F:3",
        "/D:True",
        "/Server:dc01",
    ]
    assert target_arguments("addtarget", "SSO", target, "dc01") == added
    assert plain_arguments("enabletarget", "SSO", "dc01") == ["enabletarget", "/N:SSO", "/Server:dc01"]


def configuration_estate(state: object) -> Estate:
    return Estate({**TOOL, Key(DOMAIN, "pcns_configuration", "service"): state})  # type: ignore[dict-item]


def test_settings_that_are_not_given_are_left_alone() -> None:
    estate = configuration_estate(Present(ConfigurationState(retry_interval=15)))
    assert plan(HOST, DOMAIN, DesiredConfiguration(retry_interval=15), estate) == ()
    (change,) = plan(HOST, DOMAIN, DesiredConfiguration(max_queue_age=0, retry_interval=15), estate)
    assert change.new == {"max_queue_age": 0, "retry_interval": 15}


@pytest.mark.parametrize(
    ("value", "told"), [({"retry_interval": 9}, "from 10 to 3600"), ({"max_notification_retries": 1001}, "0 to 1000")]
)
def test_ranges_of_the_tool_are_checked(value: dict[str, int], told: str) -> None:
    (sentence,) = DesiredConfiguration(**value).out_of_range()
    assert told in sentence


def test_without_the_tool_nothing_is_planned() -> None:
    with pytest.raises(PlanError, match="pcnscfg is not on dc01"):
        plan(HOST, DOMAIN, DesiredConfiguration(), Estate({Key(HOST, "tool", "pcnscfg"): Absent()}))


def target_estate(observed: object) -> Estate:
    return Estate({**TOOL, target_key(DOMAIN, "SSO"): observed})  # type: ignore[dict-item]


def test_a_new_target_is_disabled_and_has_nt4_names() -> None:
    desired = DesiredTarget("SSO", address="a", service_principal_name="ENTSSO/a", inclusion_group="CORP\\Users")
    (change,) = plan_target(HOST, DOMAIN, desired, target_estate(Absent()))
    assert change.operation is Operation.CREATE
    assert change.new["enabled"] is False
    assert change.new["user_name_format"] == 3


def test_a_new_target_needs_its_address() -> None:
    with pytest.raises(PlanError, match="address and service_principal_name"):
        plan_target(HOST, DOMAIN, DesiredTarget("SSO", inclusion_group="Users"), target_estate(Absent()))


def test_an_enabled_target_stays_enabled() -> None:
    desired = DesiredTarget("SSO", address=TARGET.address.upper(), inclusion_group="domain users")
    assert plan_target(HOST, DOMAIN, desired, target_estate(Present(TARGET))) == ()


def test_a_target_that_can_not_be_read_is_not_planned() -> None:
    with pytest.raises(PlanError, match="could not be read"):
        plan_target(HOST, DOMAIN, DesiredTarget("SSO"), target_estate(Unknown("garbage")))


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ("Domain Users", "CORP\\domain users", True),
        ("CORP\\Domain Users", "corp\\Domain Users", True),
        ("CORP\\Domain Users", "OTHER\\Domain Users", False),
        ("", "CORP\\x", False),
    ],
)
def test_group_names(left: str, right: str, same: bool) -> None:
    assert same_group(left, right) is same
