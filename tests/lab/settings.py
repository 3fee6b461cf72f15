# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the lab assumes where no public source says how Windows, PCNS or ENTSSO behave.

Every field names the fact that is missing (a sheet and section of facts/, or a page). A default is only what the lab
does when nobody says otherwise; it is never evidence, and tests run with more than one value. Fields that are not about
a missing fact (durations) say so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class ListWithoutConfiguration(StrEnum):
    """What `pcnscfg list` does when the directory holds no PCNS configuration object (pcns.md 3 and 11.1: UNKNOWN)."""

    DEFAULTS = "defaults"
    ERROR = "error"


class Rejection(StrEnum):
    """What PCNS does when ENTSSO refuses a notification (entsso.md 5, pcns.md 6a: UNKNOWN)."""

    DROP = "drop"
    RETRY = "retry"
    REPORT_DELIVERED = "delivered"


class AdapterListLayout(StrEnum):
    """How `ssops -list` lays out adapter, mark and description (entsso.md 2.4 names the content, not the layout)."""

    MARK_FIRST = "mark_first"
    TWO_COLUMNS = "two_columns"


class SetupStyle(StrEnum):
    """Which switches `Platforms\\SSO\\setup.exe` takes (entsso.md 1.2: UNKNOWN)."""

    BIZTALK = "biztalk"
    """As BizTalk's own setup: `/quiet /norestart /L <log> /ADDLOCAL <features>`, separated by spaces."""

    MSI_PROPERTIES = "msi_properties"
    """As a wrapper around Windows Installer: `/qn /norestart /l*v <log> ADDLOCAL=<features>`."""


class SyncAgeDisplay(StrEnum):
    """What `ssoconfig -syncage` does without an argument (entsso.md 2.1: UNCERTAIN)."""

    HOURS = "hours"
    ERROR = "error"


@dataclass(frozen=True)
class PcnsSettings:
    """PCNS and pcnscfg."""

    list_without_configuration: ListWithoutConfiguration = ListWithoutConfiguration.DEFAULTS
    """pcns.md 11.1 UNKNOWN. The default is the lab's choice and must not be read as a fact."""

    list_indent: int = 0
    """Spaces before the lines of a target: 0 in Microsoft's help (H1), 2 in the newer article (C1); pcns.md 3."""

    list_blank_lines: bool = True
    """Whether blocks are parted by empty lines; pcns.md 3 says to expect variation."""

    list_prints_user_name_format: bool = True
    """The newer article's sample has no such line (entsso.md 5, below the sample)."""

    list_prints_group_domain: bool = True
    """H1 prints `Fabrikam\\Domain Users`; whether always: UNKNOWN."""

    failure_exit_code: int = 1
    """Exit code of a verb that failed (pcns.md 3: UNKNOWN). Some tools return 0 all the same: set it to 0."""

    addtarget_creates_configuration: bool = True
    """Whether `addtarget` creates the service object that `service` would. pcns.md 3 gives defaults "if `service` was
    never run", which suggests it; not stated."""

    msi_creates_configuration: bool = False
    """Setup writes below CN=System (pcns.md 2, error 25011); whether the service object is part of it: UNKNOWN."""

    target_value_range: tuple[int, int] = (0, 4294967295)
    """Range of /I, /WL, /WI of addtarget and modifytarget (pcns.md 3: UNKNOWN)."""

    new_target_keep_alive: int = 60
    """addtarget defaults (pcns.md 3: UNKNOWN)."""

    new_target_user_name_format: int = 1
    """As above."""

    new_target_warning_level: int = 100
    """As above."""

    new_target_warning_interval: int = 30
    """As above."""

    refresh_at_once: bool = True
    """Whether a running service sees a change of the configuration without a restart (pcns.md 3: trigger UNKNOWN)."""

    handshake_event: bool = True
    """Whether the service logs 6002 when it starts while the filter is not loaded (pcns.md 2: inference)."""

    success_event_level: int = 1
    """EventLogLevel from which 2100, 2201 and 2303 are logged (pcns.md 6a: UNCERTAIN, perhaps 2)."""

    on_rejection: Rejection = Rejection.DROP
    """See `Rejection`."""

    retry_interval_scale: float = 0.02
    """Seconds of the lab for each second of RetryInterval (not a fact: the lab's own speed)."""

    uninstall_removes_entry: bool = True
    """Whether removing the MSI takes its entry out of `Notification Packages` (pcns.md 2: UNKNOWN)."""

    uninstall_rewrites_entries: bool = False
    """Whether removing the MSI writes Windows' own entries to `Notification Packages`, whatever others have added: its
    custom actions are not public (pcns.md 2: UNKNOWN)."""

    schema_needs_groups: bool = True
    """Whether SCHEMAONLY=TRUE fails unless the account is in Schema Admins and Domain Admins (pcns.md 2, T2)."""

    schema_only_on_master: bool = True
    """Whether it fails on another domain controller than the schema master: Samba refuses such a write (samba.md 2);
    whether the package finds the master by itself: UNKNOWN."""

    unresolvable_server_disables_target: bool = True
    """Whether a target whose server name can't be resolved ends in 6027, "target disabled" (pcns.md 5, C1), or in
    6025 (pcns.md 6a)."""


