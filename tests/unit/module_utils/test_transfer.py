# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which way a file takes, and what is told of refusals: pure rules."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.entsso.password_sync.plugins.module_utils import _errors
from ansible_collections.entsso.password_sync.plugins.module_utils.transfer import _second_hop, _smb_status, _transfer
from ansible_collections.entsso.password_sync.plugins.module_utils.transfer._transfer import Login, Transfer

ERRORS = [
    kind
    for kind in vars(_errors).values()
    if isinstance(kind, type) and issubclass(kind, _errors.HostError) and kind is not _errors.HostError
]


def error(kind: type[_errors.HostError]) -> _errors.HostError:
    made = kind.__new__(kind)
    _errors.HostError.__init__(made, "dc01", "x", "y", "z")
    return made


class TestFallingBack:
    @pytest.mark.parametrize("kind", ERRORS)
    def test_only_where_smb_is_not_open(self, kind: type[_errors.HostError]) -> None:
        """Above all never after a refusal of the account, which may count for a lockout."""
        assert _transfer.falls_back(Transfer.AUTO, error(kind)) == (kind is _errors.TransferUnavailable)

    @pytest.mark.parametrize("wanted", [Transfer.SMB, Transfer.STREAM])
    @pytest.mark.parametrize("kind", ERRORS)
    def test_never_when_the_user_has_chosen(self, wanted: Transfer, kind: type[_errors.HostError]) -> None:
        assert not _transfer.falls_back(wanted, error(kind))


class TestLogin:
    @pytest.mark.parametrize(
        ("authentication", "kerberos", "password", "ticket", "expected"),
        [
            ("kerberos", True, True, True, Login("kerberos", with_password=False)),
            ("kerberos", True, False, True, Login("kerberos", with_password=False)),
            ("kerberos", True, True, False, Login("kerberos", with_password=True)),
            ("kerberos", True, False, False, Login("kerberos", with_password=False)),
            ("ntlm", False, True, False, Login("ntlm", with_password=True)),
            # Kerberos was possible and failed: what got in is what is used.
            ("ntlm", True, True, True, Login("ntlm", with_password=True)),
            ("basic", False, True, False, Login("ntlm", with_password=True)),
            ("credssp", False, True, False, Login("ntlm", with_password=True)),
            ("certificate", False, True, False, None),
            ("certificate", True, True, True, None),
            ("", False, False, False, None),
            ("", True, True, True, Login("kerberos", with_password=False)),
            ("", False, True, False, Login("ntlm", with_password=True)),
        ],
    )
    def test_as_winrm_did(
        self, authentication: str, kerberos: bool, password: bool, ticket: bool, expected: Login | None
    ) -> None:
        found = _transfer.login_for(authentication, kerberos=kerberos, password=password, ticket=ticket)
        assert found == expected

    @given(st.sampled_from(["kerberos", "ntlm", "basic", ""]), st.booleans(), st.booleans(), st.booleans())
    def test_no_password_where_there_is_none(
        self, authentication: str, kerberos: bool, password: bool, ticket: bool
    ) -> None:
        found = _transfer.login_for(authentication, kerberos=kerberos, password=password, ticket=ticket)
        assert found is None or password or not found.with_password


class TestSizes:
    @given(st.integers(1, 1 << 24), st.integers(-5, 9000))
    def test_a_block_never_costs_more_than_is_there(self, largest: int, granted: int) -> None:
        size = _transfer.block_size(largest, granted)
        assert 1 <= size <= min(largest, _transfer.BLOCK)
        assert size <= max(1, granted) * _transfer.CREDIT

    @given(st.integers(1, 500_000_000), st.lists(st.floats(0, 1), max_size=60))
    def test_progress_is_told_at_most_three_times_and_only_of_large_files(self, total: int, parts: list[float]) -> None:
        told, lines = 0, []
        for part in sorted(parts):
            reached = _transfer.milestone(int(part * total), total, told)
            assert reached >= told
            if reached > told:
                told = reached
                lines.append(told)
        assert len(lines) <= 3
        assert not lines or total >= 10_000_000

    def test_quarters(self) -> None:
        assert [_transfer.milestone(done, 40_000_000, 0) for done in (0, 9_999_999, 10_000_000, 39_999_999)] == [
            0,
            0,
            1,
            3,
        ]
        assert _transfer.milestone(9_999_999, 9_999_999, 0) == 0

    def test_for_people(self) -> None:
        assert _transfer.megabytes(999_999) == "999,999 bytes"
        assert _transfer.megabytes(1_234_567_890) == "1,234.6 MB"


class TestNames:
    @given(st.binary(min_size=32, max_size=32))
    def test_the_folder_follows_from_the_content(self, digest: bytes) -> None:
        name = _transfer.folder_name(digest.hex().upper())
        assert name == _transfer.folder_name(digest.hex())
        assert name == f"media-{digest.hex()[:16]}"

    def test_below_the_share(self) -> None:
        assert _transfer.below_share(r"C:\Program Files\x.msi") == r"Program Files\x.msi"


class TestRefusals:
    @given(st.integers(0, 0xFFFFFFFF))
    def test_every_number_has_two_clauses(self, status: int) -> None:
        for meaning in (_smb_status.of_account(status), _smb_status.of_share(status), _smb_status.of_file(status)):
            assert meaning.reason
            assert meaning.remedy
            assert not meaning.reason.endswith(".")

    def test_what_may_count_for_a_lockout(self) -> None:
        assert set(_smb_status.WRONG_PASSWORD) == {0xC0000064, 0xC000006A, 0xC000006D, 0xC0000234}
        assert _smb_status.number(0xC000006D) == "0xC000006D"

    @pytest.mark.parametrize("code", [5, 0x80070005, 0x8007052E, 0x80070035, None])
    def test_a_second_hop(self, code: int | None) -> None:
        text = _second_hop.explain(r"\\files\media\pcns.msi", code)
        for part in (
            "second hop",
            "let the control node push the file",
            "ansible_winrm_kerberos_delegation",
            "resource-based constrained delegation",
            "PrincipalsAllowedToDelegateToAccount",
            "Protected Users",
            "computer account",
        ):
            assert part in text
        assert not text.startswith("Check that the file is there")
        assert len(text) < 1300

    def test_a_file_that_is_not_there(self) -> None:
        assert _second_hop.explain(r"\\files\media\pcns.msi", 0x80070002).startswith(
            "Check that the file is there. A UNC"
        )
        assert "hop" not in _second_hop.explain(r"D:\media\pcns.msi", 0x80070005)
