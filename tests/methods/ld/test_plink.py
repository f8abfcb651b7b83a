"""The same numbers as PLINK 1.9 and 2, on simulated and on real genotypes; both print six digits."""

import gzip
import re

import numpy as np
import pytest

from nexome.methods.ld.clump import clump
from nexome.methods.ld.packed import pack_counts, pack_haplotypes, pack_members
from nexome.methods.ld.pairs import ld_of_all, ld_of_haplotypes, ld_with_one
from nexome.methods.ld.prune import prune
from tests.methods.ld import oracle, plink

OF_HAPLOTYPES = (
    "haplotype r and d_prime"  # what --clump looks at; --r, --r2 and --indep-pairwise look at counts
)
SIX_DIGITS = 6e-7  # half a unit of the sixth digit, and float32's own rounding


def simulate(seed, *, variants=200, people=120, missing=0.03):
    """Haplotypes [V, 2S] copied from six ancestors that change now and then, and positions."""
    rng = np.random.default_rng(seed)
    ancestors = rng.random((6, variants)) < rng.random(variants) * 0.6 + 0.05
    source = np.empty((2 * people, variants), int)
    source[:, 0] = rng.integers(0, 6, 2 * people)
    for v in range(1, variants):
        changed = rng.random(2 * people) < 0.08
        source[:, v] = np.where(changed, rng.integers(0, 6, 2 * people), source[:, v - 1])
    alleles = (ancestors[source, np.arange(variants)] ^ (rng.random(source.shape) < 0.02)).T.astype(np.int8)
    gone = np.repeat(rng.random((variants, people)) < missing, 2, axis=1)
    return np.where(gone, -1, alleles).astype(np.int8), np.cumsum(rng.integers(1, 300, variants))


def counts_of(alleles):
    pair = alleles.reshape(len(alleles), -1, 2)
    return np.where((pair < 0).any(2), -1, pair.sum(2)).astype(np.int8)


def all_pairs(counts, **asked):
    packed, everyone = pack_counts(counts), pack_members(np.ones(counts.shape[1], bool))
    return ld_of_all(lambda i: ld_with_one(packed[i], packed[i:], everyone, **asked), len(packed))


def assert_r_as_plink(counts, prefix):
    plink.run("plink1.9", "--bfile", prefix, "--r", "square", out=prefix)
    wanted = np.loadtxt(prefix.with_suffix(".ld"), ndmin=2)
    found = all_pairs(counts, measures="r").r
    assert (np.isnan(found) == np.isnan(wanted)).all()
    np.testing.assert_allclose(found, wanted, atol=SIX_DIGITS, rtol=0)


def assert_d_prime_as_plink(counts, prefix):
    window = ("--ld-window-kb", "100000", "--ld-window", "99999", "--ld-window-r2", "0")
    plink.run("plink1.9", "--bfile", prefix, "--r2", "dprime-signed", *window, out=prefix)
    table = plink.read_columns(prefix.with_suffix(".ld"))
    found = all_pairs(counts, measures=OF_HAPLOTYPES)
    compared = 0
    for a, b, r2, d_prime in zip(table["SNP_A"], table["SNP_B"], table["R2"], table["DP"], strict=True):
        i, j = int(a[1:]), int(b[1:])
        ours = float(found.d_prime[i, j])
        if "nan" in {r2, d_prime}:
            assert np.isnan(ours)
            continue
        assert float(found.r2[i, j]) == pytest.approx(float(r2), abs=2 * SIX_DIGITS)
        if ours * float(d_prime) < 0 and both_signs_as_likely(counts[i], counts[j], ours):
            ours = -ours
        assert ours == pytest.approx(float(d_prime), abs=2 * SIX_DIGITS)
        compared += 1
    return compared


def both_signs_as_likely(x, y, d_prime):
    """Whether the opposite D explains the genotypes as well: then PLINK's sign, and ours, mean nothing."""
    known, double = oracle.tally(*(np.where(row < 0, np.nan, row.astype(float)) for row in (x, y)))
    total = known.sum() + 2 * double
    p, q = (known[1].sum() + double) / total, (known[:, 1].sum() + double) / total
    signed = [d_prime, -d_prime]
    most = [min(p * (1 - q), q * (1 - p)) if d > 0 else min(p * q, (1 - p) * (1 - q)) for d in signed]
    together = np.array([p * q + d * size for d, size in zip(signed, most, strict=True)])
    one, other = oracle.likelihood(known, double, together)
    return abs(one - other) < 1e-6


@pytest.mark.parametrize("missing", [0.0, 0.1])
def test_simulated_pairs(tmp_path, missing):
    alleles, positions = simulate(5, variants=60, missing=missing)
    counts = counts_of(alleles)
    counts[7], counts[8] = 0, 1
    plink.write_bed(tmp_path / "a", counts, positions)
    assert_r_as_plink(counts, tmp_path / "a")
    assert assert_d_prime_as_plink(counts, tmp_path / "a") > 1500


