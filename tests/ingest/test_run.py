import gzip
import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nexome.ingest.manifest import read_manifest
from nexome.ingest.requests import ImportOptions, ImportRequest
from nexome.ingest.run import import_associations
from nexome.model.errors import FormatError, InputError

GOOD = ("1", 100, "A", "G", 0.2, 0.1, 0.3, 0.0455)


def row(**values):
    names = ("chrom", "pos", "ea", "oa", "beta", "se", "eaf", "p")
    return tuple({**dict(zip(names, GOOD, strict=True)), **values}[name] for name in names)


def test_a_sound_row_is_kept_as_it_is(desk):
    done = desk.run(desk.write([GOOD]))
    assert (done.status, done.counts["kept"]) == ("imported", 1)
    assert desk.rows() == {("1", 100, "G", "A", "S"): (0.2, 0.1, 0.3)}


BAD = [
    (row(beta="abc"), "unreadable_cell"),
    (row(chrom="NA"), "no_position"),
    (row(pos="NA"), "no_position"),
    (row(chrom="GL000"), "unknown_contig"),
    (row(pos=0), "position_out_of_range"),
    (row(pos=-5), "unreadable_cell"),
    (row(pos=1_000_001), "position_out_of_range"),
    (row(ea="NA"), "no_effect_allele"),
    (row(ea="Q"), "unreadable_allele"),
    (row(ea="G"), "same_alleles"),
    (row(se=0), "standard_error_not_positive"),
    (row(se=-0.1), "standard_error_not_positive"),
    (row(se="inf"), "standard_error_not_positive"),
    (row(p=1.5), "p_out_of_range"),
    (row(p=-0.1), "p_out_of_range"),
    (row(beta="inf"), "effect_not_finite"),
    (row(beta="NA", p="NA"), "no_effect"),
    (row(beta="NA"), "no_direction"),
    (row(se="NA", p=0), "p_zero"),
]


@pytest.mark.parametrize(("bad", "rule"), BAD)
def test_a_bad_row_is_dropped_by_its_rule_and_line(desk, bad, rule):
    done = desk.run(desk.write([GOOD, bad, row(pos=200)]))
    assert done.counts["dropped_by"] == {rule: 1}
    receipt = desk.receipt()
    assert receipt["rows"] == {"in": 3, "kept": 2, "dropped": 1}
    (dropped,) = receipt["dropped"]
    assert (dropped["rule"], dropped["count"], dropped["lines"]) == (rule, 1, [3])
    assert dropped["meaning"]


def test_cells_a_row_can_do_without_are_set_missing(desk):
    desk.run(desk.write([row(eaf="x"), row(pos=200, eaf=1.2)]))
    receipt = desk.receipt()
    changed = {c["rule"]: c["lines"] for c in receipt["changed"]}
    assert changed == {"cell_set_missing": [2], "frequency_set_missing": [3]}
    assert [c["line"] for c in receipt["decisions"]["unreadable_cells"]] == [2]
    assert all(values[2] is None for values in desk.rows().values())


def test_duplicates(desk):
    twin, other = row(ea="G", oa="A", beta=-0.2, eaf=0.7), row(beta=0.5, p=0.01)
    path = desk.write([GOOD, twin, other, row(pos=200)])
    done = desk.run(path)
    assert done.counts["dropped_by"] == {"duplicate_identical": 1, "duplicate_contradicting": 1}
    assert desk.rows()["1", 100, "G", "A", "S"] == (0.2, 0.1, 0.3)
    refused = desk.run(path, study="R", duplicates="refuse")
    assert refused.status == "failed"
    assert "lines 4" in refused.error["found"]
    none = desk.run(path, study="N", duplicates="drop-all")
    assert none.counts["dropped_by"] == {"duplicate_identical": 1, "duplicate_contradicting": 2}
    assert list(desk.rows("N")) == [("1", 200, "G", "A", "N")]


