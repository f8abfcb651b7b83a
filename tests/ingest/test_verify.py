"""A study agrees with the file it came from, and with no other."""

import gzip
import json

import pytest

from nexome.formats.reader import ReadOptions
from nexome.ingest.requests import ImportOptions, ImportRequest
from nexome.ingest.run import import_associations
from nexome.ingest.verify import choices_from, verify_source
from nexome.model.errors import InputError, NotFoundError

QTL = (
    "trait_id",
    "chromosome",
    "base_pair_location",
    "effect_allele",
    "other_allele",
    "beta",
    "standard_error",
)


def line(i, **values):
    names = ("chrom", "pos", "ea", "oa", "beta", "se", "eaf", "p")
    row = dict(zip(names, ("1", 1000 + i, "G", "A", (i % 7 - 3) / 10 + 0.05, 0.1, 0.3, "NA"), strict=True))
    return tuple({**row, **values}.values())


def texts(found):
    return [str(f) for f in found.report.findings]


def test_a_study_agrees_with_its_own_file(desk):
    desk.run(desk.write([line(i) for i in range(300)], name="rows.tsv.gz"))
    found = verify_source(desk.store, "S", desk.folder / "rows.tsv.gz")
    assert found.report.findings == []
    assert found.same_file
    assert found.report.source_rows == 300


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"beta": 9.0}, "values of z"),
        ({"se": 0.4}, "values of standard_error"),
        ({"eaf": 0.5}, "values of effect_allele_frequency"),
        ({"pos": 77}, "1 rows of the source are not stored, first line 42: 1:77 A/G"),
    ],
)
def test_a_changed_row_is_named_with_its_line(desk, changed, text):
    rows = [line(i) for i in range(300)]
    desk.run(desk.write(rows))
    rows[40] = line(40, **changed)
    found = verify_source(desk.store, "S", desk.write(rows, name="other.tsv"))
    assert not found.same_file
    assert any(text in told for told in texts(found))
    assert all("line 42: " in told for told in texts(found) if "not in the source" not in told)


def test_a_row_left_out_of_the_source_is_named_by_its_feature(desk):
    rows = [line(i) for i in range(300)]
    desk.run(desk.write(rows))
    found = verify_source(desk.store, "S", desk.write(rows[:100] + rows[101:], name="other.tsv"))
    assert texts(found) == ["study S, trait S: 1 stored rows are not in the source, first 1:1100 A/G"]


def qtl_rows():
    return [
        (t, "2", 500 + 10 * i, "T", "C", (i - 4) / 10 + t_at, 0.1)
        for t_at, t in enumerate("bca")
        for i in range(9)
    ]


def test_each_trait_of_a_qtl_file_is_compared_by_its_name(desk):
    desk.run(desk.write(qtl_rows(), head=QTL))
    found = verify_source(desk.store, "S", desk.folder / "rows.tsv")
    assert found.report.findings == []
    assert found.report.source_rows == 27
    # the same rows with the traits in another order are the same study
    turned = desk.write(qtl_rows()[::-1], head=QTL, name="turned.tsv")
    assert verify_source(desk.store, "S", turned).report.findings == []
    rows = [r if (r[0], r[2]) != ("c", 520) else (*r[:5], 5.0, 0.1) for r in qtl_rows()]
    rows.append(("d", "2", 500, "T", "C", 0.1, 0.1))
    found = verify_source(desk.store, "S", desk.write(rows, head=QTL, name="other.tsv"))
    assert len(texts(found)) == 2
    assert (
        "study S, trait c: 1 values of z beyond the stated error, first line 13: 2:520 C/T" in texts(found)[0]
    )
    assert texts(found)[1] == "study S: trait d of the source is not stored"


def test_studies_that_came_later_change_nothing(desk):
    """Known sites of the store are others now than at the import: the study's own order of alleles counts."""
    first = [line(i, ea="A", oa="G", eaf=0.2) for i in range(200)]
    desk.run(desk.write(first, name="a.tsv"), study="A")
    sites = desk.folder / "sites.tsv"
    sites.write_text("chrom\tpos\tref\talt\n" + "".join(f"1\t{1000 + i}\tA\tG\n" for i in range(200)))
    desk.run(desk.write([line(i) for i in range(200)], name="b.tsv"), study="B", sites=sites)
    for study, name in (("A", "a.tsv"), ("B", "b.tsv")):
        assert verify_source(desk.store, study, desk.folder / name).report.findings == []


def test_choices_of_the_receipt_are_those_of_the_import(desk):
    path = desk.write(
        [(*line(i)[:4], *line(i)[4:]) for i in range(5)], head=("c", "p", "a1", "a2", "b", "s", "f", "pv")
    )
    mapping = {
        "chromosome": "c", "base_pair_location": "p", "effect_allele": "a1", "other_allele": "a2",
        "beta": "b", "standard_error": "s",
    }  # fmt: skip
    options = ImportOptions(
        read=ReadOptions(mapping=mapping, ignore=("f", "pv"), delimiter="tab"),
        assembly="tiny",
        palindromic="keep",
    )
    request = ImportRequest(str(path), study={"id": "M", "title": "Mapped"}, trait={"n": 12.0})
    done = import_associations(desk.store, [request], options)
    assert not done.failed, done
    again = choices_from(json.loads(json.dumps(desk.receipt("M"))), path)
    assert again == (request, options)
    assert verify_source(desk.store, "M", path).report.ok


def test_what_cannot_be_compared_is_said(desk):
    path = desk.write([line(i) for i in range(5)])
    desk.run(path)
    with pytest.raises(NotFoundError, match="no study"):
        verify_source(desk.store, "T", path)
    with pytest.raises(NotFoundError, match="no such file"):
        verify_source(desk.store, "S", desk.folder / "gone.tsv")
    with pytest.raises(InputError, match="receipt does not tell"):
        choices_from({"study": "S"}, path)
    with pytest.raises(NotFoundError, match="leaned on it"):
        choices_from({**desk.receipt(), "choices": {**desk.receipt()["choices"], "sites": "gone.vcf"}}, path)


def test_a_source_packed_anew_is_another_file_with_the_same_rows(desk):
    path = desk.write([line(i) for i in range(20)])
    desk.run(path)
    packed = desk.folder / "again.tsv.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    found = verify_source(desk.store, "S", packed)
    assert (found.same_file, found.report.findings) == (False, [])
