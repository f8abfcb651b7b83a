"""init, status, verify, compact, rebuild, backup, restore, export, withdraw, import genes."""

import json
from pathlib import Path

import nexome as package
from nexome.testing.small_centre import SmallCentre


def test_init_makes_a_root_and_says_how_to_go_on(nexome, tmp_path: Path):
    result = nexome("init", tmp_path / "r")
    assert "GRCh38" in result.stdout
    assert f"nexome serve {tmp_path / 'r'}" in result.stdout
    with package.open(tmp_path / "r") as view:
        assert view.studies().num_rows == 0
    again = nexome("init", tmp_path / "r", code=1)
    assert again.stderr.startswith("nexome: ")
    assert len(again.stderr.splitlines()) == 1


def test_init_takes_any_species(nexome, tmp_path: Path):
    lengths = tmp_path / "rice.fai"
    lengths.write_text("Chr1\t43270923\nChr2\t35937250\n")
    words = ("--assembly", lengths, "--species", "Oryza sativa", "--name", "IRGSP-1.0")
    nexome("init", tmp_path / "r", *words)
    with package.open(tmp_path / "r") as view:
        assert (view.assembly.name, view.assembly.species) == ("IRGSP-1.0", "Oryza sativa")


def test_init_names_what_it_knows(nexome, tmp_path: Path):
    assert "GRCh37" in nexome("init", tmp_path / "r", "--assembly", "hg99", code=1).stderr
    assert "no such file" in nexome("init", tmp_path / "r", "--assembly", "no/where.fa", code=1).stderr
    assert not (tmp_path / "r").exists()


def test_status_counts(small: SmallCentre, nexome):
    facts = json.loads(nexome("status", small.path, "--json").stdout)
    assert facts["studies"] == len(small.studies)
    assert facts["writer"] is None
    assert facts["catalogue"]["revision"] == facts["catalogue"]["current_revision"]
    text = nexome("status", small.path).stdout
    assert f"{facts['cells']:,}" in text


def test_the_root_comes_from_the_environment_too(small: SmallCentre, nexome, monkeypatch):
    monkeypatch.setenv("NEXOME_ROOT", str(small.path))
    assert str(small.path) in nexome("status").stdout
    assert "SC0001" in nexome("query", "studies").stdout