def test_unsorted_input_gives_what_sorted_input_gives(desk):
    rng = np.random.default_rng(1)
    rows = [
        row(chrom=c, pos=p, beta=b)
        for c, p, b in zip(
            rng.choice(["1", "2", "X", "chr2", "23"], 400),
            rng.permutation(390_000)[:400] + 1,
            rng.normal(size=400).round(3),
            strict=True,
        )
    ]
    desk.run(desk.write(rows, name="a.tsv.gz"), study="A", trait={"id": "t"})
    ordered = sorted(rows, key=lambda r: ({"1": 1, "2": 2, "chr2": 2}.get(r[0], 3), r[1]))
    desk.run(desk.write(ordered, name="b.tsv"), study="B", trait={"id": "t"})
    assert desk.rows("A") == desk.rows("B")
    assert len(desk.rows("A")) == 400


def test_a_study_joins_the_spelling_of_the_store(desk):
    rows = [row(pos=100 + i, ea="T", oa="C", p="NA", eaf=0.2) for i in range(30)]
    desk.run(desk.write([*rows, row(pos=500, ea="AT", oa="A")]), study="A", trait={"id": "t"})
    turned = [
        row(pos=100 + i, ea="G", oa="A", beta=-0.2, p="NA", eaf=0.8) for i in range(30)
    ]  # other strand, swapped
    done = desk.run(
        desk.write([*turned, row(pos=500, ea="A", oa="AT", beta=-0.2, eaf=0.7)]), study="B", trait={"id": "t"}
    )
    assert desk.rows("B") == desk.rows("A")
    assert done.counts["changed_by"] == {"alleles_swapped": 31, "strand_complemented": 30}
    assert desk.receipt("B")["evidence"]["strand"]["verdict"] == "reverse"


def test_palindromes_go_with_the_strand_of_the_file(desk):
    rows = [row(pos=100 + i, ea="T", oa="C", eaf=0.2) for i in range(30)]
    desk.run(
        desk.write([*rows, row(pos=500, ea="A", oa="T", beta=0.3, eaf=0.1)]), study="A", trait={"id": "t"}
    )
    minus = [row(pos=100 + i, ea="A", oa="G", eaf=0.2) for i in range(30)]
    path = desk.write([*minus, row(pos=500, ea="T", oa="A", beta=0.3, eaf=0.1)])
    desk.run(path, study="B", trait={"id": "t"})
    assert desk.rows("B") == desk.rows("A")
    dropped = desk.run(path, study="C", palindromic="drop")
    assert dropped.counts["dropped_by"] == {"palindromic": 1}


def test_frequency_of_the_other_allele(desk):
    rng = np.random.default_rng(2)
    freq = rng.uniform(0.02, 0.35, 300).round(3)
    rows = [row(pos=100 + i, eaf=f) for i, f in enumerate(freq)]
    desk.run(desk.write(rows), study="A", trait={"id": "t"})
    wrong = desk.write([row(pos=100 + i, eaf=round(1 - f, 3)) for i, f in enumerate(freq)])
    refused = desk.run(wrong, study="B", trait={"id": "t"})
    assert refused.status == "failed"
    assert "--eaf-other-allele" in refused.error["todo"]
    assert "B" not in desk.store.snapshot().studies
    fixed = desk.run(wrong, study="B", trait={"id": "t"}, eaf_other_allele="fix")
    assert fixed.counts["changed_by"] == {"frequency_complemented": 300}
    assert desk.rows("B") == desk.rows("A")
    desk.run(wrong, study="C", eaf_other_allele="keep")
    assert desk.receipt("C")["evidence"]["frequency"]["verdict"] == "other allele"


def test_p_far_below_the_smallest_float(desk):
    desk.run(desk.write([row(se="NA", p="1e-400")]))
    (part,) = __import__("nexome.store.associations", fromlist=["query"]).query.study_batches(
        desk.store.snapshot(), "S"
    )
    assert part.column("neg_log_10_p_value")[0, 0] == pytest.approx(400, abs=0.1)


