"""Other engines with the same rows, each in a sensible layout of its own.

All are given feature and study ordinals, so that finding a variant costs them nothing, and know of
no private study. They keep z in steps of 1/1024 and standard error and frequency with 7 bits of
mantissa (0.4 %): no more bits than this store's bounds, so that sizes compare. beta and p are
computed from what they return by the same functions.

    clickhouse  MergeTree ORDER BY (feature, study) and a second copy ORDER BY (study, feature), in chDB
    duckdb      one table in order of (feature, study)
    parquet     one file in order of (feature, study), row groups of 100,000, read by DuckDB
    tabix       one bgzip text file in order of position, one line a cell, read by pysam
"""

from __future__ import annotations

import importlib.util
import io
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from nexome.bench.questions import HIT_Z, TOP_LIMIT, Answerer, Cells, decoded
from nexome.bench.synthetic import MEAN_SPACING_BP, Rows
from nexome.model.errors import InputError

Z_STEP: Final = 1024
MANTISSA_BITS: Final = 7
ROW_GROUP: Final = 100_000
SPACING_BP: Final = int(MEAN_SPACING_BP)
TABIX_CONTIG: Final = 1_000_000  # features; a .tbi index reaches 2²⁹ bases

_SCHEMA: Final = pa.schema(
    [
        ("feature", pa.uint32()),
        ("study", pa.uint16()),
        ("z", pa.int32()),
        ("se", pa.float32()),
        ("eaf", pa.float32()),
    ]
)