class SidForm(StrEnum):
    """How a target keeps the SID of a group (pcns.md 2: "stored as SIDs"; attribute syntax UNKNOWN)."""

    BINARY = "binary"
    """String(SID), as objectSid has it."""

    TEXT = "text"
    """S-1-5-21-..., in a Unicode string."""


class GuidForm(StrEnum):
    """How a target keeps its GUID (pcns.md 2: attribute syntax UNKNOWN)."""

    BINARY = "binary"
    TEXT = "text"


class Placement(StrEnum):
    """Where service object and targets are (pcns.md 1 says which container, not how they lie in it)."""

    SIBLINGS = "siblings"
    """Beside each other in the container."""

    BELOW_SERVICE = "below_service"
    """The targets are children of the service object."""

    CONTAINER_IS_SERVICE = "container_is_service"
    """CN=Password Change Notification Service is the service object itself."""


@dataclass(frozen=True)
class PcnsDirectorySettings:
    """The PCNS objects in the directory, where pcns.md 2 leaves them open."""

    sid_form: SidForm = SidForm.BINARY
    """See `SidForm`."""

    guid_form: GuidForm = GuidForm.BINARY
    """See `GuidForm`."""

    large_integers: bool = True
    """Whether numbers are LargeInteger (2.5.5.16) or Integer (2.5.5.9), which holds 4294967295 as -1 (UNKNOWN)."""

    placement: Placement = Placement.SIBLINGS
    """See `Placement`."""

    service_name: str = "PCNS Service"
    """Common name of the service object, unless the container is it (UNKNOWN)."""

    target_named_by_guid: bool = False
    """Whether a target's common name is its GUID, and its name in displayName (UNKNOWN; no attribute of the list in
    pcns.md 2 is for a name, so the common name is the likely place)."""

    authentication_service: int = 16
    """What stands for Kerberos in TargetAuthenticationService (UNKNOWN)."""

    unpublished: Mapping[str, tuple[str, str]] = field(
        default_factory=lambda: {
            "max_retries": ("MS-MIIS-PCNS-ServiceMaxNotificationRetries", "1.2.840.113556.1.4.1905"),
            "retry_interval": ("MS-MIIS-PCNS-ServiceLabPause", "1.2.840.113556.1.4.1906"),
            "warning_level": ("MS-MIIS-PCNS-TargetLabThreshold", "1.2.840.113556.1.4.1907"),
            "warning_interval": ("MS-MIIS-PCNS-TargetLabReminder", "1.2.840.113556.1.4.8999"),
        }
    )
    """Common name and OID of the attributes for which pcns.md 2 has UNKNOWN or UNCERTAIN. "Lab" in a name says that
    nobody may take it for Microsoft's; `DESCRIPTIVE_NAMES` is the other variant."""


DESCRIPTIVE_NAMES: Mapping[str, tuple[str, str]] = {
    "max_retries": ("MS-MIIS-PCNS-ServiceMaxNotificationRetries", "1.2.840.113556.1.4.1906"),
    "retry_interval": ("MS-MIIS-PCNS-ServiceRetryInterval", "1.2.840.113556.1.4.1905"),
    "warning_level": ("MS-MIIS-PCNS-TargetQueueWarningLevel", "1.2.840.113556.1.4.8997"),
    "warning_interval": ("MS-MIIS-PCNS-TargetQueueWarningInterval", "1.2.840.113556.1.4.8998"),
}
"""Names like the public ones, and other OIDs than the lab's usual ones."""