def test_the_build_is_asked_for(desk):
    refused = desk.run(desk.write([GOOD]), assembly="")
    assert "--assembly" in refused.error["todo"]
    other = desk.run(desk.write([GOOD]), assembly="GRCh37")
    assert "--chain" in other.error["todo"]


def sites(desk, count, *, shift=0):
    lines = ["chrom\tpos\tid\tref\talt\taf"]
    lines += [f"1\t{100 + 10 * i + shift}\trs{i + 1}\tG\tA\t0.3" for i in range(count)]
    path = desk.folder / "sites.tsv"
    path.write_text("\n".join(lines) + "\n")
    return path


HEAD_RS = (
    "chromosome",
    "base_pair_location",
    "rsid",
    "effect_allele",
    "other_allele",
    "beta",
    "standard_error",
)


def test_a_sites_table_tells_the_build_or_names_a_mixture(desk):
    table = sites(desk, 40)
    same = [("1", 100 + 10 * i, f"rs{i + 1}", "A", "G", 0.1, 0.1) for i in range(40)]
    assert desk.run(desk.write(same, head=HEAD_RS), assembly="", sites=table).status == "imported"
    moved = [("1", 107 + 10 * i, *r[2:]) for i, r in enumerate(same)]
    assert (
        "0 of 40"
        in desk.run(desk.write(moved, head=HEAD_RS), study="B", assembly="", sites=table).error["found"]
    )
    mixed = desk.run(desk.write(same[:20] + moved[20:], head=HEAD_RS), study="C", sites=table)
    assert "several builds are mixed" in mixed.error["found"]
    by_name = desk.run(
        desk.write(moved, head=HEAD_RS),
        study="B",
        assembly="",
        sites=table,
        position_from="rsid",
        trait={"id": "S"},
    )
    assert by_name.counts["changed_by"] == {"position_from_rsid": 40}
    assert desk.rows("B") == desk.rows("S")


def test_positions_come_from_rs_numbers_where_the_file_has_none(desk):
    head = ("rsid", "effect_allele", "other_allele", "beta", "standard_error")
    path = desk.write([("rs1", "A", "G", 0.1, 0.1), ("rs999", "A", "G", 0.1, 0.1)], head=head)
    assert "--sites" in desk.run(path).error["todo"]
    done = desk.run(path, sites=sites(desk, 5))
    assert done.counts["dropped_by"] == {"no_position": 1}
    assert list(desk.rows()) == [("1", 100, "G", "A", "S")]


def test_a_reference_sequence_orients_and_normalises(desk):
    text = "".join(np.random.default_rng(3).choice(list("ACGT"), 1_000_000))
    text = text[:200] + "GGCACACACTTT" + text[212:]  # positions 201 …
    fasta = desk.folder / "home.fa"
    fasta.write_text(f">1\n{text}\n")
    swapped = row(pos=10, ea=text[9], oa={"A": "C", "C": "A", "G": "A", "T": "C"}[text[9]])
    path = desk.write([row(pos=206, ea="A", oa="ACA"), swapped, row(pos=201, ea="A", oa="T")])
    done = desk.run(path, fasta=fasta)
    assert done.counts["dropped_by"] == {"reference_mismatch": 1}
    assert ("1", 202, "GCA", "G", "S") in desk.rows()
    assert ("1", 10, text[9], swapped[3], "S") in desk.rows()
    assert desk.rows()["1", 10, text[9], swapped[3], "S"] == (-0.2, 0.1, 0.7)


def test_alleles_written_as_numbers(desk):
    done = desk.run(desk.write([row(ea=1, oa=3), row(pos=200, ea=4, oa=2)]))
    assert done.counts["changed_by"] == {"alleles_decoded": 2}
    assert ("1", 100, "G", "A", "S") in desk.rows()
    two = desk.run(desk.write([row(ea=1, oa=2)]), study="T")
    assert "--alleles digits" in two.error["todo"]


