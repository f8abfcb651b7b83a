"""Real cohorts: read under the dictionary inferred from them, compared with a plain count of their cells.

Rows and columns are those of the list of sources; people, codes and means were counted by hand with the
standard tools of a shell.
"""

import csv
import gzip
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from nexome.formats.cohorts import open_cohort
from nexome.ingest.cohorts.infer import infer_dictionary
from nexome.ingest.cohorts.requests import CohortRequest
from nexome.ingest.cohorts.run import import_cohort
from nexome.model.cohorts import Cohort
from nexome.model.errors import FormatError
from nexome.store.root import create_root, load_assembly

pytestmark = pytest.mark.shared

# file: rows, columns, people ('' column: none), sex column with its codes
COHORTS = {
    "acs_korea_mgdl.csv.gz": (857, 17, "", "sex", {"Female", "Male"}),
    "chop_covid_testing.csv.gz": (15524, 17, "subject_id", "gender", {"female", "male"}),
    "flchain.csv.gz": (7874, 11, "", "sex", {"F", "M"}),
    "nhanes_2009_2012.csv.gz": (10000, 77, "ID", "Sex", {"female", "male"}),
    "nhefs.csv.gz": (1629, 67, "seqn", "sex", {"0", "1"}),
    "pbc_mayo.csv.gz": (418, 20, "id", "sex", {"f", "m"}),
    "pbcseq.csv.gz": (1945, 19, "id", "sex", {"f", "m"}),
    "saheart_keel.dat.gz": (462, 10, "", "", set()),
    "seychelles_cardiorisk_mislabelled.csv.gz": (998, 14, "", "sex", {"0", "1"}),
    "tongji_covid_375_en.csv.gz": (6120, 81, "PATIENT_ID", "gender", {"1", "2"}),
    "tongji_covid_375_zh.csv.gz": (6120, 81, "PATIENT_ID", "性别", {"1", "2"}),
    "uci_cleveland_heart.csv.gz": (303, 9, "", "Sex", {"Female", "Male"}),
}
PEOPLE = {
    "nhanes_2009_2012.csv.gz": 6779,
    "tongji_covid_375_en.csv.gz": 375,
    "tongji_covid_375_zh.csv.gz": 375,
}
MEANS = {
    ("acs_korea_mgdl.csv.gz", "TC"): 185.2002,
    ("nhanes_2009_2012.csv.gz", "TotChol"): 4.8792,
    ("seychelles_cardiorisk_mislabelled.csv.gz", "choles"): 5.5814,
    ("nhefs.csv.gz", "sbp"): 128.7094,
    ("pbcseq.csv.gz", "chol"): 320.4715,
    ("tongji_covid_375_zh.csv.gz", "总胆固醇"): 3.6894,
    ("uci_cleveland_heart.csv.gz", "Cholesterol"): 246.6931,
}


def whole(path):
    """(inference, tables) of a file read under its inferred dictionary."""
    with open_cohort(path) as reader:
        found = infer_dictionary(reader, rows=20_000)
        return found, list(reader.read(found.dictionary))


@pytest.mark.parametrize("file", list(COHORTS))
def test_no_cell_is_lost(shared, file):
    path = shared / "phenotypes" / file
    rows, columns, person, sex, codes = COHORTS[file]
    found, tables = whole(path)
    with gzip.open(path, "rt", encoding="utf-8", newline="") as text:
        lines = list(csv.reader(text))[0 if file.startswith("saheart") else 1 :]
    filled = [sum(bool(row[i].strip()) for row in lines) for i in range(columns)]
    assert sum(t.table.num_rows for t in tables) == rows == found.rows
    assert len(found.dictionary) == columns
    kept: Counter[str] = Counter()
    for raw in tables:
        kept.update({n: len(raw.lines) - raw.table[n].null_count for n in raw.table.column_names})
        kept.update({n: len(c) - c.null_count for n, c in raw.codes.items()})
        kept.update({p.column: len(p.lines) for p in raw.problems})
    assert [kept[v.name] for v in found.dictionary] == filled
    roles = {v.role: v for v in found.dictionary if v.role}
    assert (roles["participant"].name if "participant" in roles else "") == person
    assert (roles["sex"].name if "sex" in roles else "") == sex
    assert ({c.code for c in roles["sex"].categories} if sex else set()) == codes
    if file in PEOPLE:
        assert len({p for raw in tables for p in raw.table[person].to_pylist()}) == PEOPLE[file]


