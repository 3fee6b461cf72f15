# Copyright: Contributors to the entsso.password_sync project
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The database of a Windows Installer package (.msi): its tables as rows of values.

How a table is stored: a pool of strings that rows refer to by number, and one stream for each table that holds the
table column by column. The format is not published by Microsoft; what is here agrees with the file as Debian's
msitools writes and reads it, and the tests compare the two. What the tables mean is public (Windows Installer,
"Installer Database Reference").
"""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from types import MappingProxyType
from typing import BinaryIO, Union

from ansible_collections.entsso.password_sync.plugins.module_utils.msi._msi_container import (
    PATCH_CLSID,
    TRANSFORM_CLSID,
    Container,
    MsiError,
    MsiErrorKind,
    not_an_msi,
    read_container,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.msi._msi_strings import StringPool, read_string_pool
from ansible_collections.entsso.password_sync.plugins.module_utils.msi._msi_summary import (
    SummaryInformation,
    read_summary,
)
from ansible_collections.entsso.password_sync.plugins.module_utils.msi._msi_tables import (
    MsiColumn,
    read_rows,
    read_schema,
)

__all__ = ["MsiColumn", "MsiDatabase", "MsiError", "MsiErrorKind", "MsiRow", "SummaryInformation", "read_msi"]

MsiValue = Union[str, int, None]
MsiRow = Mapping[str, MsiValue]


class MsiDatabase:
    """The tables of one package. Rows are decoded when a table is first asked for."""

    def __init__(
        self,
        container: Container,
        pool: StringPool,
        schema: Mapping[str, tuple[MsiColumn, ...]],
        summary: SummaryInformation,
    ) -> None:
        """Takes what `read_msi` read; use that."""
        self._container = container
        self._pool = pool
        self._schema = schema
        self._rows: dict[str, tuple[MsiRow, ...]] = {}
        self.summary = summary

    @property
    def name(self) -> str:
        """How messages call the file."""
        return self._container.name

    @property
    def code_page(self) -> int:
        """The code page of the strings; 0 means neutral."""
        return self._pool.code_page

    @property
    def tables(self) -> tuple[str, ...]:
        """The names of all tables, sorted; without `_Tables`, `_Columns` and the string pool."""
        return tuple(sorted(self._schema))

    @property
    def streams(self) -> tuple[str, ...]:
        """The names of the streams that hold no table: cabinets, binaries, icons, the summary."""
        return self._container.other_streams

    @property
    def signature(self) -> bytes:
        """The stream with the Authenticode signature; empty when the package has none."""
        return self._container.signature

    def columns(self, table: str) -> tuple[MsiColumn, ...]:
        """Returns the columns of a table in their order, nothing when the package has no such table."""
        return self._schema.get(table, ())

    def table(self, name: str) -> tuple[MsiRow, ...]:
        """Returns the rows of a table in stored order, none when the package has no such table.

        A row maps column names to values: text, a number, or None for null (which the format does not tell from an
        empty string). In a binary column the value is the name of the stream that holds the content.

        Raises:
            MsiError: The table is damaged.
        """
        if name not in self._schema:
            return ()
        if name not in self._rows:
            content = self._container.table_streams.get(name, b"")
            rows = read_rows(name, self._schema[name], content, self._pool, self._container.name)
            self._rows[name] = tuple(MappingProxyType(row) for row in rows)
        return self._rows[name]

    def check(self) -> None:
        """Decodes every table once.

        Raises:
            MsiError: A table is damaged.
        """
        for table in self.tables:
            self.table(table)


def read_msi(source: bytes | str | os.PathLike[str], name: str | None = None) -> MsiDatabase:
    """Reads the database of a package.

    Args:
        source: The content, or the path of the file. From a path only tables are read, never the cabinets.
        name: How messages call the file; the path when not given.

    Raises:
        MsiError: The file cannot be read, or is not an intact installation package.
    """
    if isinstance(source, bytes):
        return _read(io.BytesIO(source), name or "The package")
    path = os.fspath(source)
    try:
        with open(path, "rb") as file:
            return _read(file, name or path)
    except OSError as error:
        raise MsiError(
            MsiErrorKind.UNREADABLE, f"{name or path} cannot be read: {error.strerror or error}. Check path and rights."
        ) from error


def _read(file: BinaryIO, name: str) -> MsiDatabase:
    container = read_container(file, name)
    if container.class_identifier == PATCH_CLSID:
        raise _patch(name)
    if container.class_identifier == TRANSFORM_CLSID:
        raise MsiError(
            MsiErrorKind.TRANSFORM,
            f"{name} is a transform (.mst), not a package. Name the .msi file, and the transform in TRANSFORMS.",
        )
    streams = container.table_streams
    if "_StringPool" not in streams or "_StringData" not in streams or "_Tables" not in streams:
        raise not_an_msi(name, "it is a compound file without an installer database, such as an Office document")
    pool = read_string_pool(streams["_StringPool"], streams["_StringData"], name)
    schema = read_schema(streams["_Tables"], streams.get("_Columns", b""), pool, name)
    if "Property" not in schema:
        if "MsiPatchMetadata" in schema or "MsiPatchSequence" in schema:
            raise _patch(name)
        if "ModuleSignature" in schema:
            raise MsiError(
                MsiErrorKind.MERGE_MODULE,
                f"{name} is a merge module (.msm), a part for building packages. Name the .msi file of the product.",
            )
        raise not_an_msi(name, "its database has no Property table")
    return MsiDatabase(container, pool, schema, read_summary(container.summary, name))


def _patch(name: str) -> MsiError:
    return MsiError(
        MsiErrorKind.PATCH,
        f"{name} is a patch (.msp), not an installation package. Name the full .msi of the new version.",
    )
