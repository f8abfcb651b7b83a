"""The East-Asian region of chromosome 7 through the real doors, and PLINK on the same file: one answer."""

import re

import numpy as np
import pytest
from click.testing import CliRunner

import nexome
from nexome.access.ld import ClumpOptions
from nexome.main import main
from nexome.model.terms import Study, Trait
from nexome.store.associations import AssociationStore, Block
from nexome.store.genotypes import GenotypeStore
from tests.methods.ld import plink

VARIANT = "7:127185250:A:G"
SIX_DIGITS = 1.2e-6

pytestmark = pytest.mark.shared


def command(*words):
    done = CliRunner().invoke(main, [str(word) for word in words])
    assert done.exit_code == 0, done.output


@pytest.fixture(scope="module")
def made(shared, tmp_path_factory):
    """A root with the VCF as it is, phased, and its common variants as a PLINK bed, unphased."""
    plink.need("plink2")
    plink.need("plink1.9")
    folder = tmp_path_factory.mktemp("real")
    vcf = shared / "genotypes" / "kg_eas_chr7_region_grch37.vcf.gz"
    plink.run("plink2", "--vcf", vcf, "--maf", "0.05", "--max-alleles", "2", "--make-bed", out=folder / "bed")
    plink.run(
        "plink2", "--vcf", vcf, "--maf", "0.05", "--max-alleles", "2", "--make-pgen", out=folder / "pgen"
    )
    root = folder / "root"
    command("init", root, "--assembly", "GRCh37")
    command("import", "ld-panel", vcf, "--name", "PHASED", "--root", root, "--assembly", "GRCh37")
    bed = ("import", "ld-panel", folder / "bed.bed", "--name", "BED")
    command(*bed, "--root", root, "--assembly", "GRCh37")
    return folder


def test_a_region_of_the_bed_is_that_of_plink(made):
    options = ("--ld-snp", VARIANT, "--ld-window-kb", "500", "--ld-window", "99999", "--ld-window-r2", "0")
    plink.run("plink1.9", "--bfile", made / "bed", "--r2", *options, out=made / "one")
    table = plink.read_columns(made / "one.ld")
    wanted = {name: float(r2) for name, r2 in zip(table["SNP_B"], table["R2"], strict=True)}
    with nexome.open(made / "root") as view:
        found = view.ld(VARIANT, panel="BED")
        names = [name_of(found.features, row) for row in range(len(found.features))]
    assert set(names) == set(wanted)
    assert len(names) > 1_000
    np.testing.assert_allclose(found.pairs.r2, [wanted[name] for name in names], atol=SIX_DIGITS, rtol=0)
    np.testing.assert_allclose(found.r2, [wanted[name] for name in names], atol=0.51e-4, rtol=0)


def test_phased_pairs_are_those_of_plink2(made):
    with nexome.open(made / "root") as view:
        found = view.ld(VARIANT, "7:127100000-127300000", panel="PHASED")
    rows = np.flatnonzero(np.minimum(found.frequency, 1 - found.frequency) > 0.06)
    for row in rows[:: len(rows) // 5].tolist():
        name = name_of(found.features, row)
        if name == VARIANT:
            continue
        said = plink.run("plink2", "--pfile", made / "pgen", "--ld", VARIANT, name, out=made / "two")
        r2, d_prime = (float(re.search(rf"{what} = (\S+)", said)[1]) for what in (r"r\^2", "D'"))
        assert float(found.pairs.r2[row]) == pytest.approx(r2, abs=SIX_DIGITS)
        assert abs(float(found.pairs.d_prime[row])) == pytest.approx(abs(d_prime), abs=SIX_DIGITS)


def test_clumps_are_those_of_plink(made):
    names = publish_study(made)
    asked = {"p1": 1e-4, "p2": 0.01, "r2": 0.3}
    with nexome.open(made / "root") as view:
        table = next(view.associations("MADE-UP", batch_rows=1_000_000)).to_pydict()
        found = view.clump("MADE-UP", panel="BED", options=ClumpOptions(**asked, window_bp=250_000))
    keys = zip(table["base_pair_location"], table["other_allele"], table["effect_allele"], strict=True)
    texts = [f"7:{at}:{ref}:{alt}" for at, ref, alt in keys]
    assert set(texts) <= set(names)
    lines = (f"{name} {p:.17g}\n" for name, p in zip(texts, table["p_value"], strict=True))
    (made / "made-up.assoc").write_text("SNP P\n" + "".join(lines))
    options = [word for name, value in asked.items() for word in (f"--clump-{name}", f"{value:g}")]
    report = ("--clump", made / "made-up.assoc", *options, "--clump-kb", "250")
    plink.run("plink1.9", "--bfile", made / "bed", *report, out=made / "clumps")
    wanted = plink.read_columns(made / "clumps.clumped")
    rows = found.table.to_pylist()
    ours: dict[int, list[str]] = {}
    for row in rows:
        name = f"7:{row['base_pair_location']}:{row['other_allele']}:{row['effect_allele']}"
        ours.setdefault(row["clump"], []).append(name)
    assert [members[0] for members in ours.values()] == wanted["SNP"]
    for members, said in zip(ours.values(), wanted["SP2"], strict=True):
        assert members[1:] == re.findall(r"([^,()]+)\(1\)", said)
    assert len(wanted["SNP"]) > 5


def publish_study(made):
    """Associations of every variant of the bed, after two causal ones; the names in the bed."""

    panel = GenotypeStore.open(made / "root").get("BED")
    rows = slice(0, panel.size)
    counts = panel.alternate_counts(rows).astype(float)
    counts -= counts.mean(1, keepdims=True)
    counts /= counts.std(1, keepdims=True)
    z = sum(9 * (counts @ counts[cause]) / counts.shape[1] for cause in (700, 2500))
    z += np.random.default_rng(4).normal(0, 1, panel.size)
    features = panel.features(rows)
    block = Block(
        locus=np.asarray(features.locus),
        allele=np.asarray(features.allele),
        z=np.asarray(z, np.float32),
        se=np.full(panel.size, 0.02, np.float32),
        eaf=panel.frequencies(rows),
        spelled=features.spelled,
    )
    traits = (Trait("made-up", "Made up", n=504.0),)
    staged = AssociationStore.open(made / "root").stage(Study("MADE-UP", access="open", traits=traits))
    staged.add(block)
    staged.publish({"study": "MADE-UP"})
    return [name_of(features, row) for row in range(panel.size)]


def name_of(features, row):
    ref, _, alt = features.text(row).partition("/")
    return f"7:{features.position[row]}:{ref}:{alt}"
