# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""curl.exe, as far as one file over https goes. Exit codes: curl's manual page; 22 is an HTTP error with --fail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lab.windows.console import Invocation, instant
from lab.windows.files import DiskFull, normal

_WITH_VALUE = ("--max-redirs", "--proto", "--proto-redir", "--noproxy", "--connect-timeout", "--output", "--url")
_FLAGS = ("-q", "--fail", "--silent", "--show-error", "--location")
_FAILED_INIT, _RESOLVE, _PROTOCOL, _HTTP, _WRITE, _CERTIFICATE = 2, 6, 1, 22, 23, 60


@dataclass
class Web:
    """The servers that the machines of a lab can reach.

    Attributes:
        files: Content by URL.
        moved: URL by URL: where a server sends a client on to.
        untrusted: Names of servers whose certificate nobody trusts.
        asked: Every URL that was asked for, in order.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    moved: dict[str, str] = field(default_factory=dict)
    untrusted: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)


@instant
def curl(call: Invocation) -> int:
    """Fetches one file."""
    options = _options(call.arguments)
    if options is None or call.arguments[0] != "-q":
        call.error("curl: try 'curl --help' for more information")
        return _FAILED_INIT
    code, told, content = _fetched(call.host.web, options)
    if code:
        call.error(f"curl: ({code}) {told}")
        return code
    path = normal(options["--output"], call.folder)
    try:
        call.host.files.write(path, content, call.host.now())
    except (DiskFull, FileNotFoundError):
        call.error(f"curl: ({_WRITE}) Failure writing output to destination")
        return _WRITE
    return 0


def _options(arguments: tuple[str, ...]) -> Mapping[str, str] | None:
    """Reads the options that the lab knows; None for any other."""
    found: dict[str, str] = {}
    left = list(arguments)
    while left:
        name = left.pop(0)
        if name in _FLAGS:
            found[name] = ""
        elif name in _WITH_VALUE and left:
            found[name] = left.pop(0)
        else:
            return None
    return found if {"--output", "--url"} <= found.keys() else None


def _fetched(web: Web, options: Mapping[str, str]) -> tuple[int, str, bytes]:
    url, allowed = options["--url"], options.get("--proto", "")
    for _redirection in range(int(options.get("--max-redirs", "50")) + 1):
        web.asked.append(url)
        scheme, _separator, rest = url.partition("://")
        name = rest.partition("/")[0].partition(":")[0]
        if allowed.startswith("=") and scheme.lower() not in allowed[1:].split(","):
            return _PROTOCOL, f'Protocol "{scheme}" disabled', b""
        if name in web.untrusted:
            return _CERTIFICATE, "schannel: the certificate chain was issued by an authority that is not trusted", b""
        if url in web.files:
            return 0, "", web.files[url]
        if url not in web.moved or "--location" not in options:
            known = any(other.partition("://")[2].partition("/")[0] == name for other in (*web.files, *web.moved))
            return (
                (_HTTP, "The requested URL returned error: 404", b"")
                if known
                else (
                    _RESOLVE,
                    f"Could not resolve host: {name}",
                    b"",
                )
            )
        url, allowed = web.moved[url], options.get("--proto-redir", "")
    return 47, "Maximum redirects followed", b""
