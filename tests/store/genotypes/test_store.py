"""The genotype store: written, read, packed, rebuilt, verified, exported, backed up, withdrawn."""

import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st

from nexome.model.errors import DamagedError, InputError, NotFoundError
from nexome.model.genome import Interval, allele_key, hash_text, loci_of, locus_of
from nexome.store.associations import FeatureKey
from nexome.store.backup import backup_root, restore_root
from nexome.store.checksums import SUMS_NAME
from nexome.store.genotypes import GenotypeBlock, GenotypeStore, people_table
from nexome.store.genotypes.export import export_set
from nexome.store.genotypes.verify import verify_genotypes
from nexome.store.root import create_root, load_assembly
from tests.formats.genotypes.making import plain_read, read_all, run

LONG = "A" * 20 + "/" + "A" * 20 + "CG"


@pytest.fixture
def store(tmp_path):
    return GenotypeStore(create_root(tmp_path / "root", assembly=load_assembly("GRCh38")))


def random_block(seed, *, variants=60, people=70, phased=True):
    """Variants in no order, several alleles at a position, a long one, gaps, half and haploid calls."""
    random = np.random.default_rng(seed)
    position = random.integers(1, 40, variants) * 100
    keys = np.array([*(allele_key("A", b) for b in ("C", "G", "AT")), hash_text(LONG)], np.uint64)
    allele = random.choice(keys, variants)
    calls = (random.random((variants, people, 2)) < random.random((variants, 1, 1))).astype(np.int8)
    calls[random.random(calls.shape) < 0.03] = -1
    calls[random.random(calls.shape[:2]) < 0.05, 1] = -2
    phase = np.ones(calls.shape[:2], bool) if phased else random.random(calls.shape[:2]) < 0.5
    return GenotypeBlock(
        locus=loci_of(random.integers(0, 3, variants), position),
        allele=allele,
        calls=calls,
        phased=phase,
        dosages=random.random(calls.shape[:2]).astype(np.float32) if seed % 2 else None,
        rsid=random.integers(0, 9, variants).astype(np.uint32),
        spelled={hash_text(LONG): LONG},
    )


def publish(store, block, name="panel", *, parts=3, **facts):
    people = block.calls.shape[1]
    table = people_table(
        {
            "sample_id": [f"p{i}" for i in range(people)],
            "population": ["one" if i % 3 else "two" for i in range(people)],
            "superpopulation": ["all" if i % 7 else "" for i in range(people)],
        }
    )
    staged = store.stage(name, table, **facts)
    for rows in np.array_split(np.arange(len(block)), parts):
        staged.add(take(block, rows))
    return staged.publish({"kind": "test"})


def take(block, rows):
    return GenotypeBlock(
        block.locus[rows],
        block.allele[rows],
        block.calls[rows],
        block.phased[rows],
        None if block.dosages is None else block.dosages[rows],
        block.rsid[rows],
        None,
        block.spelled,
    )


def plain(block):
    """What a set of this block should hold: {(locus, allele): row of the block}, the first of each."""
    found = {}
    for row, key in enumerate(zip(block.locus.tolist(), block.allele.tolist(), strict=True)):
        found.setdefault(key, row)
    return dict(sorted(found.items()))


def plain_counts(calls):
    first, second = calls[..., 0], np.where(calls[..., 1] == -2, calls[..., 0], calls[..., 1])
    return np.where((first < 0) | (second < 0), -1, first + second)


def check(found, block):
    rows = list(plain(block).values())
    assert found.size == len(rows)
    assert list(zip(found.packed.locus.tolist(), found.packed.allele.tolist(), strict=True)) == list(
        plain(block)
    )
    calls, phased = found.calls(slice(None))
    np.testing.assert_array_equal(calls, block.calls[rows])
    np.testing.assert_array_equal(phased, block.phased[rows])
    counts = plain_counts(block.calls[rows])
    np.testing.assert_array_equal(found.alternate_counts(slice(None)), counts)
    some = np.array([len(rows) - 1, 0])
    people = np.flatnonzero(np.arange(counts.shape[1]) % 3 != 0)
    np.testing.assert_array_equal(found.alternate_counts(some, "one"), counts[some][:, people])
    known = block.calls[rows][:, people]
    use = (known[..., 0] >= 0) & (known[..., 1] != -1)
    number = (use * np.where(known[..., 1] == -2, 1, 2)).sum(axis=1)
    count = (use * (known[..., 0] + np.maximum(known[..., 1], 0))).sum(axis=1)
    with np.errstate(invalid="ignore"):
        np.testing.assert_allclose(found.frequencies(slice(None), "one"), (count / number), rtol=1e-6)
    hard = np.where(counts < 0, np.nan, counts)
    told = hard if block.dosages is None else block.dosages[rows]
    np.testing.assert_allclose(found.dosages(slice(None)), told, rtol=1e-6)


