"""GWAS-SSF: versions, sidecar, writing and reading back."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nexome.formats.gwas_ssf import COLUMN_ORDER, read_sidecar, write_ssf
from nexome.formats.parquet import write_parquet
from nexome.model.errors import FormatError, InputError

from .reading import read

HEAD = "chromosome\tbase_pair_location\teffect_allele\tother_allele\t"


@pytest.mark.parametrize(
    ("columns", "version"),
    [
        ("beta\tstandard_error\teffect_allele_frequency\tp_value", "1.0"),
        ("odds_ratio\tstandard_error\teffect_allele_frequency\tp_value", "1.0"),
        ("hazard_ratio\tstandard_error\teffect_allele_frequency\tneg_log_10_p_value", "1.1"),
        ("z_score\tstandard_error\teffect_allele_frequency\tp_value", "1.1"),
    ],
)
def test_each_effect_and_version(columns, version):
    found = read(f"{HEAD}{columns}\n1\t5\tA\tG\t1.5\t0.1\t#NA\t0.01\n")
    assert (found.reader.format, found.reader.version) == ("gwas-ssf", version)
    assert found.rows[0][columns.split("\t")[0]] == 1.5
    assert found.rows[0]["effect_allele_frequency"] is None
    assert found.problems == []


def test_harmonised_columns_win_over_the_authors():
    text = (
        "hm_variant_id\thm_rsid\thm_chrom\thm_pos\thm_other_allele\thm_effect_allele\thm_beta\thm_odds_ratio\t"
        "hm_ci_lower\thm_ci_upper\thm_effect_allele_frequency\thm_code\tchromosome\tbase_pair_location\t"
        "effect_allele\tother_allele\tbeta\tstandard_error\tp_value\n"
        "1_5_A_G\trs1\t1\t5\tA\tG\t0.2\tNA\tNA\tNA\t0.3\t10\t1\t4\tA\tG\t-0.2\t0.1\t0.05\n"
    )
    found = read(text)
    assert found.reader.version == "0.1 harmonised"
    row = found.rows[0]
    assert (row["base_pair_location"], row["effect_allele"], row["beta"]) == (5, "G", 0.2)
    assert row["standard_error"] == 0.1


def test_the_sidecar_beside_the_file_is_read(tmp_path):
    path = tmp_path / "GCST1.tsv"
    path.write_text(f"{HEAD}beta\tstandard_error\tp_value\n1\t5\tA\tG\t1\t1\t0.3\n")
    about = {
        "genome_assembly": "GRCh37",
        "trait_description": ["Height", "Weight"],
        "ontology_mapping": ["EFO_0004339"],
        "samples": [
            {"sample_size": 100, "sample_ancestry": ["European"]},
            {"sample_size": 50, "sample_ancestry": ["East Asian"]},
        ],
        "gwas_id": "GCST1",
        "sex": "combined",
    }
    sidecar = tmp_path / "GCST1.tsv-meta.yaml"
    sidecar.write_text(yaml.safe_dump(about))
    meta = read(path).reader.metadata
    assert (meta["build"], meta["trait"], meta["n"]) == ("GRCh37", "Height; Weight", 150)
    assert (meta["ancestry"], meta["study_id"]) == ("European; East Asian", "GCST1")
    assert meta["sidecar"]["samples"][1]["sample_size"] == 50
    elsewhere = tmp_path / "other.yaml"
    elsewhere.write_text("genome_assembly: GRCh38\n")
    assert read(path, sidecar=elsewhere).reader.metadata["build"] == "GRCh38"


@pytest.mark.parametrize(
    "content", [b"a: [1\nb: 2", b"- 1\n- 2\n", b"", b"\xff\xff", b"!!python/object:os.system x"]
)
def test_a_bad_sidecar_is_named(tmp_path, content):
    path = tmp_path / "bad-meta.yaml"
    path.write_bytes(content)
    with pytest.raises(FormatError, match="bad-meta"):
        read_sidecar(path)
    with pytest.raises(InputError, match="cannot read"):
        read_sidecar(tmp_path / "none.yaml")


allele = st.text("ACGT", min_size=1, max_size=5)
number = st.one_of(st.none(), st.floats(-1e6, 1e6))
row = st.tuples(
    st.sampled_from(["1", "22", "X", "chr2"]), st.integers(0, 2**32), allele, allele, number, number, number
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(st.lists(row, min_size=1, max_size=20), st.sampled_from([".tsv", ".tsv.gz"]), st.integers(1, 5))
def test_what_is_written_is_read_back(tmp_path, rows, suffix, pieces):
    names = [
        "n",
        "beta",
        "other_allele",
        "effect_allele",
        "base_pair_location",
        "chromosome",
        "neg_log_10_p_value",
    ]
    order = [5, 4, 3, 2, 1, 0, 6]
    columns = [[r[i] for r in rows] for i in order]
    types = [pa.float64(), pa.float64(), pa.string(), pa.string(), pa.int64(), pa.string(), pa.float64()]
    table = pa.table([pa.array(c, t) for c, t in zip(columns, types, strict=True)], names=names)
    path = tmp_path / f"out{suffix}"
    size = max(1, len(rows) // pieces)
    write_ssf(path, (table.slice(i, size) for i in range(0, len(rows), size)), {"genome_assembly": "GRCh38"})
    found = read(path)
    assert found.reader.metadata["build"] == "GRCh38"
    assert [n for n in COLUMN_ORDER if n in names] == found.reader.schema.names
    for name, values in zip(names, columns, strict=True):
        assert found.column(name) == values


def test_nan_is_written_as_missing(tmp_path):
    table = pa.table({
        "chromosome": ["1"], "base_pair_location": [5], "effect_allele": ["A"], "other_allele": ["G"],
        "beta": [1.0], "standard_error": [np.nan], "p_value": [0.5],
    })  # fmt: skip
    path = tmp_path / "a.tsv"
    write_ssf(path, [table], {})
    assert "#NA" in path.read_text()
    assert read(path).rows[0]["standard_error"] is None


def test_parquet_is_written_batch_by_batch(tmp_path):
    path = tmp_path / "a.parquet"
    table = pa.table({"beta": [0.1, 0.2]})
    assert write_parquet(path, [table, table], {"study": "S1"}) == 4
    back = pq.read_table(path)
    assert back["beta"].to_pylist() == [0.1, 0.2, 0.1, 0.2]
    assert back.schema.metadata[b"study"] == b"S1"
    with pytest.raises(InputError, match="nothing to write"):
        write_parquet(path, [])
