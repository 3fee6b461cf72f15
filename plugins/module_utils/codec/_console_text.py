# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a console program wrote, as text.

The shell's code page is 65001, and some tools write the host's OEM code page all the same (wsman.md 3.1), also in the
middle of UTF-8 from others. No line end is part of a character in UTF-8 nor in any OEM code page, so each line is read
by itself.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable

UTF_8 = 65001


def decoded(data: bytes, code_page: Callable[[], int | None], *, cut: bool = False) -> str:
    """Returns output as text: lines of UTF-8 as they are, others in the OEM code page.

    Args:
        data: What was written.
        code_page: Gives the number of the host's OEM code page, None when it can't be known; asked only when a line is
            no UTF-8.
        cut: Whether more followed, so that the last character may be half there.
    """
    try:
        return codecs.getincrementaldecoder("utf-8")().decode(data, final=not cut)
    except UnicodeDecodeError:
        codec = _codec(code_page())
    lines = data.split(b"\n")
    return "\n".join(_line(line, codec, cut=cut and at == len(lines) - 1) for at, line in enumerate(lines))


def _line(line: bytes, codec: codecs.CodecInfo | None, *, cut: bool) -> str:
    try:
        return codecs.getincrementaldecoder("utf-8")().decode(line, final=not cut)
    except UnicodeDecodeError:
        pass
    if codec is not None and codec.incrementaldecoder is not None:
        try:
            return codec.incrementaldecoder().decode(line, final=not cut)
        except UnicodeDecodeError:
            pass
    return line.decode("utf-8", errors="replace")


def _codec(code_page: int | None) -> codecs.CodecInfo | None:
    if code_page is None or code_page == UTF_8:
        return None
    try:
        return codecs.lookup(f"cp{code_page}")
    except LookupError:
        return None