@pytest.mark.shared
@pytest.mark.parametrize("population", ["CHB", "YRI"])
def test_hapmap3_pairs(shared, tmp_path, population):
    """200 neighbours of chromosome 2 in one population, trios and missing calls as they are."""
    counts, positions = hapmap3(shared, population, chromosome="2", variants=200)
    plink.write_bed(tmp_path / "h", counts, positions)
    assert (counts < 0).any()
    assert_r_as_plink(counts, tmp_path / "h")
    assert assert_d_prime_as_plink(counts, tmp_path / "h") > 10_000


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("asked", [("20", "5", "0.2"), ("50", "1", "0.5"), ("3kb", "1", "0.1")])
def test_simulated_pruning(tmp_path, seed, asked):
    alleles, positions = simulate(seed)
    assert_pruned_as_plink(counts_of(alleles), positions, tmp_path / "a", asked)


@pytest.mark.shared
@pytest.mark.parametrize("asked", [("50", "5", "0.2"), ("1000kb", "1", "0.05")])
def test_hapmap3_pruning(shared, tmp_path, asked):
    counts, positions = hapmap3(shared, "CHB", chromosome="6", variants=1000)
    assert_pruned_as_plink(counts, positions, tmp_path / "a", asked)


def assert_pruned_as_plink(counts, positions, prefix, asked):
    plink.write_bed(prefix, counts, positions)
    plink.run("plink1.9", "--bfile", prefix, "--indep-pairwise", *asked, out=prefix)
    wanted = prefix.with_suffix(".prune.in").read_text().split()
    window, step, r2 = asked
    size = {"window_bp": int(window[:-2]) * 1000} if "kb" in window else {"window_variants": int(window)}
    everyone = pack_members(np.ones(counts.shape[1], bool))
    kept = prune(
        pack_counts(counts), everyone, positions.astype(np.uint64), r2=float(r2), step=int(step), **size
    )
    assert [f"v{i}" for i in np.flatnonzero(kept)] == wanted
    assert 0 < len(wanted) < len(counts)


@pytest.mark.parametrize(("p1", "p2", "r2", "window_kb"), [(1e-4, 0.01, 0.2, 250), (0.01, 0.9, 0.1, 2)])
@pytest.mark.parametrize("seed", range(3))
def test_simulated_clumps(tmp_path, seed, p1, p2, r2, window_kb):
    alleles, positions = simulate(seed)
    counts = counts_of(alleles)
    p_values = 10 ** -(6 * np.random.default_rng(seed).random(len(counts)) ** 2)
    p_values[[3, 4, 5, 90]] = 1e-5
    asked = {"p1": p1, "p2": p2, "r2": r2}
    assert_clumped_as_plink(counts, positions, p_values, tmp_path / "a", window_kb=window_kb, **asked)


@pytest.mark.shared
def test_hapmap3_clumps(shared, tmp_path):
    counts, positions = hapmap3(shared, "CHB", chromosome="6", variants=1000)
    p_values = 10 ** -(8 * np.random.default_rng(1).random(len(counts)) ** 2)
    asked = {"p1": 1e-4, "p2": 0.01, "r2": 0.1, "window_kb": 3000}
    assert_clumped_as_plink(counts, positions, p_values, tmp_path / "a", **asked)


def assert_clumped_as_plink(counts, positions, p_values, prefix, *, window_kb, **asked):
    plink.write_bed(prefix, counts, positions)
    texts = [f"{p:.6g}" for p in p_values]
    prefix.with_suffix(".assoc").write_text("SNP P\n" + "".join(f"v{i} {p}\n" for i, p in enumerate(texts)))
    options = [word for name, value in asked.items() for word in (f"--clump-{name}", f"{value:g}")]
    report = ("--clump", prefix.with_suffix(".assoc"), *options, "--clump-kb", str(window_kb))
    plink.run("plink1.9", "--bfile", prefix, *report, out=prefix)
    table = plink.read_columns(prefix.with_suffix(".clumped"))
    packed, everyone = pack_counts(counts), pack_members(np.ones(counts.shape[1], bool))
    found = clump(
        positions.astype(np.uint64),
        -np.log10(np.array(texts, float)),
        lambda lead, near: ld_with_one(packed[lead], packed[near], everyone, measures=OF_HAPLOTYPES).r2,
        window_bp=window_kb * 1000,
        **asked,
    )
    assert [f"v{i}" for i in found.index] == table["SNP"]
    for number, members in enumerate(table["SP2"]):
        wanted = re.findall(r"(v\d+)\(1\)", members)
        assert [f"v{i}" for i in found.member[found.clump == number]] == wanted
    assert any(members != "NONE" for members in table["SP2"])