def test_long_symbolic_and_missing_alleles(desk):
    rows = [
        row(ea="I", oa="D"),
        row(pos=200, ea="A" * 30, oa="A"),
        row(pos=300, ea="<DEL>", oa="C"),
        row(pos=400, oa="NA"),
    ]
    done = desk.run(desk.write(rows))
    assert done.counts["changed_by"] == {"other_allele_unknown": 1}
    assert {(k[2], k[3]) for k in desk.rows()} == {("D", "I"), ("A", "A" * 30), ("C", "<DEL>"), ("N", "A")}


def test_studies_and_traits_of_one_long_file(desk):
    head = (
        "study_id",
        "trait_id",
        "chromosome",
        "base_pair_location",
        "effect_allele",
        "other_allele",
        "beta",
        "standard_error",
        "n",
    )
    rows = [
        (s, t, "1", p, "A", "G", 0.1, 0.1, n)
        for s, t, n in (("x", "t1", 10), ("y", "t1", 20), ("y", "t2", 30))
        for p in (300, 100)
    ]
    rows.append(("NA", "t1", "1", 100, "A", "G", 0.1, 0.1, 10))
    done = desk.run(desk.write(rows, head=head), study={}, mapping={"n": "n"})
    assert {s.id for s in done.studies} == {"x", "y"}
    assert done.counts["dropped_by"] == {"no_study": 1}
    y = desk.store.snapshot().studies["y"]
    assert [(t.id, t.n) for t in y.study.traits] == [("t1", 20.0), ("t2", 30.0)]
    assert y.receipt()["rows"] == {"in": 4, "kept": 4, "dropped": 0}
    assert y.receipt()["outside_any_study"]["rows"]["in"] == 1
    assert len(desk.rows("y")) == 4


def test_named_features_with_and_without_positions(desk):
    head = ("probe_id", "chromosome", "base_pair_location", "beta", "standard_error", "p_value")
    rows = [("cg1", "1", 100, 0.1, 0.1, 0.3), ("cg2", "1", 50, -0.1, 0.1, 0.3)]
    path = desk.write(rows, head=head)
    asked = desk.run(path, mapping={"feature_name": "probe_id"})
    assert "--feature-kind" in asked.error["todo"]
    desk.run(path, study={"id": "E", "feature_kind": "cpg"}, mapping={"feature_name": "probe_id"})
    assert [(k[1], k[3]) for k in desk.rows("E")] == [(50, "cg2"), (100, "cg1")]
    many = [(f"g{i}", 0.1, 0.1) for i in range(3000)]
    path = desk.write([*many, many[7]], head=("gene", "beta", "standard_error"))
    done = desk.run(path, study={"id": "G", "feature_kind": "gene"}, mapping={"feature_name": "gene"})
    assert done.counts["dropped_by"] == {"duplicate_identical": 1}
    assert desk.store.snapshot().studies["G"].cells == 3000


