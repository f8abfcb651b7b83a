"""Both scans against Debian's plink2, on data with missing genotypes, phenotypes and covariates."""

import csv
import shutil
import subprocess

import numpy as np
import pytest

from nexome.methods.scan import scan_linear, scan_logistic
from nexome.methods.scan.linear import neg_log10_p_from_t
from nexome.testing.scan_data import make_scan_data

pytestmark = pytest.mark.skipif(shutil.which("plink2") is None, reason="plink2 is not installed")


def write_bed(prefix, genotypes):
    """PLINK 1 binary files; the effect allele is A1, the other (reference) A2."""
    code = np.select([np.isnan(genotypes), genotypes == 0, genotypes == 1], [1, 3, 2], 0).astype(np.uint8)
    variants, samples = code.shape
    padded = np.pad(code, ((0, 0), (0, -samples % 4))).reshape(variants, -1, 4)
    bits = (padded << np.array([0, 2, 4, 6], dtype=np.uint8)).sum(axis=2).astype(np.uint8)
    prefix.with_suffix(".bed").write_bytes(b"\x6c\x1b\x01" + bits.tobytes())
    prefix.with_suffix(".bim").write_text("".join(f"1\tv{i}\t0\t{i + 1}\tA\tG\n" for i in range(variants)))
    prefix.with_suffix(".fam").write_text("".join(f"0\ts{i}\t0\t0\t1\t-9\n" for i in range(samples)))


def write_table(path, names, table):
    rows = [["#IID", *names]] + [
        [f"s{i}", *("NA" if np.isnan(x) else repr(float(x)) for x in row)] for i, row in enumerate(table)
    ]
    path.write_text("\n".join("\t".join(row) for row in rows) + "\n")


def run_plink2(folder, data, *flags):
    """Rows of plink2's answer by (variant, trait)."""
    genotypes, phenotypes, covariates = data
    write_bed(folder / "g", genotypes)
    write_table(folder / "pheno.txt", [f"t{i}" for i in range(phenotypes.shape[1])], phenotypes)
    write_table(folder / "covar.txt", [f"c{i}" for i in range(covariates.shape[1])], covariates)
    command = ["plink2", "--bfile", "g", "--pheno", "pheno.txt", "--covar", "covar.txt", *flags]
    glm = ["--glm", "omit-ref", "no-firth", "hide-covar", "cols=+a1freq,-orbeta,+beta"]
    options = ["--covar-variance-standardize", "--threads", "1", "--memory", "1000", "--out", "answer"]
    subprocess.run([*command, *glm, *options], cwd=folder, check=True, capture_output=True)
    answer = {}
    for path in folder.glob("answer.*.glm.*"):
        with path.open() as file:
            trait = int(path.name.split(".")[1][1:])
            answer |= {(int(r["ID"][1:]), trait): r for r in csv.DictReader(file, delimiter="\t")}
    return answer


def compare(result, answer, shape, statistic):
    assert len(answer) == shape[0] * shape[1]
    compared = 0
    for (v, t), row in answer.items():
        assert result.n[v, t] == int(row["OBS_CT"])
        assert result.effect_allele_frequency[v, t] == pytest.approx(float(row["A1_FREQ"]), rel=1e-5)
        if row["ERRCODE"] == ".":
            compared += 1
            assert result.beta[v, t] == pytest.approx(float(row["BETA"]), rel=2e-5, abs=1e-6)
            assert result.standard_error[v, t] == pytest.approx(float(row["SE"]), rel=2e-5)
            assert result.z[v, t] == pytest.approx(float(row[statistic]), rel=4e-5, abs=1e-5)
    assert compared > 0.95 * len(answer)


@pytest.mark.parametrize("holes", [0.0, 0.05])
def test_linear(tmp_path, holes):
    data = make_scan_data(11, variants=80, samples=400, holes=holes)
    answer = run_plink2(tmp_path, data)
    result = scan_linear(*data)
    compare(result, answer, (80, 3), "T_STAT")
    degrees = result.n - 4  # intercept, two covariates, the variant
    ours = neg_log10_p_from_t(result.z, degrees)
    for (v, t), row in answer.items():
        assert ours[v, t] == pytest.approx(-np.log10(float(row["P"])), rel=1e-3, abs=1e-4)


@pytest.mark.parametrize("holes", [0.0, 0.05])
def test_logistic(tmp_path, holes):
    data = make_scan_data(12, variants=80, samples=400, holes=holes, kind="logistic")
    answer = run_plink2(tmp_path, data, "--1")
    compare(scan_logistic(*data), answer, (80, 3), "Z_STAT")
