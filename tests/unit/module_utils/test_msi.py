# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The MSI reader against real files: what msiinfo says, and what comes of files that are cut or altered."""

from __future__ import annotations

import shutil
import struct
import subprocess
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.entsso.password_sync.plugins.module_utils.msi import _msi_container
from ansible_collections.entsso.password_sync.plugins.module_utils.msi._msi import (
    MsiDatabase,
    MsiError,
    MsiErrorKind,
    read_msi,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.msi._msi_container import unpack_name
from ansible_collections.entsso.password_sync.plugins.module_utils.msi._msi_package import summarize
from ansible_collections.entsso.password_sync.plugins.module_utils.msi._msi_tables import ColumnKind

MEDIA = Path(__file__).parents[2] / "lab" / "media"
PACKAGES = sorted(path.name for path in MEDIA.glob("*.msi"))
ALL_IN_ONE = (MEDIA / "pcns-all-in-one.msi").read_bytes()
PACKAGE_CLSID = bytes.fromhex("84100c0000000000c000000000000046")  # as stored: the first three fields little-endian

needs_msitools = pytest.mark.skipif(
    shutil.which("msiinfo") is None or shutil.which("msibuild") is None,
    reason="left out: msiinfo and msibuild of Debian's msitools are not installed",
)
needs_wixl = pytest.mark.skipif(shutil.which("wixl") is None, reason="left out: Debian's wixl is not installed")


def exported(package: Path, table: str) -> tuple[list[str], list[str], list[tuple[str, ...]]]:
    """Returns columns, types and rows of a table as msiinfo exports it (the .idt format)."""
    text = subprocess.run(["msiinfo", "export", package, table], check=True, capture_output=True).stdout.decode()
    columns, types, _table, *rows = text.split("\r\n")
    unescape = str.maketrans({"\x10": "\t", "\x11": "\r", "\x19": "\n"})
    return (
        columns.split("\t"),
        types.split("\t"),
        [tuple(cell.translate(unescape) for cell in row.split("\t")) for row in rows if row],
    )


def assert_agrees_with_msiinfo(package: Path) -> None:
    database = read_msi(package)
    listed = subprocess.run(["msiinfo", "tables", package], check=True, capture_output=True, text=True).stdout.split()
    assert set(database.tables) == {table for table in listed if not table.startswith("_")}
    for table in database.tables:
        columns, types, rows = exported(package, table)
        read = database.columns(table)
        assert [column.name for column in read] == columns
        for column, kind in zip(read, types, strict=True):
            assert column.nullable == kind[0].isupper(), (table, column)
            expected = {"s": ColumnKind.TEXT, "l": ColumnKind.TEXT, "v": ColumnKind.BINARY}.get(
                kind[0].lower(), ColumnKind.LONG if kind[1:] == "4" else ColumnKind.SHORT
            )
            assert column.kind is expected, (table, column)
            assert column.localizable == (kind[0].lower() == "l")
        ours = [tuple("" if row[name] is None else str(row[name]) for name in columns) for row in database.table(table)]
        if ColumnKind.BINARY not in [column.kind for column in read]:
            assert sorted(ours) == sorted(rows), table


@needs_msitools
@pytest.mark.parametrize("name", PACKAGES)
def test_every_table_is_what_msiinfo_exports(name: str) -> None:
    assert_agrees_with_msiinfo(MEDIA / name)


@needs_msitools
@pytest.mark.parametrize("name", PACKAGES)
def test_the_summary_is_what_msiinfo_says(name: str) -> None:
    said = subprocess.run(["msiinfo", "suminfo", MEDIA / name], check=True, capture_output=True, text=True).stdout
    lines = dict(line.split(": ", 1) for line in said.splitlines())
    summary = read_msi(MEDIA / name).summary
    assert summary.title == lines["Title"]
    assert summary.subject == lines["Subject"]
    assert summary.author == lines["Author"] == "entsso.password_sync lab"
    assert summary.template == lines["Template"]
    assert summary.package_code == lines["Revision number (UUID)"]
    assert lines["Version"].startswith(f"{summary.installer_version} ")
    assert lines["Source"].startswith(f"{summary.source_type} ")
    assert summary.created is not None
    assert summary.created.strftime("%a %b %e %H:%M:%S %Y") == lines["Created"]


def changed(tmp_path: Path, query: str) -> Path:
    copy = tmp_path / "changed.msi"
    copy.write_bytes(ALL_IN_ONE)
    subprocess.run(["msibuild", copy, "-q", query], check=True, capture_output=True)
    return copy


@needs_msitools
@pytest.mark.parametrize("length", [65_535, 65_536, 70_001, 131_072, 200_000])
def test_a_text_of_64_kib_and_more_is_read_whole(tmp_path: Path, length: int) -> None:
    table = tmp_path / "Property.idt"
    value = "x" * (length - 1) + "y"
    table.write_bytes(
        b"Property\tValue\r\ns72\tl0\r\nProperty\tProperty\r\n"
        b"ProductCode\t{E5500000-0000-4000-8000-0000000000AA}\r\nZLONG\t" + value.encode() + b"\r\nZZ\tlast\r\n"
    )
    package = tmp_path / "long.msi"
    subprocess.run(["msibuild", package, "-i", table], check=True, capture_output=True)
    rows = {row["Property"]: row["Value"] for row in read_msi(package).table("Property")}
    assert rows["ZLONG"] == value
    assert rows["ZZ"] == "last"


@needs_msitools
def test_negative_and_wide_numbers(tmp_path: Path) -> None:
    table = tmp_path / "Numbers.idt"
    table.write_bytes(
        b"Key\tSmall\tLarge\r\ns72\tI2\tI4\r\nNumbers\tKey\r\n"
        b"a\t-32767\t-2147483647\r\nb\t32767\t2147483647\r\nc\t0\t0\r\nd\t\t\r\n"
    )
    package = tmp_path / "numbers.msi"
    package.write_bytes(ALL_IN_ONE)
    subprocess.run(["msibuild", package, "-i", table], check=True, capture_output=True)
    rows = {row["Key"]: (row["Small"], row["Large"]) for row in read_msi(package).table("Numbers")}
    assert rows == {"a": (-32767, -2147483647), "b": (32767, 2147483647), "c": (0, 0), "d": (None, None)}
    assert_agrees_with_msiinfo(package)


@needs_wixl
@needs_msitools
def test_binary_cells_name_their_stream_and_custom_actions_are_told(tmp_path: Path) -> None:
    (tmp_path / "action.dll").write_bytes(b"not a library")
    source = (MEDIA / "capture-component.wxs").read_text()
    source = source.replace(
        '<Directory Id="TARGETDIR"',
        '<Binary Id="library" SourceFile="action.dll"/>'
        '<CustomAction Id="Act" BinaryKey="library" DllEntry="Act" Execute="deferred"/><Directory Id="TARGETDIR"',
    )
    (tmp_path / "binary.wxs").write_text(source)
    (tmp_path / "pcnsflt.dll").write_text("x")
    defined = {
        "ProductCode": "{E5500000-0000-4000-8000-0000000000AB}",
        "UpgradeCode": "{E5500000-0000-4000-8000-0000000000AC}",
        "ComponentCode": "{E5500000-0000-4000-8000-0000000000AD}",
        "Version": "1.2.3",
        "SystemFolder": "System64Folder",
        "Win64": "yes",
        "Files": ".",
    }
    defines = [part for name, value in defined.items() for part in ("-D", f"{name}={value}")]
    subprocess.run(
        ["wixl", "--arch", "x64", *defines, "-o", "binary.msi", "binary.wxs"],
        check=True,
        cwd=tmp_path,
        capture_output=True,
    )
    database = read_msi(tmp_path / "binary.msi")
    assert [dict(row) for row in database.table("Binary")] == [{"Name": "library", "Data": "Binary.library"}]
    assert "Binary.library" in database.streams
    package = summarize(database)
    assert package.custom_actions == ("Act",)
    assert package.has_custom_actions


def test_stream_names_unpack() -> None:
    assert unpack_name("\u4840\u3f7f\u4164\u422f\u4836") == "!_Tables"
    assert unpack_name("\x05SummaryInformation") == "\x05SummaryInformation"
    assert unpack_name("\u4840") == "!"
    assert unpack_name("a\u4840") == "a\u4840"


def test_a_missing_table_has_no_rows() -> None:
    database = read_msi(ALL_IN_ONE)
    assert database.table("NoSuchTable") == ()
    assert database.columns("NoSuchTable") == ()


def read_all(content: bytes, name: str | None = "p.msi") -> MsiDatabase:
    """Reads everything there is in a package."""
    database = read_msi(content, name)
    database.check()
    summarize(database)
    return database


def attempt(content: bytes) -> MsiDatabase | MsiError:
    """Reads everything, or returns the one kind of error that may come of it."""
    try:
        return read_all(content)
    except MsiError as error:
        return error


def refusal(content: bytes) -> MsiError:
    with pytest.raises(MsiError) as caught:
        read_all(content)
    return caught.value


def test_what_is_no_package_is_told_in_a_sentence() -> None:
    assert refusal(b"").kind is MsiErrorKind.NOT_MSI
    assert "the file is empty" in str(refusal(b""))
    text = refusal(b"#!/bin/sh\necho this is a text\n" * 100)
    assert text.kind is MsiErrorKind.NOT_MSI
    assert str(text).startswith("p.msi is not a Windows Installer package: ")
    assert refusal(b"MZ" + bytes(4000)).kind is MsiErrorKind.NOT_MSI
    assert refusal(ALL_IN_ONE[:8]).kind is MsiErrorKind.DAMAGED


def test_patches_and_transforms_are_told_by_their_class_identifier() -> None:
    assert ALL_IN_ONE.count(PACKAGE_CLSID) == 1
    patch = refusal(ALL_IN_ONE.replace(PACKAGE_CLSID, b"\x86" + PACKAGE_CLSID[1:]))
    assert patch.kind is MsiErrorKind.PATCH
    assert "patch (.msp)" in str(patch)
    transform = refusal(ALL_IN_ONE.replace(PACKAGE_CLSID, b"\x82" + PACKAGE_CLSID[1:]))
    assert transform.kind is MsiErrorKind.TRANSFORM


@needs_msitools
@pytest.mark.parametrize(
    ("table", "kind"),
    [
        ("MsiPatchMetadata", MsiErrorKind.PATCH),
        ("ModuleSignature", MsiErrorKind.MERGE_MODULE),
        ("Other", MsiErrorKind.NOT_MSI),
    ],
)
def test_databases_without_a_property_table(tmp_path: Path, table: str, kind: MsiErrorKind) -> None:
    rows = tmp_path / f"{table}.idt"
    rows.write_bytes(f"Key\tValue\r\ns72\tS0\r\n{table}\tKey\r\na\tb\r\n".encode())
    file = tmp_path / "file.msi"
    subprocess.run(["msibuild", file, "-i", rows], check=True, capture_output=True)
    assert refusal(file.read_bytes()).kind is kind


def test_a_compound_file_of_another_kind_is_told() -> None:
    start = ALL_IN_ONE.index(struct.pack("<H", 0x4840) + _packed("_StringPool"))
    entry = "WordDocument".encode("utf-16-le").ljust(64, b"\0") + struct.pack("<H", 26)
    error = refusal(ALL_IN_ONE[:start] + entry + ALL_IN_ONE[start + 66 :])
    assert error.kind is MsiErrorKind.NOT_MSI
    assert "without an installer database" in str(error)


@pytest.mark.parametrize("field", [44, 64, 72])
def test_a_header_that_claims_more_sectors_than_there_are_is_refused_at_once(field: int) -> None:
    # Followed, 2^25 chained sectors would be read one by one (MS-CFB 2.2: sectors of FAT, mini FAT and DIFAT).
    content = bytearray(ALL_IN_ONE)
    struct.pack_into("<L", content, field, 0xFFFF_FFF0)
    assert "claims more sectors" in str(refusal(bytes(content)))


@pytest.mark.parametrize("error", [IndexError("x"), RecursionError(), struct.error("x"), OSError("why"), TypeError()])
def test_whatever_the_parser_raises_is_a_damaged_file(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise error

    monkeypatch.setattr("olefile.OleFileIO", fail)
    assert refusal(ALL_IN_ONE).kind is MsiErrorKind.DAMAGED


def test_an_encrypted_file_is_told() -> None:
    # The directory entry of the cabinet renamed to what password-protected compound files hold (MS-OFFCRYPTO 2.3.4).
    start = ALL_IN_ONE.index(_packed("lab.cab"))
    name = "EncryptedPackage".encode("utf-16-le")
    entry = name.ljust(64, b"\0") + struct.pack("<H", len(name) + 2)
    error = refusal(ALL_IN_ONE[:start] + entry + ALL_IN_ONE[start + 66 :])
    assert error.kind is MsiErrorKind.ENCRYPTED


def _packed(name: str) -> bytes:
    alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz._"
    codes = [alphabet.index(character) for character in name]
    units = [0x3800 + first + (second << 6) for first, second in zip(codes[::2], codes[1::2], strict=False)]
    if len(codes) % 2:
        units.append(0x4800 + codes[-1])
    return struct.pack(f"<{len(units)}H", *units)


def test_a_missing_file_and_a_folder_are_told(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.msi", tmp_path):
        with pytest.raises(MsiError) as caught:
            read_msi(path)
        assert caught.value.kind is MsiErrorKind.UNREADABLE
        assert str(path) in str(caught.value)


def test_without_olefile_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_msi_container, "_OLEFILE_MISSING", ImportError("No module named 'olefile'"))
    error = refusal(ALL_IN_ONE)
    assert error.kind is MsiErrorKind.LIBRARY_MISSING
    assert "pip install olefile" in str(error)


@pytest.mark.parametrize("name", PACKAGES)
def test_a_file_that_ends_early_is_refused_wherever_it_ends(name: str) -> None:
    content = (MEDIA / name).read_bytes()
    for end in [*range(0, len(content), 509), *range(0, len(content), 512)]:
        assert refusal(content[:end]).kind in (MsiErrorKind.NOT_MSI, MsiErrorKind.DAMAGED), end


def test_a_cabinet_that_is_cut_is_told_although_it_is_never_read() -> None:
    content = ALL_IN_ONE
    start = content.index(b"MSCF")
    size = struct.unpack_from("<L", content, start + 8)[0]
    assert size < 4096, "small streams lie in the stream of small streams"
    assert refusal(content[: start + size // 2]).kind is MsiErrorKind.DAMAGED


@needs_msitools
def test_a_large_package_is_read_without_its_cabinet_and_told_when_that_is_cut(tmp_path: Path) -> None:
    # Beyond 6.8 MB the sector table of a compound file is itself chained (DIFAT, MS-CFB 2.5).
    (tmp_path / "large.cab").write_bytes(bytes(range(256)) * 40_000)
    package = tmp_path / "large.msi"
    package.write_bytes(ALL_IN_ONE)
    subprocess.run(["msibuild", package, "-a", "large.cab", tmp_path / "large.cab"], check=True, capture_output=True)
    assert package.stat().st_size > 10_000_000
    tracemalloc.start()
    try:
        database = read_msi(package)
        database.check()
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()
    assert "large.cab" in database.streams
    content = package.read_bytes()
    for end in (len(content) // 2, len(content) - 200_000):
        assert refusal(content[:end]).kind is MsiErrorKind.DAMAGED
    # The same when the file goes on and only the chain of the cabinet ends early: its size is enlarged.
    size_at = content.index(_packed("large.cab")) + 120
    (size,) = struct.unpack_from("<L", content, size_at)
    for claimed, message in ((size + 50_000, "large.cab is cut short"), (size + 50_000_000, "the whole file has")):
        error = refusal(content[:size_at] + struct.pack("<L", claimed) + content[size_at + 4 :])
        assert error.kind is MsiErrorKind.DAMAGED
        assert message in str(error)


@settings(max_examples=300, deadline=5000)
@given(end=st.integers(0, len(ALL_IN_ONE) - 1))
def test_cut_anywhere_gives_the_whole_or_an_error(end: int) -> None:
    read = attempt(ALL_IN_ONE[:end])
    if isinstance(read, MsiError):
        assert read.kind in (MsiErrorKind.NOT_MSI, MsiErrorKind.DAMAGED)
        assert str(read).endswith(".")
    else:
        whole = read_msi(ALL_IN_ONE)
        assert {table: read.table(table) for table in read.tables} == {
            table: whole.table(table) for table in whole.tables
        }


@settings(max_examples=400, deadline=5000)
@given(flips=st.lists(st.tuples(st.integers(0, len(ALL_IN_ONE) - 1), st.integers(0, 7)), min_size=1, max_size=8))
def test_flipped_bits_never_raise_anything_else(flips: list[tuple[int, int]]) -> None:
    content = bytearray(ALL_IN_ONE)
    for position, bit in flips:
        content[position] ^= 1 << bit
    assert attempt(bytes(content))


@settings(max_examples=300, deadline=5000)
@given(
    position=st.integers(0, (len(ALL_IN_ONE) - 4) // 4),
    value=st.sampled_from([0, 1, 0x7FFF_FFFF, 0xFFFF_FFFF, 0xFFFF_FFFE, 0x8000_0000, 0x0001_0000, 20, 4096]),
)
def test_hostile_numbers_never_raise_anything_else(position: int, value: int) -> None:
    content = bytearray(ALL_IN_ONE)
    struct.pack_into("<L", content, position * 4, value)
    assert attempt(bytes(content))


@settings(max_examples=200, deadline=5000)
@given(tail=st.binary(max_size=4096))
def test_anything_behind_a_right_beginning_never_raises_anything_else(tail: bytes) -> None:
    assert attempt(ALL_IN_ONE[:512] + tail)


def test_every_header_field_takes_hostile_values_in_bounded_time_and_memory() -> None:
    tracemalloc.start()
    try:
        for position in range(24, 80, 2):
            for value in (0, 1, 0xFFFF, 0xFFFF_FFFF, 0x00FF_FFFF):
                content = bytearray(ALL_IN_ONE)
                struct.pack_into("<L", content, position, value)
                assert attempt(bytes(content))
        assert tracemalloc.get_traced_memory()[1] < 64 * 1024 * 1024
    finally:
        tracemalloc.stop()


@needs_wixl
@needs_msitools
def test_the_committed_packages_are_what_the_sources_build(tmp_path: Path) -> None:
    subprocess.run(["sh", MEDIA / "build.sh", tmp_path], check=True, capture_output=True)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        name: (MEDIA / name).read_bytes() for name in PACKAGES
    }