def test_one_bad_file_never_stops_the_others(desk):
    whole = gzip.compress(
        b"\n".join(
            b"\t".join(str(c).encode() for c in r)
            for r in [
                (
                    "chromosome",
                    "base_pair_location",
                    "effect_allele",
                    "other_allele",
                    "beta",
                    "standard_error",
                ),
                *[("1", i, "A", "G", 0.1, 0.1) for i in range(1, 9_000)],
            ]
        )
    )
    (desk.folder / "cut.gz").write_bytes(whole[: len(whole) // 2])
    good = desk.write([GOOD])
    (desk.folder / "m.tsv").write_text(
        f"file\tstudy\tassembly\ncut.gz\tcut\ttiny\nnone.tsv\tnone\ttiny\n{good}\tok\ttiny\n"
    )
    report = import_associations(desk.store, read_manifest(desk.folder / "m.tsv"), ImportOptions())
    assert [f.status for f in report.files] == ["failed", "failed", "imported"]
    assert [f.manifest_line for f in report.failed] == [2, 3]
    assert "cut.gz" in report.files[0].error["message"]
    assert list(desk.store.snapshot().studies) == ["ok"]
    assert not list((desk.folder / "root/importing").iterdir())


def test_the_same_import_again_changes_nothing(desk):
    path = desk.write([GOOD])
    desk.run(path)
    before = desk.store.snapshot().sequence
    assert desk.run(path).status == "unchanged"
    assert desk.store.snapshot().sequence == before
    changed = desk.write([GOOD, row(pos=300)])
    assert "--replace" in desk.run(changed).error["todo"]
    assert desk.run(changed, replace=True).studies[0].version == 2


def test_scratch_of_a_process_that_is_gone_is_removed(desk):
    old = desk.folder / "root/importing/dead"
    old.mkdir(parents=True)
    (old / "lock").touch()
    (old / "1.rows").write_bytes(b"x")
    desk.run(desk.write([GOOD]))
    assert not old.exists()


def test_progress_is_told(desk):
    told = []
    desk.run(desk.write([GOOD]), progress=told.append)
    assert {"read", "write", "publish"} <= {p.step for p in told}
    assert told[-1].rows == 1


def test_requests_that_name_one_study_twice_are_refused(desk):
    requests = [ImportRequest(p, study={"id": "S"}) for p in ("a", "b")]
    with pytest.raises(InputError, match="two files"):
        import_associations(desk.store, requests, ImportOptions())


def test_a_manifest_with_an_unknown_column_is_refused(tmp_path):
    (tmp_path / "m.tsv").write_text("file\tstuddy\na\tb\n")
    with pytest.raises(FormatError, match="studdy"):
        read_manifest(tmp_path / "m.tsv")


alleles = st.sampled_from(["A", "C", "G", "T", "AT", "G" * 30, "<DEL>"])
variants = st.lists(
    st.tuples(st.integers(1, 40), alleles, alleles, st.integers(-40, 40), st.integers(1, 99)).filter(
        lambda v: v[1] != v[2]
    ),
    min_size=1,
    max_size=25,
)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(variants)
def test_flipping_all_alleles_and_signs_gives_the_same_store(new_desk, tmp_path_factory, rows):
    desk = new_desk(tmp_path_factory.mktemp("desk"))
    straight = [row(pos=p, ea=a, oa=b, beta=z / 20, eaf=f / 100, p="NA") for p, a, b, z, f in rows]
    flipped = [(c, p, oa, ea, -beta, se, round(1 - eaf, 2), q) for c, p, ea, oa, beta, se, eaf, q in straight]
    first = desk.run(
        desk.write(straight), study="A", trait={"id": "t"}, palindromic="keep", eaf_other_allele="keep"
    )
    again = desk.run(
        desk.write(flipped), study="B", trait={"id": "t"}, palindromic="keep", eaf_other_allele="keep"
    )
    assert desk.rows("A") == desk.rows("B")
    for done in (first, again):
        assert done.counts["in"] == done.counts["kept"] + done.counts["dropped"] == len(rows)


def test_receipts_are_plain_json(desk):
    desk.run(
        desk.write([GOOD]), study={"id": "S", "licence": "CC0", "ancestry": "European"}, trait={"n": 100}
    )
    receipt = desk.receipt()
    assert json.loads(json.dumps(receipt)) == receipt
    assert receipt["undo"] == "nexome withdraw S"
    assert desk.store.snapshot().studies["S"].study.licence == "CC0"


def test_lift_over_an_inverted_stretch(desk):
    chain = desk.folder / "old.chain"
    # 1,000 bases of old 1 are the same place of home 1; the next 1,000 are turned round (home 2001–3000)
    turned = 1_000_000 - 3_000
    chain.write_text(
        "chain 2000 old1 5000 + 0 1000 1 1000000 + 500 1500 1\n1000\n\n"
        f"chain 1000 old1 5000 + 1000 2000 1 1000000 - {turned} {turned + 1000} 2\n1000\n\n"
    )
    head = ("chromosome", "base_pair_location", "effect_allele", "other_allele", "beta", "standard_error")
    rows = [
        ("old1", p, *alleles, 0.2, 0.1)
        for p, alleles in [(1, "AG"), (1001, "AG"), (2000, ("AC", "A")), (4000, "AG"), (5001, "AG")]
    ]
    done = desk.run(desk.write(rows, head=head), assembly="old", chain=chain)
    assert done.counts["dropped_by"] == {"indel_in_inversion": 1, "not_lifted": 1, "position_out_of_range": 1}
    assert set(desk.rows()) == {("1", 501, "G", "A", "S"), ("1", 3000, "C", "T", "S")}
    assert done.counts["changed_by"]["lifted"] == 2
    assert done.counts["changed_by"]["strand_complemented"] == 1
    assert desk.receipt()["decisions"]["lifted_by"]["path"] == str(chain)


def test_a_missing_other_allele_is_the_one_known_there(desk):
    head = ("chromosome", "base_pair_location", "effect_allele", "beta", "standard_error")
    done = desk.run(
        desk.write([("1", 100, "A", 0.1, 0.1), ("1", 105, "A", 0.1, 0.1)], head=head), sites=sites(desk, 1)
    )
    assert done.counts["changed_by"] == {"alleles_completed": 1, "other_allele_unknown": 1}
    assert set(desk.rows()) == {("1", 100, "G", "A", "S"), ("1", 105, "N", "A", "S")}


def test_an_error_of_nexome_itself_fails_one_file_without_a_traceback(desk, monkeypatch, capfd):
    def broken(*_):
        raise ZeroDivisionError("of all things")

    monkeypatch.setattr("nexome.ingest.file_import.prepare", broken)
    done = desk.run(desk.write([GOOD]))
    assert done.status == "failed"
    assert "an error of Nexome itself" in done.error["found"]
    assert "Traceback" not in capfd.readouterr().err
    assert not list((desk.folder / "root/importing").iterdir())


class Meanwhile:
    """A second import of the same study that is published while the first is still writing."""

    def __init__(self, desk, path):
        self.desk, self.path, self.done = desk, path, None

    def __call__(self, progress):
        if progress.step == "publish" and self.done is None:
            self.done = "begun"  # the second import tells of its own progress elsewhere
            self.done = self.desk.run(self.path)


def test_of_two_importers_at_once_one_finds_the_work_done(desk):
    path = desk.write([GOOD, row(pos=200)])
    other = Meanwhile(desk, path)
    first = desk.run(path, progress=other)
    assert (other.done.status, first.status) == ("imported", "unchanged")
    assert desk.store.snapshot().studies["S"].version == 1
    assert desk.store.snapshot().sequence == 1


def test_of_two_importers_of_one_name_the_second_is_refused(desk):
    path, another = desk.write([GOOD]), desk.write([row(pos=200)], name="another.tsv")
    first = desk.run(path, progress=Meanwhile(desk, another))
    assert first.status == "failed"
    assert "was published by another process meanwhile" in first.error["message"]
    assert "--replace" in first.error["todo"]
    assert list(desk.rows()) == [("1", 200, "G", "A", "S")]
    replaced = desk.run(path, replace=True)
    assert replaced.studies[0].version == 2


def test_the_same_standard_input_again_is_no_new_import(desk, monkeypatch):
    class Piped:
        def __init__(self, rows, name):
            self.buffer = desk.write(rows, name=name).open("rb")

    for rows, status in (([GOOD], "imported"), ([GOOD], "unchanged"), ([row(pos=7)], "failed")):
        with monkeypatch.context() as patched:
            piped = Piped(rows, f"{status}.tsv")
            patched.setattr("sys.stdin", piped)
            done = desk.run("-")
            piped.buffer.close()
        assert done.status == status, done.error
    assert done.error["where"] == "standard input"
    assert "--replace" in done.error["todo"]
