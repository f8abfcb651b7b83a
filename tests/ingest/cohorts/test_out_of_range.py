"""A column most of whose values lie outside their range is told before it is lost."""

import re
from dataclasses import replace

import numpy as np
import pytest

from nexome.cli.demo_cohorts import LAKESIDE, LAKESIDE_PEOPLE, write_cohorts
from nexome.formats.cohorts import open_cohort
from nexome.ingest.cohorts.infer import infer_dictionary
from nexome.ingest.cohorts.requests import CohortRequest
from nexome.ingest.cohorts.run import import_cohort
from nexome.model.cohorts import Cohort, Dictionary, Variable
from nexome.model.errors import FormatError
from nexome.store.cohorts import CohortStore
from nexome.store.root import create_root, load_assembly

URATE = "Uric acid (umol/L)"
PERSON = Variable("id", "text", role="participant")


@pytest.fixture(scope="module")
def lakeside(tmp_path_factory):
    """The demo's cohort whose uric acid says umol/L and holds mg/dL: its file, and what is inferred of it."""
    folder = tmp_path_factory.mktemp("lakeside")
    write_cohorts(folder)
    path = folder / f"{LAKESIDE}.csv"
    with open_cohort(path) as reader:
        return path, infer_dictionary(reader)


@pytest.fixture
def root(tmp_path):
    return create_root(tmp_path / "root", assembly=load_assembly("GRCh38"))


def with_range(dictionary, name, minimum, maximum):
    return Dictionary(
        tuple(replace(v, minimum=minimum, maximum=maximum) if v.name == name else v for v in dictionary)
    )


def test_inference_doubts_the_unit_and_names_the_one_that_fits(lakeside, root):
    path, inferred = lakeside
    variable = inferred.dictionary.by_name[URATE]
    assert (variable.unit, variable.minimum, variable.maximum) == ("umol/L", None, None)
    (told,) = (g for g in inferred.of(URATE) if g.what == "range")
    assert "they fit the unit mg/dL, not umol/L" in told.why
    assert "符合 mg/dL" in told.why_zh
    assert [n.text for n in inferred.notes] == [f"Column {URATE}: {told.why}."]
    import_cohort(root, CohortRequest((path,), Cohort(LAKESIDE), inferred.dictionary))
    values = CohortStore(root).get(LAKESIDE).column(URATE).values
    assert np.isfinite(values).sum() > 0.9 * LAKESIDE_PEOPLE


def test_an_import_that_would_lose_the_column_stops(lakeside, root):
    path, inferred = lakeside
    dictionary = with_range(inferred.dictionary, URATE, 80, 1800)
    request = CohortRequest((path,), Cohort(LAKESIDE), dictionary)
    with pytest.raises(FormatError) as raised:
        import_cohort(root, request)
    told = str(raised.value)
    count = re.search(r"([\d,]+) of ([\d,]+) values lie outside", told)
    assert count is not None
    assert count[1] == count[2]
    assert f"{LAKESIDE}.csv, column {URATE}" in told
    assert "they fit the unit mg/dL, not umol/L" in told
    assert "80 to 1800 umol/L" in told
    assert "--bad-values missing" in told
    assert not CohortStore(root).cohorts()
    report = import_cohort(root, replace(request, bad_values="missing"))
    (rule,) = (r for r in report.rules if r["rule"] == "out_of_range")
    assert f"{rule['count']:,}" == count[1]


@pytest.mark.parametrize(
    ("values", "stops"), [([5, 5, 500, 500], False), ([5, 500, 500], True), ([500, None], True)]
)
def test_more_than_half_is_the_measure(root, tmp_path, values, stops):
    path = tmp_path / "c.csv"
    cells = ("" if v is None else str(v) for v in values)
    path.write_text("id,chol\n" + "".join(f"{i},{cell}\n" for i, cell in enumerate(cells)))
    chol = Variable("chol", "decimal", unit="mmol/L", minimum=1, maximum=20)
    request = CohortRequest((path,), Cohort("town"), Dictionary((PERSON, chol)))
    if stops:
        with pytest.raises(FormatError, match="the unit or the range is wrong"):
            import_cohort(root, request)
    else:
        assert import_cohort(root, request).rows == len(values)


def test_a_range_in_another_unit_than_the_column_is_told(root, tmp_path):
    path = tmp_path / "c.csv"
    rng = np.random.default_rng(5)
    path.write_text("id,chol\n" + "".join(f"{i},{v:.2f}\n" for i, v in enumerate(rng.normal(5.2, 1, 200))))
    chol = Variable("chol", "decimal", "Total cholesterol", unit="mmol/L", minimum=40, maximum=800)
    with pytest.raises(FormatError, match=r"200 of 200 values .* fit the unit mmol/L: the range is wrong"):
        import_cohort(root, CohortRequest((path,), Cohort("town"), Dictionary((PERSON, chol))))


def test_every_column_that_would_be_lost_is_counted(root, tmp_path):
    names = [f"c{n}" for n in range(9)]
    path = tmp_path / "c.csv"
    path.write_text(f"id,{','.join(names)}\nA,{','.join(['7'] * 9)}\n")
    dictionary = Dictionary((PERSON, *(Variable(n, "decimal", maximum=1) for n in names)))
    with pytest.raises(FormatError, match=r"column c0: .*c5: 1 of 1 .*and 3 columns more; expected any to 1"):
        import_cohort(root, CohortRequest((path,), Cohort("town"), dictionary))
