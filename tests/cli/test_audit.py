"""Projects, grants on cohorts and the audit log, as a user types them."""

import re

import pytest

from nexome.access.centre import Centre
from nexome.model.errors import NotFoundError, RefusedError
from nexome.store.audit import AuditLog

HEAD = "id,sex,chol\n"
DICTIONARY = (
    "name,type,label,unit,categories,missing,minimum,maximum,role,confirmed\n"
    "id,text,,,,,,,participant,yes\n"
    "sex,category,Sex,,1=male|2=female,,,,sex,yes\n"
    "chol,decimal,Cholesterol,mmol/L,,-9=refused,1,20,,yes\n"
)


@pytest.fixture
def town(tmp_path, monkeypatch, nexome):
    monkeypatch.chdir(tmp_path)
    rows = (f"P-{n},{1 + n % 2},{3 + n % 7 / 2}\n" for n in range(50))
    (tmp_path / "town.csv").write_text(HEAD + "".join(rows))
    (tmp_path / "town.dictionary.csv").write_text(DICTIONARY)
    nexome("init", "root")
    monkeypatch.setenv("NEXOME_ROOT", "root")
    nexome("import", "cohort", "town.csv", "--cohort", "town", "--dictionary", "town.dictionary.csv")
    return tmp_path / "root"


@pytest.fixture
def ask(town, nexome):
    token = nexome("token", "create", "--name", "Lab of Li").stdout.strip()

    def count(where="", **asked):
        with Centre.open(town) as centre:
            return centre.view_for(token).count("town", where, **asked).release.cells[0].count

    return count


def test_a_grant_in_a_project_opens_free_questions_and_ends_with_it(town, nexome, ask):
    with pytest.raises(NotFoundError):
        ask("sex = 1", project="LIPIDS")
    asked = ("--cohort", "town", "--project", "LIPIDS", "--to", "Lab of Li")
    told = nexome("grant", *asked, "--purpose", "DUO:0000006").output
    assert "may ask about cohort town in project LIPIDS" in told
    assert ask("sex = 1", project="LIPIDS") == 25
    listed = nexome("project", "list").output
    assert "1 of 1024" in listed
    assert "Lab of Li (town)" in listed
    assert "cohort town in project LIPIDS" in nexome("grant", "--list").output
    nexome("project", "close", "LIPIDS")
    with pytest.raises(RefusedError, match="closed"):
        ask("sex = 1", project="LIPIDS")
    nexome("grant", *asked, "--remove")
    with pytest.raises(NotFoundError):
        ask("sex = 1", project="LIPIDS")


def test_a_project_of_others_is_told_as_one_that_is_not_there(nexome, ask):
    nexome("grant", "--cohort", "town", "--project", "LIPIDS", "--to", "Lab of somebody else")
    nexome("grant", "--cohort", "town", "--to", "Lab of Li")
    told = []
    for name in ("LIPIDS", "NOWHERE"):
        with pytest.raises(RefusedError) as refused:
            ask(project=name)
        told.append(str(refused.value).replace(name, "PROJECT"))
    assert told[0] == told[1]


def test_the_log_is_shown_proved_and_compared_with_an_exported_head(town, nexome, ask):
    nexome("grant", "--cohort", "town", "--project", "P", "--to", "Lab of Li")
    ask("sex = 1", project="P")
    with pytest.raises(RefusedError):
        ask("sex = 1 and chol < 3.2", project="P")
    shown = nexome("audit", "show", "--project", "P").output
    assert "Lab of Li" in shown
    assert "refused: " in shown
    assert re.match(r"2 [0-9a-f]{64} ", nexome("audit", "head", "--write", "head.json").output)
    assert (
        "2 lines; the chain holds, and holds the exported head"
        in nexome("audit", "verify", "--head", "head.json").output
    )
    path = AuditLog.open(town).path
    path.write_bytes(path.read_bytes().splitlines(keepends=True)[0])
    assert "truncated" in nexome("audit", "verify", "--head", "head.json", code=1).output
    path.write_bytes(path.read_bytes().replace(b"Lab of Li", b"Lab of Wu"))
    assert "edited" in nexome("audit", "verify", code=1).output


@pytest.mark.parametrize(
    "words",
    [
        ("--cohort", "town", "--to", "everyone", "--project", "P"),
        ("--project", "P", "--to", "li"),
        ("--cohort", "town", "--to", "li", "--purpose", "DUO:0000006"),
    ],
)
def test_a_project_is_for_named_people_on_a_cohort(town, nexome, words):
    nexome("grant", *words, code=2)


def test_a_purpose_is_a_code(town, nexome):
    words = ("grant", "--cohort", "town", "--project", "P", "--to", "li", "--purpose", "health")
    assert "a code, as DUO:0000006" in nexome(*words, code=1).stderr
