# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verbose log of Windows Installer: the few lines that tell why an installation failed.

The log has thousands of lines and is partly in the language of the host. What the engine writes for itself is always
English (`MSI (s) ...: Note: 1: 1920`, `CustomAction X returned actual error code`); messages and the lines on ended
actions are translated. So lines are told apart by their shape: a time, an action name and a final `3`; a word, a number
and a full stop; `Word: product -- text`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

MAX_LINES = 12
MAX_LENGTH = 500
"""Bounds of what is picked: lines, and characters of a line."""

_TIME = r"\d{1,2}[:.]\d{2}[:.]\d{2}"
_STOP = r"[.\u3002]"
_ENGINE = re.compile(r"^MSI \([a-zA-Z]\) \([^)]*\)\s*\[[^\]]*\]: ?")
_FAILED_ACTION = re.compile(rf"^(?!MSI \().*{_TIME}: ?[A-Za-z_][\w.]*?{_STOP} ?[^\d]*3 ?{_STOP}?$")
_ACTION = re.compile(rf"^(?!MSI \().*{_TIME}: ?[A-Za-z_][\w.]*")
_CUSTOM_ACTION = re.compile(r"^CustomAction \S+ returned actual error code -?\d+(?!.* translated to success)")
_PRODUCT = re.compile(r"^[^\W\d_]+ ?[:\uff1a] ?.+? -- (?P<text>.*)$")
_ERROR = re.compile(rf"^[^\W\d_]+ (?P<number>1\d{{3}}|2[5-9]\d{{3}}|30000){_STOP}")
_NOTE = re.compile(r"^Note: 1: (?P<number>1\d{3})\b")
_MISSING_KEY = re.compile(r"^Note: 1: 1402 .* 3: 2\b")
_RETURNING = re.compile(r"^MainEngineThread is returning (?!0\b)\d+")
_NOTE_WINDOW = 60
"""Lines before the failed action in which a note belongs to it."""
_MAX_CONTINUATION = 3
_LONGEST_LINE = 1000  # a line of the property dump can be far longer, and tells nothing
_UNTELLING_NOTES = {"1707", "1708", "1724", "1725", "1727", "1728"}
"""They only say that the whole operation succeeded or failed ("Windows Installer Error Messages")."""


def telling_lines(log_text: str) -> tuple[str, ...]:
    """Picks the lines of a verbose log that tell why an installation failed.

    What is picked, in the order of the log: error messages with their continuation, custom actions that failed, what
    the package says of itself (launch conditions), notes with an error number shortly before the first action that
    returned 3, and that action. Where that is too much, what is nearest to that action is kept.

    Args:
        log_text: The decoded log.

    Returns:
        At most `MAX_LINES` lines without time stamps of the engine, none twice; nothing when the log tells nothing.
    """
    lines = [line.strip().lstrip("\ufeff")[:_LONGEST_LINE] for line in log_text.splitlines()]
    failed = next((index for index, line in enumerate(lines) if _FAILED_ACTION.match(line)), None)
    picked: list[str] = []
    turning_point = 0
    for index, line in enumerate(lines):
        text = _ENGINE.sub("", line)
        if index == failed or _CUSTOM_ACTION.match(text):
            _add(picked, text)
            turning_point = len(picked) if index == failed else turning_point
        elif (_ERROR if text == line else _PRODUCT).match(text):
            _add(picked, " ".join([text, *_continuation(lines, index)]))
        elif failed is not None and failed - _NOTE_WINDOW <= index < failed and _is_telling_note(text):
            _add(picked, text)
    if not picked:
        picked = [_ENGINE.sub("", line) for line in lines if _RETURNING.match(_ENGINE.sub("", line))][-1:]
    start = max(0, min(turning_point - MAX_LINES // 2, len(picked) - MAX_LINES))
    return tuple(line[:MAX_LENGTH] for line in picked[start : start + MAX_LINES])


def _is_telling_note(text: str) -> bool:
    note = _NOTE.match(text)
    return note is not None and note["number"] not in _UNTELLING_NOTES and not _MISSING_KEY.match(text)


def _continuation(lines: Sequence[str], index: int) -> list[str]:
    """Returns the lines that belong to the message at `index`: those up to the next line of a known shape."""
    following: list[str] = []
    for line in lines[index + 1 : index + 1 + _MAX_CONTINUATION]:
        if not line or _ENGINE.match(line) or _ACTION.match(line) or _CUSTOM_ACTION.match(line):
            break
        if _ERROR.match(line) or line.startswith("==="):
            break
        following.append(line)
    return following


def _add(picked: list[str], text: str) -> None:
    """Adds a line unless what it says was said: the engine writes most messages twice, with and without the product."""
    message = _squeeze(match["text"] if (match := _PRODUCT.match(text)) else text)
    if message and not any(message in _squeeze(earlier) for earlier in picked):
        picked.append(text)


def _squeeze(text: str) -> str:
    return "".join(text.split())