@given(seed=st.integers(0, 10_000), people=st.sampled_from([3, 64, 65, 130]))
@settings(max_examples=8)
def test_what_is_written_is_read(tmp_path_factory, seed, people):
    store = GenotypeStore(
        create_root(tmp_path_factory.mktemp("r") / "root", assembly=load_assembly("GRCh38"))
    )
    block = random_block(seed, people=people)
    found = publish(store, block)
    check(found, block)
    rows = list(plain(block).values())
    both = np.where((plain_counts(block.calls[rows]) < 0)[..., None], -1, block.calls[rows])
    both[..., 1] = np.where(both[..., 1] == -2, both[..., 0], both[..., 1])
    np.testing.assert_array_equal(found.haplotypes(slice(None)), both.reshape(len(rows), -1))
    bits = found.genotype_bits(slice(0, 5))
    mask = found.population_bits("two") if people > 0 else None
    assert int(np.bitwise_count(mask).sum()) == found.populations["two"]
    assert bits.shape == (min(5, found.size), 2, -(-people // 64))


def test_the_packed_form_is_made_again(store):
    block = random_block(3)
    first = publish(store, block)
    kept = {
        p.relative_to(first.packed.path): p.read_bytes() for p in first.packed.path.rglob("*") if p.is_file()
    }
    shutil.rmtree(store.folder / "packed")
    again = GenotypeStore(store.root).get("panel")
    check(again, block)
    assert kept == {
        p.relative_to(again.packed.path): p.read_bytes() for p in again.packed.path.rglob("*") if p.is_file()
    }
    (again.packed.path / "genotypes" / "c" / "0" / "0" / "0").write_bytes(b"cut")
    check(GenotypeStore(store.root).get("panel"), block)


def test_keys_are_found_in_either_order(store):
    found = publish(store, random_block(5))
    features = found.features(slice(None))
    keys = [features.key(row) for row in range(found.size)]
    assert found.find(keys).tolist() == list(range(found.size))
    assert found.find([FeatureKey(locus_of(20, 5), allele_key("A", "C"))]).tolist() == [-1]
    turned, spelled = [], {}
    for row, key in enumerate(keys):
        alt, ref = features.text(row).split("/")
        turned.append(FeatureKey(key.locus, allele_key(ref, alt)))
        spelled[turned[-1].allele] = f"{ref}/{alt}"
    rows, swapped = found.find_either(turned, spelled=spelled)
    assert rows.tolist() == list(range(found.size))
    assert swapped.all()
    first = found.rows_in(Interval(1, 500, 1500))
    inside = [r for r, k in enumerate(keys) if k.locus >> 32 == 1 and 500 <= k.locus & 0xFFFFFFFF <= 1500]
    assert list(range(found.size))[first] == inside


def test_a_set_that_is_not_phased_has_no_haplotypes(store):
    found = publish(store, random_block(2, phased=False))
    assert not found.phased
    with pytest.raises(InputError, match="not every heterozygous call is phased"):
        found.haplotypes(slice(None))
    with pytest.raises(NotFoundError, match="no population 'none'"):
        found.frequencies(slice(None), "none")


def test_versions_replace_and_a_withdrawn_set_is_gone(store):
    publish(store, random_block(1))
    second = publish(store, random_block(2), access="open", kind="ld-panel")
    assert (second.version, store.get("panel").kind) == (2, "ld-panel")
    assert store.clean() == ["panel/1", "packed/panel/1"]
    assert verify_genotypes(store.root.path).ok
    store.withdraw("panel", reason="asked to")
    assert not list(store.folder.glob("**/zarr.json"))
    with pytest.raises(NotFoundError, match="no genotypes 'panel'"):
        store.get("panel")
    assert publish(store, random_block(1)).version == 3
    kinds = [event.kind for event in store.root.read_events()]
    assert kinds == ["genotypes-published"] * 2 + ["genotypes-withdrawn", "genotypes-published"]


def test_a_flipped_bit_is_found(store):
    found = publish(store, random_block(4))
    path = next(p for p in (found.path / "call_genotype").rglob("*") if p.is_file() and p.name != "zarr.json")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.write_bytes(content)
    (finding,) = verify_genotypes(store.root.path).findings
    assert (finding.kind, finding.where) == ("file", str(path))
    shutil.rmtree(found.packed.path)
    with pytest.raises(DamagedError):
        GenotypeStore(store.root).get("panel").alternate_counts(slice(None))


def test_packed_bits_that_are_not_the_calls_are_found(store):
    found = publish(store, random_block(4))
    path = found.packed.path / "genotypes" / "c" / "0" / "0" / "0"
    content = bytearray(path.read_bytes())
    content[0] ^= 1
    path.write_bytes(content)
    (finding,) = verify_genotypes(store.root.path).findings
    assert "delete the packed form" in finding.found


def test_a_backup_holds_the_genotypes(store, tmp_path):
    block = random_block(1)
    found = publish(store, block)
    backup_root(store.root.path, tmp_path / "backup")
    assert not (tmp_path / "backup" / "genotypes" / "packed").exists()
    restore_root(tmp_path / "backup", tmp_path / "again")
    again = GenotypeStore.open(tmp_path / "again").get("panel")
    check(again, block)
    assert (again.path / SUMS_NAME).read_bytes() == (found.path / SUMS_NAME).read_bytes()
    store.withdraw("panel", reason="a test")
    backup_root(store.root.path, tmp_path / "backup")
    assert not list((tmp_path / "backup" / "genotypes").glob("panel/*"))


@pytest.mark.parametrize("seed", [2, 3])
def test_an_export_is_read_by_bcftools_and_plink(store, tmp_path, seed):
    block = random_block(seed)
    found = publish(store, block)
    export_set(found, tmp_path / "x.vcf.gz")
    run("bcftools", "index", "-t", tmp_path / "x.vcf.gz")
    text = run("bcftools", "view", tmp_path / "x.vcf.gz")
    (tmp_path / "x.vcf").write_text(text)
    rows = list(plain(block).values())
    cells = [line.split("\t")[9:] for line in text.splitlines() if not line.startswith("#")]
    told = list(zip(block.calls[rows].tolist(), block.phased[rows].tolist(), strict=True))
    signs = {0: "0", 1: "1", -1: "."}
    for line, (calls, phased) in zip(cells, told, strict=True):
        for cell, (first, second), phase in zip(line, calls, phased, strict=True):
            sign = "|" if phase else "/"
            spelled = signs[first] if second == -2 else f"{signs[first]}{sign}{signs[second]}"
            assert cell.split(":")[0] == spelled
    export_set(found, tmp_path / "y.bed")
    run("plink2", "--bfile", tmp_path / "y", "--freq", "counts", "--out", tmp_path / "y")
    counts = [int(line.split()[4]) for line in (tmp_path / "y.acount").read_text().splitlines()[1:]]
    assert counts == np.maximum(plain_counts(block.calls[rows]), 0).sum(axis=1).tolist()


def test_a_stranger_reads_it_with_zarr_alone(store):
    block = random_block(1)
    found = publish(store, block)
    rows = list(plain(block).values())
    names = ("call_genotype", "variant_allele", "sample_id", "call_DS", "variant_contig", "contig_id")
    arrays = {name: zarr.open_array(found.path / name, mode="r")[...] for name in names}
    np.testing.assert_array_equal(arrays["call_genotype"], block.calls[rows])
    np.testing.assert_allclose(arrays["call_DS"], block.dosages[rows])
    assert arrays["sample_id"].tolist() == [f"p{i}" for i in range(70)]
    assert {"/".join(pair) for pair in arrays["variant_allele"].tolist()} <= {"A/C", "A/G", "A/AT", LONG}
    assert arrays["contig_id"].tolist() == ["1", "2", "3"]


CRASH = """
import sys
from pathlib import Path
from tests.store.genotypes.test_store import publish, random_block
from nexome.store.genotypes import GenotypeStore
publish(GenotypeStore.open(Path(sys.argv[1])), random_block(8))
"""


@pytest.mark.parametrize(
    "step", ["genotypes.written", "genotypes.moved", "genotypes.before-manifest", "genotypes.after-manifest"]
)
def test_killed_at_a_step_all_or_nothing_is_there(store, step):
    before, after = random_block(1), random_block(8)
    publish(store, before)
    words = [sys.executable, "-c", CRASH, str(store.root.path)]
    done = subprocess.run(words, env={**os.environ, "NEXOME_CRASH_AT": step}, check=False)
    assert done.returncode == -9
    now = GenotypeStore.open(store.root.path)
    check(now.get("panel"), after if step.endswith("after-manifest") else before)
    assert verify_genotypes(store.root.path).ok
    now.clean()
    assert not list((store.folder / "staging").iterdir())
    assert len(list(store.folder.glob("panel/*"))) == 1
    check(publish(now, after), after)


def test_what_cannot_be_a_set(store):
    with pytest.raises(InputError, match="samples 1 and 2 have the same identifier"):
        store.stage("x", people_table({"sample_id": ["a", "a"]}))
    with pytest.raises(InputError, match="the name 'packed'"):
        store.stage("packed", people_table({"sample_id": ["a"]}))
    with (
        store.stage("x", people_table({"sample_id": ["a"]})) as staged,
        pytest.raises(InputError, match="no variant"),
    ):
        staged.publish({})
    assert not list((store.folder / "staging").iterdir())


def test_a_vcf_of_ours_reads_back(store, tmp_path):
    block = random_block(3)
    found = publish(store, block)
    export_set(found, tmp_path / "x.vcf")
    read, _ = read_all(tmp_path / "x.vcf")
    assert read.keys() == plain_read((tmp_path / "x.vcf").read_text()).keys()