@pytest.mark.parametrize(("file", "name"), list(MEANS))
def test_means_are_those_of_the_file(shared, file, name):
    _, tables = whole(shared / "phenotypes" / file)
    values = np.concatenate([raw.table[name].to_numpy() for raw in tables])
    assert np.nanmean(values.astype(float)) == pytest.approx(MEANS[file, name], abs=5e-5)


def test_one_table_in_two_languages_is_one_dictionary(shared):
    """The Tongji table with English and with Chinese headers: everything but the names is equal."""
    english, chinese = (
        whole(shared / "phenotypes" / f"tongji_covid_375_{language}.csv.gz")[0] for language in ("en", "zh")
    )
    for one, other in zip(english.dictionary, chinese.dictionary, strict=True):
        assert (one.type, one.role, one.unit, one.categories, one.sensitivity) == (
            other.type,
            other.role,
            other.unit,
            other.categories,
            other.sensitivity,
        )
    roles = {v.role for v in chinese.dictionary if v.role}
    assert roles == {"participant", "date", "age", "sex"}
    assert chinese.dictionary.by_name["年龄"].label_zh == "年龄"


def test_a_file_without_header_is_told_plainly(shared):
    found, _ = whole(shared / "phenotypes" / "saheart_keel.dat.gz")
    assert found.notes[0].text.startswith("No header: line 1 holds values where names are expected.")
    assert [v.name for v in found.dictionary] == [f"column_{i}" for i in range(1, 11)]
    assert not any(v.role for v in found.dictionary)


def test_people_that_repeat_in_nhanes_are_told(shared):
    found, _ = whole(shared / "phenotypes" / "nhanes_2009_2012.csv.gz")
    assert "6779 identifiers in 10000 rows" in found.notes[-1].text


def test_a_platelet_count_below_zero_is_a_missing_code(shared):
    found, tables = whole(shared / "phenotypes" / "tongji_covid_375_en.csv.gz")
    name = "Platelet count"
    assert found.dictionary.by_name[name].missing_codes == {"-1"}
    assert min(v for raw in tables for v in raw.table[name].to_pylist() if v is not None) >= 0


def test_comment_lines_of_cbioportal_are_labels_and_types(shared):
    folder = shared / "expression" / "tcga_brca_cbioportal"
    found, tables = whole(folder / "data_clinical_patients.txt.gz")
    known = found.dictionary.by_name
    assert (known["OS_MONTHS"].type, known["OS_MONTHS"].unit) == ("decimal", "mo")
    assert known["OS_MONTHS"].label == "Overall Survival (Months)"
    assert known["OS_MONTHS"].question == "Overall survival in months since diagnosis"
    assert known["DFS_MONTHS"].missing_codes == {"[Not Available]"}
    assert known["PATIENT_ID"].role == "participant"
    assert sum(raw.table.num_rows for raw in tables) == 841
    assert not [p for raw in tables for p in raw.problems]
    found, tables = whole(folder / "data_clinical_samples.txt.gz")
    assert sum(raw.table.num_rows for raw in tables) == 845
    assert found.dictionary.by_name["SUBTYPE"].type == "category"


@pytest.mark.parametrize(
    ("file", "told"),
    [
        (
            "nhanes_2009_2012.csv.gz",
            r"3,221 rows in all, of which 2,012 repeat every column, .* differ in PhysActiveDays alone",
        ),
        ("tongji_covid_375_en.csv.gz", r"--visit COLUMN \(all of them differ in RE_DATE\)"),
    ],
)
def test_what_the_rows_of_one_person_are_is_told(shared, tmp_path, file, told):
    root = create_root(tmp_path / "root", assembly=load_assembly("GRCh38"))
    path = shared / "phenotypes" / file
    request = CohortRequest((path,), Cohort("real"), whole(path)[0].dictionary)
    with pytest.raises(FormatError, match=told):
        import_cohort(root, request)
    if "tongji" in file:
        report = import_cohort(root, replace(request, visit="RE_DATE"))
        assert (report.rows, report.people) == (6120, 375)
    else:
        assert import_cohort(root, replace(request, duplicates="first")).rows == 6779
