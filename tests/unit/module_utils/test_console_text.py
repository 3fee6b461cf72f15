# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Console output as text: UTF-8, OEM code pages, both, and neither."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.entsso.password_sync.plugins.module_utils.codec._console_text import decoded

_LINE = st.text(alphabet=st.characters(blacklist_characters="\r\n", codec="utf-8"))


def never_asked() -> int | None:
    raise AssertionError("the code page is asked for only when a line is no UTF-8")


@given(st.lists(_LINE).map("\r\n".join))
def test_utf_8_is_itself_and_asks_for_nothing(text: str) -> None:
    assert decoded(text.encode(), never_asked) == text


@pytest.mark.parametrize(
    ("code_page", "text"),
    [
        (437, "Größe: ½ ¥ ░▒▓"),
        (850, "Größe: Ð þ ¾"),
        (932, "エラーが発生しました。表示 能力 ソ"),
        (936, "操作成功完成"),
        (1252, "Größe €"),
    ],
)
def test_a_line_in_the_hosts_code_page(code_page: int, text: str) -> None:
    data = text.encode(f"cp{code_page}")
    with pytest.raises(UnicodeDecodeError):
        data.decode()
    assert decoded(data, lambda: code_page) == text


@given(st.integers(0, 4), st.integers(0, 4))
def test_lines_of_both_kinds_side_by_side(first: int, last: int) -> None:
    """A trailing byte of code page 932 can be a backslash or a brace, and never a line end."""
    oem, utf = "表示ソ能", "naïve 表示"
    data = b"\r\n".join([utf.encode()] * first + [oem.encode("cp932")] + [utf.encode()] * last)
    assert decoded(data, lambda: 932).split("\r\n") == [utf] * first + [oem] + [utf] * last


@pytest.mark.parametrize("code_page", [None, 65001, 0, 99999])
def test_without_a_usable_code_page_bytes_are_replaced(code_page: int | None) -> None:
    assert decoded(b"ok\r\nGr\x94\xe1e\r\n", lambda: code_page) == "ok\r\nGr\ufffd\ufffde\r\n"


def test_bytes_that_are_in_no_code_page_are_replaced() -> None:
    assert decoded(b"\x81", lambda: 932) == "\ufffd"


@given(st.text(min_size=1), st.data())
def test_output_that_was_cut_loses_at_most_its_last_character(text: str, data: st.DataObject) -> None:
    whole = text.encode(errors="replace")
    at = data.draw(st.integers(0, len(whole)))
    assert decoded(whole[:at], never_asked, cut=True) == whole[:at].decode(errors="ignore")


@given(st.binary(), st.sampled_from([None, 437, 850, 932, 949, 65001]), st.booleans())
def test_any_bytes_are_text(data: bytes, code_page: int | None, cut: bool) -> None:
    assert isinstance(decoded(data, lambda: code_page, cut=cut), str)
