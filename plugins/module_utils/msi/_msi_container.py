# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The compound file around a Windows Installer package: its streams, and what is said when it is no such file.

A package is a compound file (MS-CFB). Its stream names are packed two characters to one, and its root carries a
class identifier that tells packages, patches and transforms apart. The input is untrusted: every size is compared
with the size of the file before it is used, and whatever goes wrong is an `MsiError`.
"""

from __future__ import annotations

import importlib
import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import BinaryIO, Protocol

try:
    # Not `import olefile`: it carries no types, and this way no type checker needs to be told so.
    _olefile = importlib.import_module("olefile")
    _OLEFILE_MISSING: ImportError | None = None
except ImportError as _error:
    _OLEFILE_MISSING = _error

PACKAGE_CLSID = "000C1084-0000-0000-C000-000000000046"
PATCH_CLSID = "000C1086-0000-0000-C000-000000000046"
TRANSFORM_CLSID = "000C1082-0000-0000-C000-000000000046"
"""Class identifiers of the root storage (public header msi.h and MS-CFB root entry CLSID)."""

MAX_STREAM_SIZE = 64 * 1024 * 1024
"""Bytes of one stream that is read into memory. Cabinets may be larger; they are never read."""

_MAGIC = bytes.fromhex("d0cf11e0a1b11ae1")
_HEADER_SIZE = 512
_SMALLEST_FILE = 3 * 512  # header, one FAT sector, one directory sector (MS-CFB 2.2)
_STREAM, _ROOT = 2, 5  # MS-CFB 2.6.1, object type
_NAME_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._"
_TABLE_MARK = "\u4840"
_SUMMARY, _SIGNATURE = "\x05SummaryInformation", "\x05DigitalSignature"
"""Streams with a name of their own (MS-OLEPS 2.23; for the other the writers of msitools and osslsigncode)."""


class MsiErrorKind(StrEnum):
    """Why a file cannot be read as a package."""

    UNREADABLE = "unreadable"
    NOT_MSI = "not_msi"
    DAMAGED = "damaged"
    TOO_LARGE = "too_large"
    PATCH = "patch"
    TRANSFORM = "transform"
    MERGE_MODULE = "merge_module"
    ENCRYPTED = "encrypted"
    LIBRARY_MISSING = "library_missing"


class MsiError(Exception):
    """A file cannot be read as a Windows Installer package; `str()` says why and what to do."""

    def __init__(self, kind: MsiErrorKind, message: str) -> None:
        """Stores the reason; `message` is whole sentences that name the file."""
        super().__init__(message)
        self.kind = kind


def not_an_msi(name: str, detail: str) -> MsiError:
    """Returns the error for a file that is something else."""
    return MsiError(
        MsiErrorKind.NOT_MSI,
        f"{name} is not a Windows Installer package: {detail}. Name the .msi file of the product.",
    )


def damaged(name: str, detail: str) -> MsiError:
    """Returns the error for a package that is cut short or altered."""
    return MsiError(
        MsiErrorKind.DAMAGED,
        f"{name} is a damaged or incomplete Windows Installer package: {detail}. "
        "Copy it again from its medium and compare the SHA-256.",
    )


@dataclass(frozen=True)
class Container:
    """What was read of a compound file.

    Attributes:
        name: How messages call the file.
        class_identifier: Class identifier of the root storage, upper case without braces; empty when it has none.
        table_streams: Content of the streams that hold tables, by their unpacked name without the leading mark.
        other_streams: Unpacked names of the streams that are not tables, for example cabinets and binaries.
        summary: Content of the summary information stream, empty when there is none.
        signature: Content of the stream with the Authenticode signature, empty when there is none.
    """

    name: str
    class_identifier: str
    table_streams: Mapping[str, bytes]
    other_streams: tuple[str, ...]
    summary: bytes
    signature: bytes = b""


class _Entry(Protocol):
    """What is used of olefile's directory entry."""

    name: str
    entry_type: int
    isectStart: int  # noqa: N815  (olefile's name)
    size: int
    is_minifat: bool
    clsid: str
    kids: Sequence[_Entry]


class _Reader(Protocol):
    """What is used of a stream that olefile opened."""

    def read(self) -> bytes: ...


class _CompoundFile(Protocol):
    """What is used of olefile.OleFileIO."""

    fat: Sequence[int]
    direntries: Sequence[_Entry | None]
    root: _Entry
    sector_size: int

    def openstream(self, filename: list[str]) -> _Reader: ...


def unpack_name(packed: str) -> str:
    """Returns the readable form of a stream name; a leading `!` marks a table.

    Two characters of the alphabet `0-9A-Za-z._` are packed into one code unit from U+3800 on (low six bits first),
    a single one into U+4800 to U+483F, and U+4840 marks a table. Anything else stands for itself.
    """
    unpacked: list[str] = []
    for position, character in enumerate(packed):
        code = ord(character)
        if 0x3800 <= code < 0x4800:
            pair = code - 0x3800
            unpacked += (_NAME_ALPHABET[pair & 0x3F], _NAME_ALPHABET[pair >> 6])
        elif 0x4800 <= code < 0x4840:
            unpacked.append(_NAME_ALPHABET[code - 0x4800])
        elif character == _TABLE_MARK and position == 0:
            unpacked.append("!")
        else:
            unpacked.append(character)
    return "".join(unpacked)


