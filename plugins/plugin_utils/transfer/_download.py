# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A file that the host fetches itself from an HTTPS server, with the curl.exe that belongs to Windows."""

from __future__ import annotations

import ntpath
import re
import uuid
from urllib.parse import unquote, urlsplit

from ansible_collections.entsso.password_sync.plugins.module_utils._errors import OperationFailed, UnreadableOutput
from ansible_collections.entsso.password_sync.plugins.module_utils._plan import PlanError
from ansible_collections.entsso.password_sync.plugins.module_utils._quoting import cmd_path, command_line
from ansible_collections.entsso.password_sync.plugins.plugin_utils._resource import Task
from ansible_collections.entsso.password_sync.plugins.plugin_utils._system import System
from ansible_collections.entsso.password_sync.plugins.plugin_utils.host._host import Host

FIRST_BUILD = 17763
"""Windows Server 2019, the first Windows Server with curl.exe (wsman.md 6)."""

_VARIABLE = "ENTSSO_URL"
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_URL = re.compile(r"[A-Za-z0-9._~:/?#@$&()*+,;=%\[\]-]+\Z")
"""What may stand in a URL (RFC 3986), without quotes, and without ! which cmd may act on."""
_FILE_NAME = re.compile(r"[A-Za-z0-9 ._()+-]+\Z")
_CURL = (
    r"C:\Windows\System32\curl.exe",
    "-q",
    "--fail",
    "--silent",
    "--show-error",
    "--location",
    "--max-redirs",
    "5",
    "--proto",
    "=https",
    "--proto-redir",
    "=https",
    "--noproxy",
    "*",
    "--connect-timeout",
    "30",
)


def is_url(path: str) -> bool:
    """Whether a path is a URL of any kind."""
    return bool(_SCHEME.match(path))


def check_url(subject: str, url: str) -> None:
    """Refuses what is not fetched: anything but https, and credentials in the URL.

    Raises:
        PlanError: It is refused.
    """
    try:
        parts = urlsplit(url)
        host, user = parts.hostname, parts.username
    except ValueError:
        parts, host, user = urlsplit(""), None, None
    if parts.scheme.lower() != "https":
        raise PlanError(subject, "Media are fetched over https only.", "Give an https URL, or a path.")
    if user is not None or "@" in parts.netloc:
        raise PlanError(
            subject,
            "The URL holds a user name or password, which would stand on a command line of the host.",
            "Give a URL that needs none: the file is pinned by its hash, so it need not be secret.",
        )
    if not host or not _URL.match(url):
        raise PlanError(
            subject,
            "The URL holds characters that may not stand in one, or no host.",
            "Write it percent-encoded, as a browser shows it when it is copied.",
        )


def file_name(url: str) -> str:
    """Returns the name of the file on the host: the one in the URL, where that can be a name on Windows."""
    name = unquote(urlsplit(url).path.rpartition("/")[2])
    return name if _FILE_NAME.match(name) and name.strip(". ") == name else "package.msi"


def require_curl(host: Host, system: System) -> None:
    """Refuses a host whose Windows has no curl.exe.

    Raises:
        OperationFailed: It has none.
    """
    build = system.version.rpartition(".")[2]
    if build.isdigit() and int(build) >= FIRST_BUILD:
        return
    raise OperationFailed(
        host.name,
        "media at a URL",
        f"the host would fetch it with curl.exe, which Windows has from Server 2019 (build {FIRST_BUILD}) on; this is "
        f"{system.caption or 'Windows'} ({system.version or 'version unknown'})",
        "Give a path on the control node, or put the file on the host and set remote_src: true",
    )


def download(host: Host, task: Task, url: str, target: str, sha256: str, deadline: float = 3600) -> None:
    """Lets the host fetch a file; it takes its name when its hash is right.

    No proxy is used, and nothing but https, also after a redirection. The URL stands on curl's command line, where
    those who watch the host can see it; it comes there by an environment variable, since cmd would act on its percent
    signs.

    Args:
        host: The host.
        task: Hears what is fetched.
        url: A URL that `check_url` took.
        target: Where to; its folder exists.
        sha256: Expected hash.
        deadline: Seconds to wait.

    Raises:
        OperationFailed: curl could not fetch it.
        UnreadableOutput: What came has another hash.
        HostError: The host could not be asked.
    """
    arriving = rf"{ntpath.dirname(target)}\~{uuid.uuid4().hex}.part"
    task.say(f"{host.name} fetches {url}")
    line = f'{command_line(*_CURL)} --output {cmd_path(arriving)} --url "%{_VARIABLE}%"'
    result = host.run(line, deadline=deadline, environment={_VARIABLE: url}, terminate_on_deadline=True)
    if result.exit_code != 0:
        said = " ".join(f"{result.stderr} {result.stdout}".split())[-300:].rstrip(".") or "nothing"
        raise OperationFailed(
            host.name,
            f"download of {url}",
            f"curl.exe ended with {result.exit_code} and said: {said}",
            "Check that the host may reach the server without a proxy and trusts its certificate, and that the server "
            "for its revocation list can be reached; or let the control node push the file",
            code=result.exit_code,
        )
    if host.files.stat(arriving) is None:
        raise UnreadableOutput(
            host.name, f"download of {url}", "curl.exe reported success and wrote no file", "Fetch it there by hand"
        )
    host.files.expect(arriving, sha256)
    moved = host.run(f"move /y {cmd_path(arriving)} {cmd_path(target)}")
    if moved.exit_code != 0:
        said = " ".join(f"{moved.stderr} {moved.stdout}".split())[-300:].rstrip(".") or "nothing"
        raise OperationFailed(
            host.name, f"file {target}", f"it could not take its name: {said}", "Find out what holds it open"
        )
