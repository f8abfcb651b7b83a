"""Two real studies of fasting glucose (DGI and FUSION, three regions) interpreted together."""

import pytest
from click.testing import CliRunner

import nexome
from nexome.main import main

REGION = "11:92000000-92700000"  # MTNR1B, NCBI36
CAUSAL = "rs10830963"  # the MTNR1B variant that later and larger studies settled on

pytestmark = pytest.mark.shared


@pytest.fixture(scope="module")
def root(shared, tmp_path_factory):
    folder = tmp_path_factory.mktemp("glucose")
    lengths = folder / "ncbi36.tsv"
    lengths.write_text("2\t242951149\n7\t158821424\n11\t134452384\n")
    made = folder / "root"
    _typed("init", made, "--assembly", lengths, "--name", "NCBI36", "--species", "Homo sapiens")
    for study, name in (("DGI", "dgi_glucose_3regions"), ("FUSION", "magic_fusion_glucose_3regions")):
        file = shared / "gwas" / f"{name}.txt.gz"
        words = ("--study", study, "--trait", "Fasting glucose", "--assembly", "NCBI36", "--map", "n=N")
        _typed("import", "associations", "--root", made, *words, file)
    return made


def _typed(*words):
    result = CliRunner().invoke(main, [str(word) for word in words])
    assert result.exit_code == 0, result.output


@pytest.fixture(scope="module")
def view(root):
    with nexome.open(root) as opened:
        yield opened


def test_the_variant_that_larger_studies_settled_on_is_the_likeliest_shared_one(view):
    found = view.coloc("DGI", "FUSION", REGION)
    first = found.table().slice(0, 1).to_pylist()[0]
    assert first["rsid"] == CAUSAL
    assert first["beta_a"] > 0
    assert first["beta_b"] > 0
    # Neither study is large enough alone: weak evidence is called weak.
    assert found.likeliest == "H0"
    assert found.found.posterior[4] > found.found.posterior[3]


def test_what_small_studies_cannot_tell_is_said(view):
    (found,) = view.credible_sets("FUSION", where=REGION)
    assert {"no_signal", "sd_estimated", "scale_unknown"} <= set(found.warnings)
    assert len(found.members) > 100
    assert 0.3 < found.signal.basis.trait_sd < 3  # mmol/L
    compared = view.compare("DGI", "FUSION")
    assert (compared.overlap.shared, compared.overlap.only_first, compared.overlap.only_second) == (
        2247,
        122,
        46,
    )
    assert "no_leads" in compared.warnings
    assert compared.overlap.same_sign / compared.overlap.signed > 0.5