@dataclass(frozen=True)
class SsoSettings:
    """ENTSSO and its tools."""

    feature_id: str = "LabPasswordSync"
    """Feature of Password Synchronization in `Platforms\\SSO` (entsso.md 1.2: UNKNOWN). The name says that it is the
    lab's own, so that nobody takes it for Microsoft's."""

    setup_style: SetupStyle = SetupStyle.BIZTALK
    """See `SetupStyle`."""

    setup_exit_code: int = 0
    """Exit code of a set-up that worked: public scripts take 0 and 3010 (entsso.md 1.2: UNKNOWN)."""

    setup_usage_exit_code: int = 1
    """Exit code when the switches are not understood (entsso.md 1.2: UNKNOWN)."""

    setup_restarts_service: bool = False
    """Whether set-up restarts ENTSSO, which loads Password Sync only when it starts (entsso.md 1.2: UNKNOWN)."""

    ssops_before_feature: bool = False
    """Whether ssops.exe is there before Password Synchronization is installed (entsso.md 1.8 lists files of
    everything)."""

    failure_exit_code: int = 1
    """Exit code of a tool that failed (entsso.md 2: UNKNOWN)."""

    success_exit_code: int = 0
    """Exit code of a tool that worked (entsso.md 2: UNKNOWN)."""

    list_layout: AdapterListLayout = AdapterListLayout.MARK_FIRST
    """See `AdapterListLayout`."""

    list_width: int = 80
    """Columns of the console: output is cut unless it is 120 (entsso.md 2.4). 0 never cuts."""

    list_header: bool = True
    """Whether `-list` prints a line before the adapters (entsso.md 10.3: exact output UNKNOWN)."""

    enabled_mark: str = "(E)"
    """entsso.md 2.4; whether localised: UNKNOWN (entsso.md 10.3)."""

    disabled_mark: str = "(D)"
    """As above."""

    localised: bool = False
    """Whether the tools answer in German: their texts are localised (entsso.md 1.8)."""

    display_yes: str = "Yes"
    """How `-display` prints a set flag: entsso.md 2.4 gives "Yes"/"No" as defaults, not as output."""

    display_no: str = "No"
    """As above."""

    sync_age_display: SyncAgeDisplay = SyncAgeDisplay.HOURS
    """See `SyncAgeDisplay`."""

    sync_age_default: int = 24
    """Password Sync Age of a new server in hours (entsso.md 4.2: not published)."""

    allow_ps_no: bool = True
    """Whether `ssoconfig -allowPS PCNS no` is understood (entsso.md 2.1: UNCERTAIN)."""

    adapter_elements: Mapping[str, str] = field(
        default_factory=lambda: {
            "description": "description",
            "contact": "contact",
            "computer": "computer",
            "appuseraccount": "user_account",
            "appadminaccount": "admin_account",
        }
    )
    """Children of `<adapter name="...">` in a definition file, lower case, and what each sets.

    NO schema or sample of this file is public (entsso.md 3.4). The shape `<sso><adapter name="..">..<flags
    ../></adapter> </sso>` is the lab's assumption alone, by analogy with the affiliate application file (entsso.md
    3.2)."""

    created_enabled: bool = False
    """Whether `enableApp="yes"` wins over "on initial creation, an adapter is disabled" (entsso.md 3.4: UNCERTAIN)."""

    application_created_enabled: bool = True
    """The documented sample creates an application with enableApp="yes" (entsso.md 3.2), EV 10850 forbids it for the
    API: whether ssomanage enables it afterwards: not stated."""

    disabled_adapter_counts_as_not_running: bool = True
    """A change for a disabled adapter ends in 10748, whose remedy says "enable the adapter"; else in 11036 (entsso.md
    6.1)."""

    password_sync_needs_restart: bool = True
    """Whether Password Sync begins only when ENTSSO starts: its events come "at service start" (entsso.md 1.1)."""


@dataclass(frozen=True)
class WindowsSettings:
    """Windows itself."""

    audit_security_system_extension: bool = True
    """Whether the audit subcategory that brings event 4614 is on (pcns.md 6d; a policy of the site)."""

    security_channel_readable: bool = True
    """Whether the Security channel can be read by WS-Eventing under a network logon (wsman.md 1.12: UNKNOWN)."""

    absent_namespaces: frozenset[str] = frozenset()
    """WMI namespaces that the host lacks, lower case: whether 2022 and 2025 have root/MicrosoftActiveDirectory and
    root/MicrosoftDFS is UNKNOWN (wsman.md 8.6)."""

    reboot_seconds: float = 0.4
    """Wall time that a restart takes (the lab's own speed)."""

    install_seconds: float = 0.05
    """Wall time that an installation takes (the lab's own speed)."""

    setup_seconds: float = 0.05
    """Wall time that ENTSSO's set-up takes (the lab's own speed)."""

    time_scale: float = 0.1
    """Wall seconds for each second that a command is told to wait, as `shutdown /t 5` (the lab's own speed)."""

    unasked_restart: bool = True
    """Without /norestart a quiet installation restarts the machine by itself (pcns.md 2, documented danger)."""

    package_platforms: frozenset[str] = frozenset({"x64", "Intel"})
    """Template platforms that Windows Installer takes; others end in 1633. 64-bit Windows takes Intel packages too;
    leave Intel out to see 1633 with the lab's own wrong-platform.msi."""

    schtasks_failure_exit_code: int = 1
    """Exit code of schtasks when it could not do what it was asked for (documented nowhere)."""

    schtasks_german: bool = False
    """Whether schtasks answers in German: its texts are localised."""

    unknown_command_exit_code: int = 1
    """Exit code of `cmd /c` for a name that is no command: 1; 9009 inside a batch file (wine.md 1 measured 9009)."""


@dataclass(frozen=True)
class LabSettings:
    """Everything that the lab assumes or that sets its speed."""

    pcns: PcnsSettings = PcnsSettings()
    pcns_directory: PcnsDirectorySettings = PcnsDirectorySettings()
    sso: SsoSettings = SsoSettings()
    windows: WindowsSettings = WindowsSettings()
