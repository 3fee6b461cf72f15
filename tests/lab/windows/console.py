# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a command line program sees of the world: its arguments, standard input, standard output, time."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lab.windows.command_line import split_arguments

if TYPE_CHECKING:
    from lab.windows.host import SimulatedHost


@dataclass(frozen=True)
class Sleep:
    """A program waits for time to pass, in wall seconds."""

    seconds: float


@dataclass(frozen=True)
class NeedInput:
    """A program waits for standard input."""


@dataclass(frozen=True)
class Forever:
    """A program waits for something that never comes, such as a click on a dialog that nobody sees."""


Job = Generator[Sleep | NeedInput | Forever, None, int]
"""A running program: yields what it waits for, returns its exit code."""


class Input:
    """Standard input that comes in pieces."""

    def __init__(self, data: bytes = b"", *, closed: bool = False) -> None:
        """Starts with some bytes, open for more unless closed."""
        self._data = bytearray(data)
        self.closed = closed

    def feed(self, data: bytes) -> None:
        """Takes more bytes."""
        self._data += data

    def read_all(self) -> Generator[Sleep | NeedInput | Forever, None, bytes]:
        """Waits for the end of the input and returns all of it."""
        while not self.closed:
            yield NeedInput()
        data = bytes(self._data)
        self._data.clear()
        return data

    def read_line(self) -> Generator[Sleep | NeedInput | Forever, None, bytes]:
        """Waits for one line, or the end of the input, and returns it without its end."""
        while b"\n" not in self._data and not self.closed:
            yield NeedInput()
        line, _unused, rest = bytes(self._data).partition(b"\n")
        self._data[:] = rest
        return line.rstrip(b"\r")


@dataclass
class Invocation:
    """One start of a program."""

    host: SimulatedHost
    program: str
    """Path of the program."""
    tail: str
    """Command line behind the program's name, as it was written."""
    folder: str
    environment: dict[str, str]
    stdin: Input
    write_out: Callable[[bytes], None]
    write_error: Callable[[bytes], None]
    user: str = ""
    """Account that the process runs as, DOMAIN\\name."""
    arguments: tuple[str, ...] = field(init=False)
    """The tail as CommandLineToArgvW splits it."""

    def __post_init__(self) -> None:
        """Splits the arguments."""
        self.arguments = split_arguments(self.tail)

    def out(self, text: str = "") -> None:
        """Prints a line on standard output."""
        self.write_out((text + "\r\n").encode())

    def error(self, text: str) -> None:
        """Prints a line on standard error."""
        self.write_error((text + "\r\n").encode())


Program = Callable[[Invocation], Job]


def instant(function: Callable[[Invocation], int]) -> Program:
    """Makes a program of a function that waits for nothing."""

    def run(call: Invocation) -> Job:
        yield from ()
        return function(call)

    return run