def test_plink2_on_unphased_and_phased(tmp_path):
    alleles, positions = simulate(9, variants=12, missing=0.0)
    write_vcf(tmp_path / "a.vcf", alleles, positions)
    write_vcf(tmp_path / "b.vcf", alleles, positions, phase="/")
    unphased = all_pairs(counts_of(alleles), measures=OF_HAPLOTYPES)
    phased = all_phased(alleles)
    assert abs(unphased.r - phased.r).max() > 1e-3  # the two are not the same question
    for i, j in ((0, 1), (2, 9), (4, 5), (10, 3)):
        assert_plink2_says(tmp_path / "a.vcf", i, j, phased)
        assert_plink2_says(tmp_path / "b.vcf", i, j, unphased)


@pytest.mark.shared
def test_plink2_on_phased_east_asians(shared, tmp_path):
    """40 common variants of the East-Asian region of chromosome 7, phased, 504 people."""
    alleles, positions, header = [], [], []
    with gzip.open(shared / "genotypes" / "kg_eas_chr7_region_grch37.vcf.gz", "rt") as lines:
        for line in lines:
            cells = line.rstrip("\n").split("\t")
            if line.startswith("#"):
                header = cells
                continue
            row = [int(a) for cell in cells[9:] for a in cell.split("|")]
            if "," not in cells[4] and 0.1 < sum(row) / len(row) < 0.9:
                alleles.append(row)
                positions.append(int(cells[1]))
            if len(alleles) == 40:
                break
    assert len(header) == 9 + 504
    table = np.array(alleles, np.int8)
    write_vcf(tmp_path / "a.vcf", table, positions)
    phased = all_phased(table)
    for i, j in ((0, 1), (3, 30), (12, 13), (20, 39), (5, 22)):
        assert_plink2_says(tmp_path / "a.vcf", i, j, phased)


def all_phased(alleles):
    genotypes, haplotypes = pack_haplotypes(alleles)
    everyone = pack_members(np.ones(alleles.shape[1] // 2, bool))

    def one(i):
        return ld_of_haplotypes((genotypes[i], haplotypes[i]), (genotypes[i:], haplotypes[i:]), everyone)

    return ld_of_all(one, len(alleles))


def assert_plink2_says(vcf, i, j, found):
    said = plink.run("plink2", "--vcf", vcf, "--ld", f"v{i}", f"v{j}", out=vcf.with_suffix(""))
    best = said.split("best likelihood")[-1]
    r2, d_prime = (float(re.search(rf"{name} = (\S+)", best)[1]) for name in (r"r\^2", "D'"))
    assert float(found.r2[i, j]) == pytest.approx(r2, abs=2 * SIX_DIGITS)
    assert abs(float(found.d_prime[i, j])) == pytest.approx(abs(d_prime), abs=2 * SIX_DIGITS)
    rarer_alternates = said.count("MAJOR = REF") != 1  # of both, or of neither: D keeps its sign
    assert (found.d_prime[i, j] > 0) == (("are in phase" in best) == rarer_alternates)


def write_vcf(path, alleles, positions, phase="|"):
    people = alleles.shape[1] // 2
    names = "\t".join(f"p{i}" for i in range(people))
    lines = [
        "##fileformat=VCFv4.2",
        "##contig=<ID=1>",
        '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">',
        f"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t{names}",
    ]
    for i, (row, position) in enumerate(zip(alleles.tolist(), positions, strict=True)):
        texts = ["." if a < 0 else str(a) for a in row]
        cells = "\t".join(f"{a}{phase}{b}" for a, b in zip(texts[0::2], texts[1::2], strict=True))
        lines.append(f"1\t{position}\tv{i}\tG\tA\t.\t.\t.\tGT\t{cells}")
    path.write_text("\n".join(lines) + "\n")


def hapmap3(shared, population, *, chromosome, variants):
    """Counts of allele 1 in one population, int8 [V, S], and positions, of a chromosome's first variants."""
    folder = shared / "genotypes"
    with gzip.open(folder / "hapmap3_thinned.bim.gz", "rt") as lines:
        table = [line.split() for line in lines]
    with gzip.open(folder / "hapmap3_thinned.fam.gz", "rt") as lines:
        people = [line.split()[1] for line in lines]
    with gzip.open(folder / "hapmap3_sample_populations.tsv.gz", "rt") as lines:
        of = {cells[1]: cells[-1] for cells in (line.split() for line in lines)}
    rows = [i for i, cells in enumerate(table) if cells[0] == chromosome][:variants]
    with gzip.open(folder / "hapmap3_thinned.bed.gz") as stream:
        packed = np.frombuffer(stream.read()[3:], np.uint8).reshape(len(table), -1)[rows]
    codes = (packed[:, :, None] >> np.array([0, 2, 4, 6], np.uint8) & 3).reshape(len(rows), -1)
    counts = np.array([2, -1, 1, 0], np.int8)[codes[:, : len(people)]]
    chosen = np.array([of[name] == population for name in people])
    return counts[:, chosen], np.array([int(table[i][3]) for i in rows])