def read_container(file: BinaryIO, name: str) -> Container:
    """Reads the table streams and the summary of a compound file; the cabinets are only checked to be there.

    Args:
        file: An open file that can seek; it stays open.
        name: How messages call the file.

    Raises:
        MsiError: It is no compound file, it is damaged, something in it is absurdly large, or olefile is missing.
    """
    size = file.seek(0, 2)
    _check_header(file, size, name)
    with _errors_as_damage(name):
        compound = _open(file)
        root_streams = [entry for entry in compound.root.kids if entry.entry_type == _STREAM]
        names = {entry.name: unpack_name(entry.name) for entry in root_streams}
        if "EncryptedPackage" in names.values() or "EncryptionInfo" in names.values():
            raise MsiError(
                MsiErrorKind.ENCRYPTED,
                f"{name} is encrypted with a password, so it is not a package that Windows Installer can open. "
                "Name the .msi file itself.",
            )
        _check_extents(compound, size, name)
        tables: dict[str, bytes] = {}
        named = {_SUMMARY: b"", _SIGNATURE: b""}
        for entry in root_streams:
            unpacked = names[entry.name]
            if not unpacked.startswith("!") and unpacked not in named:
                continue
            if entry.size > MAX_STREAM_SIZE:
                raise MsiError(
                    MsiErrorKind.TOO_LARGE,
                    f"The stream {unpacked.lstrip('!')} of {name} has {entry.size} bytes, more than any real package.",
                )
            content = compound.openstream([entry.name]).read() if entry.size else b""
            if len(content) != entry.size:
                raise damaged(name, f"its stream {unpacked.lstrip('!')} is cut short")
            if unpacked.startswith("!"):
                tables[unpacked[1:]] = content
            else:
                named[unpacked] = content
    return Container(
        name=name,
        class_identifier=str(compound.root.clsid).upper(),
        table_streams=tables,
        other_streams=tuple(sorted(text for text in names.values() if not text.startswith("!"))),
        summary=named[_SUMMARY],
        signature=named[_SIGNATURE],
    )


def _open(file: BinaryIO) -> _CompoundFile:
    if _OLEFILE_MISSING is not None:
        raise MsiError(
            MsiErrorKind.LIBRARY_MISSING,
            "Reading a Windows Installer package needs the Python library olefile on the control node. "
            "Install it there: pip install olefile",
        ) from _OLEFILE_MISSING
    file.seek(0)
    # DEFECT_INCORRECT: olefile then refuses loops and impossible sizes at once instead of reading on.
    compound: _CompoundFile = _olefile.OleFileIO(file, raise_defects=_olefile.DEFECT_INCORRECT)
    return compound


@contextmanager
def _errors_as_damage(name: str) -> Iterator[None]:
    try:
        yield
    except MsiError:
        raise
    except Exception as error:
        # The parser meets untrusted bytes: what it raises on them (IndexError, struct.error, RecursionError, ...) is
        # not documented, and each of them means the same here.
        detail = str(error) if isinstance(error, OSError) and str(error) else type(error).__name__
        raise damaged(name, f"the compound file cannot be followed ({detail})") from error


def _check_header(file: BinaryIO, size: int, name: str) -> None:
    """Compares the sizes that the header claims with the file, before olefile allocates by them (MS-CFB 2.2)."""
    file.seek(0)
    header = file.read(_HEADER_SIZE)
    if not header:
        raise not_an_msi(name, "the file is empty")
    if header[: len(_MAGIC)] != _MAGIC:
        raise not_an_msi(name, "it does not begin as a compound file")
    if size < _SMALLEST_FILE:
        raise damaged(name, f"it ends after {size} bytes")
    major, _order, sector_shift, mini_shift = struct.unpack_from("<HHHH", header, 26)
    if (major, sector_shift) not in {(3, 9), (4, 12)} or mini_shift != 6:
        raise damaged(name, "the header of the compound file names impossible sector sizes")
    sectors = size // (1 << sector_shift) + 1
    _directory, fat, _first, _transaction, _cutoff, _mini_first, mini_fat, _difat_first, difat = struct.unpack_from(
        "<9L", header, 40
    )
    if fat > sectors or mini_fat > sectors or difat > sectors:
        raise damaged(name, "the header of the compound file claims more sectors than the file has")


def _check_extents(compound: _CompoundFile, size: int, name: str) -> None:
    """Checks that every stream, cabinets too, lies wholly inside the file.

    Raises:
        MsiError: A chain of sectors ends early, leaves the file, or is longer than the file.
    """
    sector_size = compound.sector_size
    for entry in compound.direntries:
        if entry is None or entry.entry_type not in (_STREAM, _ROOT) or entry.is_minifat or entry.size == 0:
            continue
        what = "its small streams" if entry.entry_type == _ROOT else f"its stream {unpack_name(entry.name).lstrip('!')}"
        if entry.size > size:
            raise damaged(name, f"{what} should have {entry.size} bytes, the whole file has {size}")
        sector = entry.isectStart
        left = entry.size
        while True:
            end = (sector + 1) * sector_size + min(left, sector_size)
            if sector >= len(compound.fat) or end > size:
                raise damaged(name, f"{what} is cut short")
            left -= sector_size
            if left <= 0:
                break
            sector = compound.fat[sector]
