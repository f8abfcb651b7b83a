"""What is exported is what is stored, read back by other programs and by our own reader."""

import gzip

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml

from nexome.formats.recognise import open_associations
from nexome.model.errors import InputError, NotFoundError
from nexome.model.terms import Study, Trait
from nexome.store.associations.export import export_study
from nexome.testing.associations import LONG, make_every_layout, tiny_block


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return make_every_layout(tmp_path_factory.mktemp("export") / "root")


def given(block):
    return ~np.isnan(block.z)


@pytest.mark.parametrize("name", ["s.tsv", "s.tsv.gz"])
def test_gwas_ssf_holds_every_cell_in_the_standard_order(store, tmp_path, name):
    told = []
    written = export_study(store.snapshot(), "S1", tmp_path / name, progress=lambda *step: told.append(step))
    assert [p.name for p in written] == [name, f"{name}-meta.yaml"]
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(p.name for p in written)
    raw = (tmp_path / name).read_bytes()
    lines = (gzip.decompress(raw) if name.endswith("gz") else raw).decode().splitlines()
    assert lines[0].split("\t")[:8] == [
        "chromosome",
        "base_pair_location",
        "effect_allele",
        "other_allele",
        "beta",
        "standard_error",
        "effect_allele_frequency",
        "neg_log_10_p_value",
    ]
    block = tiny_block(1)
    rows = [dict(zip(lines[0].split("\t"), line.split("\t"), strict=True)) for line in lines[1:]]
    assert len(rows) == given(block).sum() == told[-1][0] == told[-1][1]
    position = [int(r["base_pair_location"]) for r in rows]
    assert position == (block.locus[given(block)] & np.uint64(0xFFFFFFFF)).tolist()
    z = [float(r["beta"]) / float(r["standard_error"]) for r in rows]
    np.testing.assert_allclose(z, block.z[given(block)], atol=0.0006, rtol=1e-5)
    assert {r["n"] for r in rows} == {"1001"}
    assert {"X", "1", "2"} == {r["chromosome"] for r in rows}
    long = [r for r in rows if len(r["effect_allele"]) == 40]
    assert [f"{r['other_allele']}/{r['effect_allele']}" for r in long] == [LONG] * len(long)


def test_the_sidecar_says_what_is_known(store, tmp_path):
    export_study(store.snapshot(), "S1", tmp_path / "s.tsv.gz")
    about = yaml.safe_load((tmp_path / "s.tsv.gz-meta.yaml").read_text())
    assert about["genome_assembly"] == "tiny"
    assert about["trait_description"] == ["Trait 1"]
    assert about["samples"] == [{"sample_size": 1001, "sample_ancestry": ["European"]}]
    assert about["file_type"] == "GWAS-SSF v1.1"
    assert "licence" not in about


def test_our_own_reader_recognises_the_export(store, tmp_path):
    export_study(store.snapshot(), "S1", tmp_path / "s.tsv.gz")
    with open_associations(tmp_path / "s.tsv.gz") as reader:
        assert reader.format == "gwas-ssf"
        assert sum(batch.table.num_rows for batch in reader) == given(tiny_block(1)).sum()


def test_several_traits_go_to_a_folder(store, tmp_path):
    written = export_study(store.snapshot(), "M4", tmp_path / "m4")
    assert [p.name for p in written[::2]] == [f"m{i}.tsv.gz" for i in range(5)]
    [one, _] = export_study(store.snapshot(), "M4", tmp_path / "one.tsv", trait_id="m2")
    assert one.read_bytes() == gzip.decompress((tmp_path / "m4" / "m2.tsv.gz").read_bytes())


def test_parquet_holds_the_whole_study(store, tmp_path):
    [path] = export_study(store.snapshot(), "M4", tmp_path / "m.parquet", format="parquet")
    table = pq.read_table(path)
    block = tiny_block(4, features=60, axis=9, traits=5)
    assert table.num_rows == given(block).sum()
    np.testing.assert_allclose(table["z"].to_numpy(), block.z[given(block)], atol=0.0005)
    assert table["trait_id"].to_pylist() == [f"m{t}" for t in block.trait[given(block)]]
    assert table.schema.field("z").metadata[b"meaning"]


def test_a_failed_export_leaves_nothing(store, tmp_path):
    with pytest.raises(NotFoundError):
        export_study(store.snapshot(), "nobody", tmp_path / "x.tsv")
    with pytest.raises(NotFoundError):
        export_study(store.snapshot(), "M4", tmp_path / "x.tsv", trait_id="m9")

    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export_study(store.snapshot(), "S1", tmp_path / "x.tsv", progress=stop)
    assert list(tmp_path.iterdir()) == []


def test_features_that_are_no_variants_go_to_parquet_only(tmp_path):
    store = make_every_layout(tmp_path / "root")
    staged = store.stage(Study("G1", feature_kind="gene", traits=(Trait("t", "t"),)))
    staged.add(tiny_block(7))
    staged.publish({})
    with pytest.raises(InputError, match="Parquet"):
        export_study(store.snapshot(), "G1", tmp_path / "x.tsv")
    export_study(store.snapshot(), "G1", tmp_path / "x.parquet", format="parquet")
