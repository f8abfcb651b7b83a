"""`nexome search`: from names held out to an encoder, an index, answers, their measure."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from nexome.main import main
from nexome.testing.small_centre import make_small_centre
from nexome.testing.small_search import make_small_search


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    made = make_small_centre(tmp_path_factory.mktemp("search") / "root", variants=300)
    make_small_search(made.path)
    return made.path


PARTS = (
    "eye",
    "foot",
    "hand",
    "lip",
    "neck",
    "ear",
    "nose",
    "tongue",
    "knee",
    "hip",
    "wrist",
    "elbow",
    "chin",
)


def run(*words):
    result = CliRunner().invoke(main, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_find_says_why(root):
    lines = run("search", "find", "heart attack", "--kind", "term", "--root", root).splitlines()
    first = dict(zip(lines[0].split("\t"), lines[1].split("\t"), strict=True))
    assert (first["id"], first["why"]) == ("NXDEMO:8", "synonym")


def test_a_list_is_normalised_to_tsv(root, tmp_path):
    texts = tmp_path / "texts.txt"
    texts.write_text("贫血\n?!\n", "utf-8")
    lines = run("search", "normalise", texts, "--vocabulary", "NXDEMO", "--root", root).splitlines()
    head = lines[0].split("\t")
    sure, unsure = (dict(zip(head, line.split("\t"), strict=True)) for line in lines[1:])
    assert (sure["id"], sure["abstained"]) == ("NXDEMO:9", "0")
    assert (unsure["id"], unsure["abstained"]) == ("", "1")


def test_the_concepts_of_a_note_are_written_as_tsv(root, tmp_path):
    note = tmp_path / "note.txt"
    note.write_text("Adult-onset diabetes.\n母亲心肌梗死，本人无贫血。\n", "utf-8")
    lines = run("search", "annotate", note, "--vocabulary", "NXDEMO", "--root", root).splitlines()
    rows = [dict(zip(lines[0].split("\t"), line.split("\t"), strict=True)) for line in lines[1:]]
    assert [(row["text"], row["id"], row["negated"], row["family"]) for row in rows] == [
        ("Adult-onset diabetes", "NXDEMO:7", "0", "0"),
        ("心肌梗死", "NXDEMO:8", "0", "1"),
        ("贫血", "NXDEMO:9", "1", "0"),
    ]
    whole = note.read_text("utf-8")
    assert all(whole[int(r["from_character"]) : int(r["to_character"])] == r["text"] for r in rows)


def test_a_set_is_measured_and_two_settings_are_compared(root, tmp_path):
    questions = tmp_path / "set.tsv"
    questions.write_text("heart attack\tNXDEMO:8\nstature\tNXDEMO:2|NXDEMO:1\n贫血\tNXDEMO:4\n", "utf-8")
    printed = run("search", "evaluate", questions, "--against", "named=0", "--root", root).splitlines()
    line = dict(zip(printed[0].split("\t"), printed[1].split("\t"), strict=True))
    assert (line["questions"], line["top_1"]) == ("3", "66.7")
    assert printed[-2].startswith("gain at top 1: +0.0")


@pytest.mark.parametrize("text", ["only a text\n", "", "text\t \n"])
def test_a_set_without_answers_is_refused(root, tmp_path, text):
    questions = tmp_path / "set.tsv"
    questions.write_text(text, "utf-8")
    result = CliRunner().invoke(main, ["search", "evaluate", str(questions), "--root", str(root)])
    assert result.exit_code != 0


def test_from_a_vocabulary_to_an_index(tmp_path):
    obo = Path(tmp_path / "made.obo")
    terms = [
        f'[Term]\nid: HP:{n:07d}\nname: swelling of the {part}\nsynonym: "{part} oedema" EXACT []\n'
        for n, part in enumerate(PARTS, 1)
    ]
    obo.write_text("format-version: 1.2\nontology: hp\n\n" + "\n".join(terms), "utf-8")
    root, held = tmp_path / "root", tmp_path / "held"
    run("init", root)
    run("knowledge", "load", obo, "--root", root)
    run("search", "heldout", held, "--share", "0.2", "--root", root)
    unseen = (held / "exclude.txt").read_text().splitlines()
    assert unseen
    small = ("--dimensions", 32, "--features", 1000, "--hashed", 50, "--epochs", 3)
    run("search", "train", "--root", root, "--exclude", held / "exclude.txt", *small)
    run("search", "index", "--root", root, "--exclude", held / "exclude.txt")
    printed = run("search", "evaluate", held / "exact.tsv", "--root", root).splitlines()
    assert int(printed[1].split("\t")[1]) == len(unseen)
    assert "things can be found by meaning" in run("rebuild", root)
    found = run("search", "find", unseen[0], "--root", root).splitlines()[1].split("\t")
    assert (found[4], found[5]) == (unseen[0], "synonym")  # rebuilt from everything


def test_the_index_follows_a_command_that_publishes(tmp_path):
    made = make_small_centre(tmp_path / "root", variants=300)
    make_small_search(made.path)
    codes = tmp_path / "codes.tsv"
    codes.write_text("id\tlabel\nNXDEMO:77\tquokka sign\n", "utf-8")
    assert "not behind" not in run("search", "index", "--if-behind", "--root", made.path)
    assert "not behind" in run("search", "index", "--if-behind", "--root", made.path)
    result = CliRunner().invoke(main, ["knowledge", "load", str(codes), "--root", str(made.path)])
    assert "Search index built again" in result.stderr
    first = run("search", "find", "quokka sign", "--root", made.path).splitlines()[1].split("\t")
    assert first[:2] == ["term", "NXDEMO:77"]
    run("knowledge", "withdraw", "codes", "--reason", "a test", "--yes", "--root", made.path)
    assert "NXDEMO:77" not in run("search", "find", "quokka sign", "--root", made.path)


def test_a_root_may_choose_to_build_its_index_itself(tmp_path, monkeypatch):
    made = make_small_centre(tmp_path / "root", variants=300)
    make_small_search(made.path)
    codes = tmp_path / "codes.tsv"
    codes.write_text("id\tlabel\nNXDEMO:77\tquokka sign\n", "utf-8")
    monkeypatch.setenv("NEXOME_FOLLOW_SEARCH", "false")
    result = CliRunner().invoke(main, ["knowledge", "load", str(codes), "--root", str(made.path)])
    assert (result.exit_code, result.stderr) == (0, "")
    assert "NXDEMO:77" not in run("search", "find", "quokka sign", "--root", made.path)


@pytest.mark.parametrize(("part", "said"), [("sureness=1", "no part 'sureness'"), ("mean=much", "no PART=X")])
def test_a_weight_that_is_none_is_refused(root, tmp_path, part, said):
    (tmp_path / "questions.tsv").write_text("gout\tHP:0001997\n")
    asked = ["search", "evaluate", str(tmp_path / "questions.tsv"), "--weight", part, "--root", str(root)]
    result = CliRunner().invoke(main, asked)
    assert result.exit_code == 2
    assert said in result.output
