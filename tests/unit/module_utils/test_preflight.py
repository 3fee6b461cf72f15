# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a preflight judges, without a host: each verdict from each reading, and what all of them come to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import UnreadableOutput
from ansible_collections.entsso.password_sync.plugins.module_utils._plan import Unknown
from ansible_collections.entsso.password_sync.plugins.module_utils.health._replication import Neighbour, NoPartners
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._directory_rights import DirectoryRights
from ansible_collections.entsso.password_sync.plugins.module_utils.ldap._replication_metadata import last_change
from ansible_collections.entsso.password_sync.plugins.module_utils.preflight._check import (
    ALWAYS,
    NEVER_ACCEPTED,
    OPTIONAL,
    Check,
    Name,
    Unread,
    Verdict,
    settled,
    stopping,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.preflight._judge_directory import (
    Backup,
    directory_answer,
    judge_backup,
    judge_directory,
    judge_directory_rights,
    judge_replication,
    judge_site,
    judge_writable,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.preflight._judge_host import (
    LsaProtection,
    judge_free_space,
    judge_lsa_protection,
    judge_notification_packages,
    judge_rights,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.preflight._judge_media import (
    MediaState,
    judge_media,
    judge_signature,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.preflight._pending_restart import (
    RestartMarks,
    Source,
    judge_pending_restart,
    pending_restarts,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.preflight._supported_systems import (
    NAMES,
    PackageVersion,
    judge_operating_system,
)

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
GO, WARNING, UNKNOWN, NO_GO = Verdict.GO, Verdict.WARNING, Verdict.UNKNOWN, Verdict.NO_GO
ADMINISTRATOR = DirectoryRights("ADMIN", domain_admin=True)
DENIED = Unread("it may not be read by this account", "Give the account rights")
DOMAIN_DN, CONFIGURATION = "DC=corp,DC=example", "CN=Configuration,DC=corp,DC=example"

CHECKS = st.lists(
    st.builds(Check, st.sampled_from(Name), st.sampled_from(Verdict), st.just("It is so."), st.just("Do this.")),
    unique_by=lambda check: check.name,
)
ACCEPTED = st.dictionaries(st.sampled_from(Name), st.just("tested"))


class TestWhatAllComeTo:
    @given(CHECKS, ACCEPTED, st.booleans())
    def test_nothing_becomes_better_than_a_warning_and_nothing_is_lost(
        self, checks: list[Check], accepted: dict[Name, str], work: bool
    ) -> None:
        after = settled(checks, accepted, work=work)
        before = {check.name: check for check in checks}
        assert [check.name for check in after] == [name for name in Name if name in before]
        for check in after:
            old = before[check.name]
            assert check.msg.startswith(old.msg)
            if check.verdict is not old.verdict:
                assert old.stops
                assert check.verdict is WARNING
                taken = check.name in accepted and check.name not in NEVER_ACCEPTED
                assert taken or (not work and check.name not in ALWAYS)
                assert not taken or check.msg.endswith("Accepted: tested.")

    @given(CHECKS)
    def test_a_host_is_a_go_without_no_go_and_without_unknown_that_matters(self, checks: list[Check]) -> None:
        bad = [c for c in checks if c.verdict is NO_GO or (c.verdict is UNKNOWN and c.name not in OPTIONAL)]
        assert list(stopping(checks)) == bad
        assert [Check.from_json(check.to_json()) for check in checks] == checks

    def test_a_host_that_can_not_be_reached_is_never_accepted(self) -> None:
        check = Check(Name.REACHABLE, NO_GO, "It does not answer.")
        assert settled([check], {Name.REACHABLE: "never mind"}, work=False) == (check,)


class TestOperatingSystem:
    @pytest.mark.parametrize(
        ("version", "package", "verdict", "told"),
        [
            ("10.0.17763", "4.7.3.0", GO, "Windows Server 2019"),
            ("10.0.20348", "4.7.3.0", GO, "Windows Server 2022"),
            ("10.0.14393", "4.7.3.0", NO_GO, "supported on Windows Server 2019, Windows Server 2022."),
            ("10.0.26100", "4.7.3.0", NO_GO, "Windows Server 2025 (build 26100) is not supported by PCNS 4.7.3.0"),
            ("10.0.14393", "4.6.34.0", GO, "Windows Server 2016"),
            ("6.2.9200", "4.6.673.0", GO, "Windows Server 2012"),
            ("10.0.26100", "4.6.673.0", NO_GO, "Windows Server 2025"),
            ("6.1.7601", "4.6.673.0", NO_GO, "Old Windows (build 7601)"),
            # A version that no public source knows: what supports nobody's version, and what supports some.
            ("10.0.26100", "1.0.100.0", NO_GO, "Windows Server 2025"),
            ("10.0.20348", "1.0.100.0", WARNING, "No public source says which Windows PCNS 1.0.100.0 supports"),
            ("10.0.20348", "4.8.0.0", WARNING, "No public source"),
            ("10.0.20348", "4.10.0.0", WARNING, "No public source"),
            ("", "4.7.3.0", UNKNOWN, "it tells none"),
            ("ten", "4.7.3.0", UNKNOWN, "ten"),
        ],
    )
    def test_each_package_on_each_windows(self, version: str, package: str, verdict: Verdict, told: str) -> None:
        check = judge_operating_system(
            version, "Old Windows", [PackageVersion("PCNS", package)], allow_unsupported=False
        )
        assert (check.verdict, told in check.msg) == (verdict, True), check.msg

    def test_overridden_it_is_a_warning_that_says_so(self) -> None:
        package = PackageVersion("PCNS", "4.7.3.0")
        check = judge_operating_system("10.0.26100", "", [package], allow_unsupported=True)
        assert check.verdict is WARNING
        assert check.msg.endswith("allow_unsupported_os is set.")

    @given(st.sampled_from(sorted(NAMES)), st.lists(st.sampled_from(["4.7.3.0", "4.6.34.0", "1.0.0.0"]), min_size=1))
    def test_several_packages_are_judged_as_the_strictest_of_them(self, build: int, versions: list[str]) -> None:
        def verdict(some: list[str]) -> Verdict:
            packages = [PackageVersion("P", version) for version in some]
            return judge_operating_system(f"10.0.{build}", "", packages, allow_unsupported=False).verdict

        severity = [GO, WARNING, UNKNOWN, NO_GO]
        assert verdict(versions) is max((verdict([one]) for one in versions), key=severity.index)


NOTHING: dict[str, Any] = {
    "servicing": False,
    "update": False,
    "renames": (),
    "active_name": "DC01",
    "next_name": "dc01",
    "netlogon_keys": ("Parameters",),
    "server_manager_attempts": None,
}
ONE: dict[Source, dict[str, Any]] = {
    Source.SERVICING: {"servicing": True},
    Source.UPDATE: {"update": True},
    Source.FILE_RENAME: {"renames": (r"\??\C:\a.dll", "", r"\??\C:\b.dll", r"!\??\C:\c.dll")},
    Source.COMPUTER_RENAME: {"next_name": "DC99"},
    Source.DOMAIN_JOIN: {"netlogon_keys": ("parameters", "joindomain")},
    Source.SERVER_MANAGER: {"server_manager_attempts": 1},
}


class TestPendingRestart:
    def test_the_sources_are_those_of_win_reboot_info(self) -> None:
        """ansible.windows, module win_reboot_info, RETURN, reboot_required_reasons."""
        assert {source.value for source in Source} == {
            "component_based_servicing",
            "windows_update",
            "pending_file_rename",
            "pending_computer_rename",
            "domain_join",
            "server_manager",
        }

    @given(st.sets(st.sampled_from(Source)))
    def test_every_source_is_told_and_files_alone_stop_nothing(self, sources: set[Source]) -> None:
        marks = dict(NOTHING)
        for source in sources:
            marks |= ONE[source]
        found = pending_restarts(RestartMarks(**marks))
        assert {item.source for item in found} == sources
        check = judge_pending_restart(found)
        assert check.verdict is (GO if not sources else WARNING if sources == {Source.FILE_RENAME} else NO_GO)
        assert all(source.value in check.msg for source in sources)

    def test_what_waits_is_named(self) -> None:
        (renames,) = pending_restarts(RestartMarks(**NOTHING | ONE[Source.FILE_RENAME]))
        assert renames.to_json() == {
            "source": "pending_file_rename",
            "description": r"files are moved or deleted at the next start (C:\a.dll and 1 more)",
        }

    def test_server_manager_that_tried_never_waits_for_nothing(self) -> None:
        assert pending_restarts(RestartMarks(**NOTHING | {"server_manager_attempts": 0})) == ()

    def test_unread(self) -> None:
        assert judge_pending_restart(DENIED).verdict is UNKNOWN


class TestHost:
    @pytest.mark.parametrize(
        ("ppl", "audit", "protected", "loaded", "verdict", "told"),
        [
            (None, None, False, False, GO, "LSA protection is off."),
            (0, 8, False, False, GO, "Audit mode is on (AuditLevel 8)."),
            (1, None, True, False, NO_GO, "RunAsPPL is 1, event 12 of Wininit"),
            (2, 8, None, False, NO_GO, "RunAsPPL is 2"),
            (1, None, False, False, NO_GO, "begins with the next"),
            # Firmware remembers it after the value was removed.
            (None, None, True, False, NO_GO, "event 12 of Wininit"),
            (1, None, True, True, WARNING, "LSA has loaded the capture component that is installed now"),
        ],
    )
    def test_lsa_protection(
        self, ppl: int | None, audit: int | None, protected: bool | None, loaded: bool, verdict: Verdict, told: str
    ) -> None:
        check = judge_lsa_protection(LsaProtection(ppl, audit, protected), loaded=loaded)
        assert (check.verdict, told in check.msg) == (verdict, True), check.msg

    def test_rights(self) -> None:
        assert judge_rights(True, {}).verdict is GO
        assert judge_rights(False, {"Security": "x"}).verdict is NO_GO
        warned = judge_rights(True, {"Security": "Access is denied."})
        assert (warned.verdict, "Security: Access is denied)" in warned.msg) == (WARNING, True)

    @given(st.integers(0, 1 << 45), st.integers(0, 1 << 45))
    def test_free_space(self, free: int, minimum: int) -> None:
        assert judge_free_space(free, minimum, "C:").verdict is (NO_GO if free < minimum else GO)

    def test_what_is_not_readable_is_unknown_with_its_reason(self) -> None:
        for check in (
            judge_free_space(DENIED, 1, "C:"),
            judge_rights(DENIED, {}),
            judge_lsa_protection(DENIED, loaded=True),
            judge_notification_packages(DENIED, "PCNSFLT"),
        ):
            assert check.verdict is UNKNOWN
            assert check.msg.endswith(": it may not be read by this account.")
            assert check.remedy == "Give the account rights."

    def test_notification_packages_are_told_whole(self) -> None:
        usual = judge_notification_packages(("rassfm", "scecli", "pcnsflt"), "PCNSFLT")
        assert (usual.verdict, "rassfm, scecli, pcnsflt" in usual.msg) == (GO, True)
        other = judge_notification_packages(("scecli", "OtherFilter"), "PCNSFLT")
        assert other.verdict is WARNING
        assert "scecli, OtherFilter. Recorded for a rollback; OtherFilter is not Windows' own" in other.msg


class TestMedia:
    def test_a_problem_is_a_no_go(self) -> None:
        check = judge_media([MediaState("A", hashed=True), MediaState("B", "B: the file has another SHA-256.")])
        assert (check.verdict, check.msg) == (NO_GO, "B: the file has another SHA-256.")

    def test_a_file_on_the_host_is_hashed_later_and_that_is_said(self) -> None:
        check = judge_media([MediaState("A", hashed=True), MediaState("B")])
        assert check.verdict is GO
        assert check.msg == "SHA-256 of A is as given. That of B is compared on the host before it is executed."

    def test_a_signature_is_told_and_never_called_verified(self) -> None:
        signed = judge_signature([MediaState("A", hashed=True, signed=True, signer="CN=Someone")])
        assert (signed.verdict, "CN=Someone" in signed.msg) == (GO, True)
        assert "not verified here" in signed.msg
        unsigned = judge_signature([MediaState("A", hashed=True), MediaState("B", hashed=True, signed=True)])
        assert unsigned.verdict is WARNING
        assert unsigned.msg.startswith("A is not signed. B is signed")
        assert judge_signature([MediaState("A")]).verdict is UNKNOWN


def answer(**changes: Any) -> dict[str, Any]:
    """What domain_controller_info returns for a forest of two writable DCs of one site and a read-only one."""
    known = [
        {"dns_name": "dc01.corp.example", "site": "Paris", "read_only": False, "enabled": True, "available": True},
        {"dns_name": "dc02.corp.example", "site": "Paris", "read_only": False, "enabled": True, "available": True},
        {"dns_name": "rodc.corp.example", "site": "Paris", "read_only": True, "enabled": True, "available": True},
    ]
    for item in known:
        item |= changes.get(str(item["dns_name"]).partition(".")[0], {})
    domains = [{"dns_name": "corp.example"}]
    return {"domain_controllers": known, "domains": domains, "unread": changes.get("unread", {})}


class TestDirectory:
    def test_not_configured_is_a_warning_and_unreadable_is_not(self) -> None:
        for nothing in (None, {}, {"skipped": True}):
            assert judge_directory(directory_answer(nothing)).verdict is WARNING
        failed = judge_directory(directory_answer({"failed": True, "msg": "Task failed: No DC answers. Look at DNS."}))
        assert (failed.verdict, failed.msg) == (
            UNKNOWN,
            "The directory could not be read: No DC answers. Look at DNS.",
        )
        assert judge_directory(directory_answer(answer())).verdict is GO

    @pytest.mark.parametrize(
        ("name", "domain", "changes", "verdict", "told"),
        [
            ("DC01.corp.example", "corp.example", {}, GO, "writable"),
            ("rodc.corp.example", "corp.example", {}, NO_GO, "read-only domain controller, and the inventory"),
            ("dc09.corp.example", "corp.example", {}, NO_GO, "the directory has none of that name"),
            ("dc09.emea.example", "emea.example", {}, UNKNOWN, "asked for corp.example"),
            ("dc09.emea.example", "emea.example", {"unread": {"EMEA.example": "No way."}}, UNKNOWN, "No way."),
            ("dc01.corp.example", "corp.example", {"dc01": {"enabled": False}}, NO_GO, "disabled"),
            ("dc01.corp.example", "corp.example", {"dc01": {"problems": ["Odd."]}}, WARNING, "Odd."),
        ],
    )
    def test_writable(self, name: str, domain: str, changes: dict[str, Any], verdict: Verdict, told: str) -> None:
        check = judge_writable(directory_answer(answer(**changes)), name, domain)
        assert (check.verdict, told in check.msg) == (verdict, True), check.msg

    @pytest.mark.parametrize(
        ("changes", "verdict", "told"),
        [
            ({}, GO, "dc02.corp.example"),
            ({"dc02": {"available": False}}, NO_GO, "dc02.corp.example did not answer"),
            ({"dc02": {"available": None}}, UNKNOWN, "nobody asked dc02.corp.example"),
            ({"dc02": {"site": "Lyon"}}, WARNING, "only writable domain controller of the site Paris"),
            ({"dc02": {"enabled": False}}, WARNING, "only writable"),
        ],
    )
    def test_another_one_of_the_site(self, changes: dict[str, Any], verdict: Verdict, told: str) -> None:
        """The read-only one of the site does not count."""
        check = judge_site(directory_answer(answer(**changes)), "dc01.corp.example")
        assert check is not None
        assert (check.verdict, told in check.msg) == (verdict, True), check.msg

    def test_the_site_of_a_stranger_is_not_judged(self) -> None:
        assert judge_site(directory_answer(answer()), "dc09.corp.example") is None

    @given(st.integers(0, 400), st.integers(0, 365))
    def test_backup(self, age: int, days: int) -> None:
        made = Backup(NOW - timedelta(days=age), f"CN=NTDS Settings,CN=DC07,CN=Servers,CN=Paris,{CONFIGURATION}")
        check = judge_backup(made, NOW, days)
        assert check.verdict is (NO_GO if age > days else GO)
        assert f"by DC07, {age} days ago" in check.msg

    def test_a_backup_that_nobody_tells_of_is_a_warning(self) -> None:
        assert judge_backup(None, NOW, 30).verdict is WARNING
        assert judge_backup(DENIED, NOW, 30).verdict is WARNING

    def test_metadata_tell_of_the_last_change(self) -> None:
        """The form of DS_REPL_ATTR_META_DATA_2 as ldifde and repadmin users publish it."""
        value = (
            b"<DS_REPL_ATTR_META_DATA>\n\t<pszAttributeName>dSASignature</pszAttributeName>\n\t<dwVersion>7</dwVersion>"
            b"\n\t<ftimeLastOriginatingChange>2026-11-20T02:10:31Z</ftimeLastOriginatingChange>\n\t"
            b"<uuidLastOriginatingDsaInvocationID>8d2a1f5c-58d4-4efa-bcd2-f7d85ef53013"
            b"</uuidLastOriginatingDsaInvocationID>\n\t<usnOriginatingChange>12776</usnOriginatingChange>\n\t"
            b"<usnLocalChange>12776</usnLocalChange>\n\t<pszLastOriginatingDsaDN>CN=NTDS Settings,CN=DC01,CN=Servers"
            b"</pszLastOriginatingDsaDN>\n</DS_REPL_ATTR_META_DATA>\n\0"
        )
        other = value.replace(b"dSASignature", b"wellKnownObjects").replace(b"2026", b"2020")
        found = last_change([other, value], "DSASIGNATURE")
        assert found is not None
        assert (found.at, found.server) == (
            datetime(2026, 11, 20, 2, 10, 31, tzinfo=UTC),
            "CN=NTDS Settings,CN=DC01,CN=Servers",
        )
        assert last_change([other], "dSASignature") is None

    @given(st.binary(max_size=60))
    def test_anything_else_is_unreadable_and_never_no_backup(self, value: bytes) -> None:
        with pytest.raises(UnreadableOutput):
            last_change([value], "dSASignature")

    def test_replication(self) -> None:
        def partner(name: str, context: str = DOMAIN_DN, result: int = 0, hours: float | None = 1) -> Neighbour:
            return Neighbour(name, context, result, None if hours is None else NOW - timedelta(hours=hours))

        def verdict(*partners: Neighbour) -> Verdict:
            return judge_replication(partners, "corp.example", NOW).verdict

        well = partner("DC02")
        assert verdict(well, partner("DC03", CONFIGURATION)) is GO
        assert verdict(partner("DC02", result=8524)) is NO_GO
        assert verdict(partner("DC02", hours=None)) is NO_GO
        assert verdict(partner("DC02", hours=25)) is NO_GO
        # Another partner brings the same changes; but only for the same part of the directory.
        assert verdict(well, partner("DC03", result=1722)) is WARNING
        assert verdict(well, partner("DC03", CONFIGURATION, result=1722)) is NO_GO
        # Parts of other domains, which a global catalog has, do not matter here.
        assert verdict(well, partner("DC09", "DC=emea,DC=corp,DC=example", 1722)) is GO
        assert verdict(partner("DC09", "DC=emea,DC=corp,DC=example")) is UNKNOWN
        assert judge_replication(NoPartners(), "corp.example", NOW).verdict is GO
        assert judge_replication(Unknown("no right"), "corp.example", NOW).verdict is UNKNOWN
        assert judge_replication(DENIED, "corp.example", NOW).remedy == "Give the account rights."
        told = judge_replication((partner("DC02", result=8524),), "corp.example", NOW).msg
        assert "DC=corp,DC=example from DC02 failed with error 8524, last success 2026-11-22T11:00Z" in told

    @pytest.mark.parametrize(
        ("rights", "extended", "verdict", "told"),
        [
            (DirectoryRights("A", domain_admin=True), True, GO, "may write"),
            (DirectoryRights("A", enterprise_admin=True), True, GO, "may write"),
            (DirectoryRights("A"), True, WARNING, "Domain Admins of corp.example or Enterprise Admins"),
            (DirectoryRights("A", domain_admin=True), False, WARNING, "extending it needs Schema Admins"),
            (DirectoryRights("A", domain_admin=True, schema_admin=True), False, GO, "may write"),
            (DirectoryRights("A", domain_admin=True), DENIED, WARNING, "may have to be extended, with Schema Admins"),
            (DirectoryRights("A", unknown="no answer"), True, UNKNOWN, "no answer"),
            (DENIED, True, UNKNOWN, "may not be read"),
        ],
    )
    def test_rights_in_the_directory(
        self, rights: DirectoryRights | Unread, extended: bool | Unread, verdict: Verdict, told: str
    ) -> None:
        check = judge_directory_rights(rights, ADMINISTRATOR, extended, "corp.example")
        assert (check.verdict, told in check.msg) == (verdict, True), check.msg
        assert not check.stops

    @pytest.mark.parametrize(
        ("over_ldap", "verdict", "told"),
        [
            (DirectoryRights("R"), WARNING, "written over LDAP by R, which is no administrator of corp.example"),
            (DirectoryRights("R", enterprise_admin=True), GO, "ADMIN may write"),
            (DirectoryRights("R", unknown="no answer"), UNKNOWN, "no answer"),
            (DENIED, UNKNOWN, "may not be read"),
        ],
    )
    def test_the_account_that_asks_the_directory_writes_names(
        self, over_ldap: DirectoryRights | Unread, verdict: Verdict, told: str
    ) -> None:
        check = judge_directory_rights(ADMINISTRATOR, over_ldap, True, "corp.example")
        assert (check.verdict, told in check.msg) == (verdict, True), check.msg
