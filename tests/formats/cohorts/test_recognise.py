"""Formats are told by their first bytes, whatever the file is called."""

import gzip

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyreadstat
import pytest

from nexome.formats.cohorts import FORMATS, CohortOptions, open_cohort
from nexome.model.cohorts import Dictionary
from nexome.model.errors import FormatError, InputError
from tests.formats.cohorts.reading import read_all, written

TABLE = pd.DataFrame({"x": [1.0, 2.0]})
WRITERS = {
    "csv": lambda path: TABLE.to_csv(path, index=False),
    "xlsx": lambda path: TABLE.to_excel(path, index=False, engine="openpyxl"),
    "parquet": lambda path: pq.write_table(pa.Table.from_pandas(TABLE), path),
    "sav": lambda path: pyreadstat.write_sav(TABLE, path),
    "zsav": lambda path: pyreadstat.write_sav(TABLE, path, compress=True),
    "dta": lambda path: pyreadstat.write_dta(TABLE, path),
    "xpt": lambda path: pyreadstat.write_xport(TABLE, path),
    "por": lambda path: pyreadstat.write_por(TABLE.rename(columns=str.upper), path),
}


@pytest.mark.parametrize("form", list(WRITERS))
def test_a_format_is_recognised_under_another_name(tmp_path, form):
    own = tmp_path / f"c.{form}"
    WRITERS[form](own)
    path = own.rename(tmp_path / "table.txt")
    with open_cohort(path) as reader:
        assert reader.format == form
        assert sum(raw.table.num_rows for raw in reader) == 2
        assert len(reader.sha256()) == 64


@pytest.mark.parametrize("version", [8, 10, 12, 13, 14, 15])
def test_versions_of_stata(tmp_path, version):
    path = tmp_path / "c.dta"
    pyreadstat.write_dta(TABLE, path, version=version)
    with open_cohort(path) as reader:
        assert reader.format == "dta"


def test_a_packed_binary_is_asked_for_unpacked(tmp_path):
    pyreadstat.write_sav(TABLE, tmp_path / "c.sav")
    path = written(tmp_path / "c.sav.gz", gzip.compress((tmp_path / "c.sav").read_bytes()))
    with pytest.raises(FormatError, match=r"a sav file packed with gzip.*Unpack it first"):
        open_cohort(path)


def test_a_format_that_was_said(tmp_path):
    path = written(tmp_path / "c.json", '{"subject": 1}\n{"subject": 2}\n')
    with open_cohort(path, CohortOptions(format="delimited")) as reader:
        assert reader.format == "delimited"
    assert {"delimited", "xlsx", "parquet", "sav", "dta", "xpt", "phenopackets"} <= set(FORMATS)


def test_a_visit_that_was_said_is_a_column(tmp_path):
    path = written(tmp_path / "c.csv", "id,x\n1,2\n2,3\n")
    values, *_ = read_all(path, visit="baseline")
    assert values == {"id": ["1", "2"], "x": ["2", "3"], "visit": ["baseline", "baseline"]}
    with open_cohort(path, CohortOptions(visit="baseline")) as reader:
        visit = reader.dictionary.by_name["visit"]
        assert visit.role == "visit"
        assert reader.sample(1).column_names == ["id", "x", "visit"]
        (raw,) = reader.read(Dictionary((visit,)))
        assert raw.table.to_pydict() == {"visit": ["baseline", "baseline"]}
    written(path, "id,visit\n1,2\n")
    with pytest.raises(InputError, match="the file has a column visit"):
        open_cohort(path, CohortOptions(visit="baseline"))
