"""`nexome cohort harmonise` and `lineage` as a user types them."""

import orjson
import pytest

from nexome.store.cohorts import CohortStore
from tests.ingest.mapping.making import BOTH, root_with


@pytest.fixture
def root(tmp_path):
    return root_with(tmp_path).path


@pytest.fixture
def mapping(tmp_path):
    path = tmp_path / "both.yaml"
    path.write_text(BOTH, encoding="utf-8")
    return path


def test_a_report_then_the_version(nexome, root, mapping):
    told = nexome("cohort", "harmonise", mapping, "--root", root, "--dry-run").output
    assert "town: town, version 1: 5 rows read, 5 kept" in told
    assert "3 combined into a row of the same participant" in told
    assert "mg/dL → mmol/L: × 0.0258622" in told
    assert "1 above 20 mmol/L" in told
    assert "Nothing is kept: this was a dry run." in told
    assert "both" not in nexome("cohort", "list", "--root", root).output
    told = nexome("cohort", "harmonise", mapping, "--root", root).output
    assert "both, version 1: 7 rows of 7 people." in told
    assert "1 rows are of persons an earlier source has; persons: join." in told
    told = nexome("cohort", "harmonise", mapping, "--root", root).output
    assert "Nothing changed: both, version 1" in told
    assert CohortStore.open(root).get("both").version == 1


def test_lineage_of_one_variable_and_of_all(nexome, root, mapping):
    nexome("cohort", "harmonise", mapping, "--root", root)
    told = nexome("cohort", "lineage", "both", "ldl", "--root", root).output
    assert "LDLC; mg/dL → mmol/L" in told
    assert "smoking" not in told
    found = orjson.loads(nexome("cohort", "lineage", "both", "--root", root, "--json").stdout)
    assert found["smoking"]["sources"][0]["refused"] == {"a code without an answer": 1}
    assert "was imported, not harmonised" in nexome("cohort", "lineage", "town", "--root", root).output
    assert (
        "no variable 'nothing'"
        in nexome("cohort", "lineage", "both", "nothing", "--root", root, code=1).output
    )


def test_a_mistake_is_told_by_file_and_line(nexome, root, mapping):
    mapping.write_text(BOTH.replace("LDLC", "LDL_C"), encoding="utf-8")
    told = nexome("cohort", "harmonise", mapping, "--root", root, code=1).output
    assert "both.yaml, line 20, sources.town.variables.ldl" in told
    assert "Did you mean LDLC?" in told