def test_verify_names_a_flipped_bit(own: SmallCentre, nexome):
    assert "All is as it was written" in nexome("verify", own.path).stdout
    shard = max((own.path / "associations" / "segments").rglob("c/*/*"), key=lambda p: p.stat().st_size)
    content = bytearray(shard.read_bytes())
    content[len(content) // 3] ^= 1
    shard.write_bytes(content)
    result = nexome("verify", own.path, code=1)
    assert shard.relative_to(own.path / "associations" / "segments").parts[0] in result.stdout
    assert "1 finding in " in result.stderr


def test_verify_compares_with_the_source(own: SmallCentre, nexome, tmp_path: Path):
    head = "chromosome\tbase_pair_location\teffect_allele\tother_allele\tbeta\tstandard_error\n"
    rows = [f"2\t{1000 + i}\tA\tG\t{i / 10}\t0.5\n" for i in range(20)]
    source, other = tmp_path / "h.tsv", tmp_path / "other.tsv"
    source.write_text(head + "".join(rows))
    words = ("--root", own.path, "--study", "H", "--assembly", "GRCh38", source)
    nexome("import", "associations", *words)
    whole = nexome("verify", own.path, "--study", "H", "--source", source).stdout
    assert "20 associations are stored as in" in whole
    rows[4] = rows[4].replace("0.4", "0.9")
    other.write_text(head + "".join(rows))
    sequence = package.open(own.path).sequence
    changed = nexome("verify", "--root", own.path, "--study", "H", "--source", other, code=1)
    assert f"{other} is not the file that was imported" in changed.stdout
    assert "first line 6: 2:1004 G/A (1.8, stored 0.799" in changed.stdout
    assert "1 finding in" in changed.stderr
    assert package.open(own.path).sequence == sequence
    assert not list((own.path / "importing").iterdir())
    assert "--study" in nexome("verify", own.path, "--source", source, code=2).stderr
    todo = nexome("verify", own.path, "--study", "SC0001", "--source", source, code=1).stderr
    assert "receipt does not tell" in todo


def test_every_command_takes_its_root_by_name(own: SmallCentre, nexome, tmp_path: Path):
    assert nexome("status", "--root", own.path).stdout == nexome("status", own.path).stdout
    assert "Two roots are named" in nexome("status", own.path, "--root", tmp_path, code=2).stderr
    nexome("status", own.path, "--root", own.path)
    for command in ("verify", "compact", "rebuild"):
        nexome(command, "--root", own.path)
    nexome("backup", "--root", own.path, tmp_path / "copy")
    assert "were there already" in nexome("backup", own.path, tmp_path / "copy").stdout
    nexome("restore", tmp_path / "copy", "--root", tmp_path / "again")
    nexome("restore", tmp_path / "copy", tmp_path / "once-more")
    assert "Give two folders" in nexome("backup", tmp_path / "copy", code=2).stderr
    nexome("init", "--root", tmp_path / "new")
    nexome("status", tmp_path / "new")
    assert "Name a folder" in nexome("init", code=2).stderr


def test_backup_and_restore_give_the_same_root(own: SmallCentre, nexome, tmp_path: Path):
    nexome("token", "create", "--root", own.path, "--name", "li")
    backup, again = tmp_path / "backup", tmp_path / "again"
    nexome("backup", own.path, backup)
    second = nexome("backup", own.path, backup).stdout
    assert "were there already" in second
    nexome("restore", backup, again)
    assert "All is as it was written" in nexome("verify", again).stdout
    with package.open(own.path) as here, package.open(again) as there:
        # as text: NaN is not equal to itself
        assert str(here.phewas(own.rsid).to_pylist()) == str(there.phewas(own.rsid).to_pylist())
        assert here.studies().equals(there.studies())
    assert "li" in nexome("token", "list", "--root", again).stdout
    assert "something is there already" in nexome("restore", backup, again, code=1).stderr


def test_rebuild_makes_the_search_anew_and_keeps_tokens(own: SmallCentre, nexome):
    nexome("token", "create", "--root", own.path, "--name", "li")
    before = nexome("query", "search", "血糖", "--root", own.path).stdout
    assert f"{len(own.studies)} studies indexed" in nexome("rebuild", own.path).stdout
    assert nexome("query", "search", "血糖", "--root", own.path).stdout == before
    assert "li" in nexome("token", "list", "--root", own.path).stdout


def test_export_writes_what_others_read(small: SmallCentre, nexome, tmp_path: Path):
    target = tmp_path / "SC0001.tsv.gz"
    assert str(target) in nexome("export", "SC0001", "-o", target, "--root", small.path).stdout
    assert target.read_bytes()[:2] == b"\x1f\x8b"
    parquet = tmp_path / "SC0001.parquet"
    nexome("export", "SC0001", "-o", parquet, "--root", small.path)
    assert parquet.read_bytes()[:4] == b"PAR1"
    assert "NOWHERE" in nexome("export", "NOWHERE", "-o", target, "--root", small.path, code=1).stderr


def test_withdraw_asks_and_then_nobody_finds_it(own: SmallCentre, nexome):
    words = ("withdraw", "SC0001", "--reason", "a test", "--root", own.path)
    nexome(*words, text="n\n", code=1)
    assert "SC0001" in nexome("query", "studies", "--root", own.path).stdout
    nexome(*words, "--yes")
    assert "SC0001" not in nexome("query", "studies", "--root", own.path).stdout
    assert "SC0001" not in nexome("query", "search", "SC0001", "--root", own.path).stdout
    assert "no study" in nexome("query", "top", "SC0001", "--root", own.path, code=1).stderr


def test_access_is_switched_without_importing_anew(own: SmallCentre, nexome):
    before = nexome("query", "studies", "--anonymous", "--root", own.path).stdout
    assert "SC0001" in before
    assert "SC0001 is private now." in nexome("access", "SC0001", "private", "--root", own.path).stdout
    assert "SC0001 is private already." in nexome("access", "SC0001", "private", "--root", own.path).stdout
    assert "SC0001" not in nexome("query", "studies", "--anonymous", "--root", own.path).stdout
    assert "SC0001" in nexome("query", "studies", "--root", own.path).stdout
    nexome("access", "SC0001", "open", "--root", own.path)
    assert nexome("query", "studies", "--anonymous", "--root", own.path).stdout == before
    assert "no study" in nexome("access", "NOWHERE", "open", "--root", own.path, code=1).stderr
    nexome("access", "SC0001", "everyone", "--root", own.path, code=2)


def test_compact_says_what_it_did(own: SmallCentre, nexome):
    assert "segments" in nexome("compact", own.path).stdout or "Nothing" in nexome("compact", own.path).stdout


def test_genes_are_imported_and_counted(own: SmallCentre, nexome, tmp_path: Path):
    bed = tmp_path / "genes.bed"
    bed.write_text("chr2\t99\t5000\tABC1\t0\t+\nchr7_alt\t1\t9\tLOST\t0\t-\n")
    result = nexome("import", "genes", "--root", own.path, bed)
    assert "1 genes kept, version 2" in result.stdout
    assert "1 left out" in result.stdout
    with package.open(own.path) as view:
        gene = view.gene("abc1").gene
    assert (gene.chromosome, gene.start, gene.end) == ("2", 100, 5000)