def rows_as_table(rows: Rows) -> pa.Table:
    """The cells of a block that are not missing as a long table, at the precision peers keep."""
    flat = np.flatnonzero(np.isfinite(rows.z.ravel()))
    traits = rows.z.shape[1]
    values = [
        (flat // traits + rows.start).astype(np.uint32),
        (flat % traits).astype(np.uint16),
        np.round(rows.z.ravel()[flat] * Z_STEP).astype(np.int32),
        _rounded(rows.se.ravel()[flat]),
        _rounded(rows.eaf.ravel()[flat]),
    ]
    return pa.Table.from_arrays([pa.array(v) for v in values], schema=_SCHEMA)


def _rounded(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    drop = 23 - MANTISSA_BITS
    bits = values.view(np.uint32) + np.uint32(1 << (drop - 1))
    return (bits & np.uint32((0xFFFFFFFF << drop) & 0xFFFFFFFF)).view(np.float32)


class Peer(Answerer, ABC):
    """One engine in one folder of its own: loaded block by block, then asked (`questions.Answerer`)."""

    name: ClassVar[str]
    layout: ClassVar[str]
    modules: ClassVar[tuple[str, ...]]

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    @classmethod
    def missing(cls) -> str:
        """Name of a module this peer needs and that is not installed; '' when all are."""
        return next((m for m in cls.modules if importlib.util.find_spec(m) is None), "")

    @abstractmethod
    def load(self, blocks: Iterator[Rows]) -> None:
        """Take all rows by the engine's fast bulk path and make them ready to be asked."""

    @abstractmethod
    def version(self) -> str:
        """Version of the engine."""

    def cells(self, answer: Cells) -> Cells:
        """Answers of peers are cells already."""
        return answer

    @property
    def size_bytes(self) -> int:
        """Bytes on the disk, everything included."""
        return sum(p.stat().st_size for p in self.folder.rglob("*") if p.is_file())

    @abstractmethod
    def close(self) -> None:
        """Let go of files and memory."""


class SqlPeer(Peer):
    """What engines that speak SQL share. `by_feature` and `by_study` name the table to ask."""

    by_feature: ClassVar[str] = "cells"
    by_study: ClassVar[str] = "cells"

    @abstractmethod
    def rows(self, sql: str) -> pa.Table:
        """The rows of a query as an Arrow table."""

    def phewas(self, feature: int) -> Cells:
        """One feature × all studies."""
        return self._cells(self.by_feature, f"feature = {feature}")

    def region(self, start: int, stop: int, study: int) -> Cells:
        """A stretch of features × one study."""
        return self._cells(self.by_study, f"study = {study} AND feature >= {start} AND feature < {stop}")

    def region_all(self, start: int, stop: int) -> Cells:
        """A stretch of features × all studies, as a long table."""
        return self._cells(self.by_feature, f"feature >= {start} AND feature < {stop}")

    def top(self, study: int) -> Cells:
        """The strongest of a study; nothing was made ready for this question when loading."""
        least = round(HIT_Z * Z_STEP)
        tail = f"ORDER BY abs(z) DESC LIMIT {TOP_LIMIT}"
        return self._cells(self.by_study, f"study = {study} AND abs(z) >= {least} {tail}")

    def lookup(self, features: Sequence[int], studies: Sequence[int]) -> Cells:
        """Some features × some studies."""
        wanted = f"feature IN ({_list(features)}) AND study IN ({_list(studies)})"
        return self._cells(self.by_feature, wanted)

    def whole(self, study: int) -> int:
        """All cells of one study."""
        return self._cells(self.by_study, f"study = {study}").count

    def _cells(self, table: str, where: str) -> Cells:
        found = self.rows(f"SELECT feature, study, z, se, eaf FROM {table} WHERE {where}")  # noqa: S608 - numbers
        columns = [found[name].to_numpy() for name in _SCHEMA.names]
        z = columns[2].astype(np.float32) / np.float32(Z_STEP)
        feature, study = columns[0].astype(np.int64), columns[1].astype(np.int64)
        return decoded(feature, study, z=z, se=columns[3], eaf=columns[4])


def _list(values: Sequence[int]) -> str:
    return ", ".join(str(int(v)) for v in values)


class ClickHouse(SqlPeer):
    """ClickHouse in this process (chDB). T64 and BFloat16 were the smallest of the codecs tried."""

    name = "clickhouse"
    layout = (
        "MergeTree ORDER BY (feature, study) and a copy ORDER BY (study, feature); feature Delta+ZSTD(1), "
        "study Delta+ZSTD(1), z Int32 T64+ZSTD(1), se and eaf BFloat16 ZSTD(1); OPTIMIZE FINAL"
    )
    modules = ("chdb",)
    by_feature, by_study = "bench.by_feature", "bench.by_study"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        from chdb import session  # noqa: PLC0415 - optional, and slow to load

        self._session = session.Session(str(folder))

    def load(self, blocks: Iterator[Rows]) -> None:
        """Insert blocks from memory into both tables, then merge each into as few parts as it can."""
        self._session.query("CREATE DATABASE IF NOT EXISTS bench")
        for table, order in ((self.by_feature, "feature, study"), (self.by_study, "study, feature")):
            self._session.query(
                f"CREATE TABLE {table} (feature UInt32 CODEC(Delta, ZSTD(1)), study UInt16 "
                "CODEC(Delta, ZSTD(1)), z Int32 CODEC(T64, ZSTD(1)), se BFloat16 CODEC(ZSTD(1)), "
                f"eaf BFloat16 CODEC(ZSTD(1))) ENGINE = MergeTree ORDER BY ({order})"
            )
        for rows in blocks:
            block = rows_as_table(rows)  # noqa: F841 - chDB finds it by its name
            self._session.query(f"INSERT INTO {self.by_feature} SELECT * FROM Python(block)")  # noqa: S608
        copy = f"INSERT INTO {self.by_study} SELECT * FROM {self.by_feature}"  # noqa: S608
        self._session.query(copy)
        for table in (self.by_feature, self.by_study):
            self._session.query(f"OPTIMIZE TABLE {table} FINAL")

    def rows(self, sql: str) -> pa.Table:
        """A query answered as an Arrow stream."""
        sql = sql.replace("se, eaf", "toFloat32(se) AS se, toFloat32(eaf) AS eaf", 1)
        answer = self._session.query(sql, "ArrowStream").bytes()
        return pa.ipc.open_stream(answer).read_all() if answer else _SCHEMA.empty_table()

    def version(self) -> str:
        """Version of the server inside."""
        return str(self._session.query("SELECT version()", "TabSeparated")).strip()

    def bytes_of(self, table: str) -> int:
        """Bytes of one table's live parts."""
        name = table.removeprefix("bench.")
        sql = f"SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND table = '{name}'"  # noqa: S608
        return int(str(self._session.query(sql, "TabSeparated")).strip())

    @property
    def size_bytes(self) -> int:
        """Bytes of the live parts of both tables; merged parts wait on the disk to be removed."""
        return self.bytes_of(self.by_feature) + self.bytes_of(self.by_study)

    def close(self) -> None:
        """End the session."""
        self._session.close()


class DuckDb(SqlPeer):
    """DuckDB's own file."""

    name = "duckdb"
    layout = "one table in order of (feature, study), DuckDB's own compression"
    modules = ("duckdb",)

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        import duckdb  # noqa: PLC0415 - optional

        self._duckdb: Any = duckdb
        self._connection = duckdb.connect(str(folder / "cells.duckdb"), config={"threads": 2})

    def load(self, blocks: Iterator[Rows]) -> None:
        """Append Arrow tables; a checkpoint compresses them."""
        self._connection.execute(
            "CREATE TABLE cells (feature UINTEGER, study USMALLINT, z INTEGER, se FLOAT, eaf FLOAT)"
        )
        for rows in blocks:
            self._connection.register("block", rows_as_table(rows))
            self._connection.execute("INSERT INTO cells SELECT * FROM block")
            self._connection.unregister("block")
        self._connection.execute("CHECKPOINT")

    def rows(self, sql: str) -> pa.Table:
        """A query answered as an Arrow table."""
        return self._connection.sql(sql).to_arrow_table()

    def version(self) -> str:
        """Version of the library."""
        return str(self._duckdb.__version__)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


class Parquet(DuckDb):
    """One sorted Parquet file, read by DuckDB."""

    name = "parquet"
    layout = "one file in order of (feature, study), row groups of 100,000, zstd, read by DuckDB"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._connection.close()
        (folder / "cells.duckdb").unlink(missing_ok=True)
        self._connection = self._duckdb.connect(config={"threads": 2})
        self._path = folder / "cells.parquet"

    def load(self, blocks: Iterator[Rows]) -> None:
        """Write row groups as they come."""
        with pq.ParquetWriter(self._path, _SCHEMA, compression="zstd", compression_level=1) as writer:
            for rows in blocks:
                writer.write_table(rows_as_table(rows), row_group_size=ROW_GROUP)

    def rows(self, sql: str) -> pa.Table:
        """A query over the file."""
        return super().rows(sql.replace("FROM cells", f"FROM read_parquet('{self._path}')"))


class Tabix(Peer):
    """What portals of text files do: bgzip and tabix, one line a cell.

    Features lie as far apart as on average in the store, on contigs of TABIX_CONTIG of them: the
    index has windows of 16,384 bases, and so how many features share one decides its speed.
    """

    name = "tabix"
    layout = "bgzip text in order of position, one line a cell (contig, position, study, z, se, eaf), .tbi"
    modules = ("pysam",)

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        import pysam  # noqa: PLC0415 - optional

        self._pysam: Any = pysam
        self._path = folder / "cells.tsv.gz"
        self._file: Any = pysam.TabixFile(str(self._path)) if self._path.exists() else None

    def load(self, blocks: Iterator[Rows]) -> None:
        """Write text block by block through bgzip, then index it."""
        options = pa_csv.WriteOptions(include_header=False, delimiter="\t", quoting_style="none")
        with self._pysam.BGZFile(str(self._path), "wb") as sink:
            for rows in blocks:
                table = rows_as_table(rows)
                contig, place = np.divmod(table["feature"].to_numpy(), TABIX_CONTIG)
                text = io.BytesIO()
                columns = [contig, place * SPACING_BP + 1, *(table[n] for n in _SCHEMA.names[1:])]
                pa_csv.write_csv(pa.table(columns, names=list("abcdef")), text, options)
                sink.write(text.getvalue())
        self._pysam.tabix_index(str(self._path), seq_col=0, start_col=1, end_col=1, force=True)
        self._file = self._pysam.TabixFile(str(self._path))

    def phewas(self, feature: int) -> Cells:
        """One feature × all studies."""
        return self._read(feature, feature + 1)

    def region(self, start: int, stop: int, study: int) -> Cells:
        """A stretch of features × one study: all lines of the stretch are read."""
        return self._read(start, stop, studies=[study])

    def region_all(self, start: int, stop: int) -> Cells:
        """A stretch of features × all studies."""
        return self._read(start, stop)

    def top(self, study: int) -> Cells:
        """Not answered: it would read the whole file, as would one study."""
        raise InputError("tabix has one order", where=f"study {study}", expected="a question by position")

    def lookup(self, features: Sequence[int], studies: Sequence[int]) -> Cells:
        """Some features × some studies, one seek a feature."""
        text = b"".join(self._text(f, f + 1) for f in features)
        return _parsed(text, studies)

    def whole(self, study: int) -> int:
        """Not answered: see `top`."""
        raise InputError("tabix has one order", where=f"study {study}", expected="a question by position")

    def version(self) -> str:
        """Version of pysam, which carries its own htslib."""
        return f"pysam {self._pysam.__version__}"

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    def _read(self, start: int, stop: int, *, studies: Sequence[int] | None = None) -> Cells:
        return _parsed(self._text(start, stop), studies)

    def _text(self, start: int, stop: int) -> bytes:
        lines: list[str] = []
        for contig in range(start // TABIX_CONTIG, (stop - 1) // TABIX_CONTIG + 1):
            low = max(0, start - contig * TABIX_CONTIG) * SPACING_BP
            high = min(TABIX_CONTIG, stop - contig * TABIX_CONTIG) * SPACING_BP
            lines += self._file.fetch(str(contig), low, high)
        return "\n".join([*lines, ""]).encode()


def _parsed(text: bytes, studies: Sequence[int] | None) -> Cells:
    if not text:
        none = np.zeros(0)
        return decoded(none.astype(np.int64), none.astype(np.int64), z=none, se=none, eaf=none)
    types = {
        "contig": pa.int64(),
        "position": pa.int64(),
        **{f.name: f.type for f in _SCHEMA if f.name != "feature"},
    }
    found = pa_csv.read_csv(
        pa.BufferReader(text),
        pa_csv.ReadOptions(column_names=list(types), use_threads=False),
        pa_csv.ParseOptions(delimiter="\t"),
        pa_csv.ConvertOptions(column_types=types),
    )
    contig, position, study, z, se, eaf = (column.to_numpy() for column in found.columns)
    keep = np.isin(study, studies) if studies is not None else slice(None)
    feature = contig[keep] * TABIX_CONTIG + (position[keep] - 1) // SPACING_BP
    z_value = z[keep].astype(np.float32) / np.float32(Z_STEP)
    return decoded(feature, study[keep].astype(np.int64), z=z_value, se=se[keep], eaf=eaf[keep])


PEERS: Final[dict[str, type[Peer]]] = {p.name: p for p in (ClickHouse, DuckDb, Parquet, Tabix)}
