"""Small genotype files made for tests, a slow plain reading of VCF, and what the readers give."""

import contextlib
import random
import shutil
import subprocess

import numpy as np
import pytest

from nexome.formats.genotypes import open_genotypes

HEAD = "##fileformat=VCFv4.3\n##contig=<ID=1,length=248956422>\n"
FORMATS = (
    '##FORMAT=<ID=GT,Number=1,Type=String,Description="g">\n'
    '##FORMAT=<ID=DS,Number=A,Type=Float,Description="d">\n'
    '##FORMAT=<ID=XX,Number=1,Type=String,Description="x">\n'
    '##FORMAT=<ID=GP,Number=G,Type=Float,Description="p">\n'
)


def vcf_text(lines, people=3, *, head=HEAD + FORMATS):
    """A VCF of lines (position, ref, alt, format, cells)."""
    names = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT"]
    columns = [*names, *(f"p{i}" for i in range(people))]
    rows = [
        "\t".join(["1", str(position), f"v{n}", ref, alt, ".", ".", ".", form, *cells])
        for n, (position, ref, alt, form, cells) in enumerate(lines)
    ]
    return head + "\t".join(columns) + "\n" + "".join(row + "\n" for row in rows)


def random_vcf(seed, *, people=300, variants=200, hard=False, many=True, dosages=True):
    """A VCF as they come: rare and common, copied from the line before, many alleles, phase, dosages, gaps.

    `hard`: half calls and haploid calls too, which PLINK 2 does not keep. `many`: several alternate alleles;
    with `dosages` PLINK 2 does not write them.
    """
    chance = random.Random(seed)
    lines, calls = [], None
    for n in range(variants):
        alleles = 1 + many * ((chance.random() < 0.1) + (chance.random() < 0.03))
        if calls is None or chance.random() < 0.5 or alleles > 1:
            rate = chance.choice([0, 0.002, 0.05, 0.5, 0.98, 1])
            calls = [[_allele(chance, rate, alleles) for _ in range(2)] for _ in range(people)]
        else:  # nearly the line before, sometimes turned around: what PGEN stores as differences
            turn = chance.random() < 0.4
            calls = [[min(a, 1) ^ turn if chance.random() > 0.01 else 0 for a in pair] for pair in calls]
        dosed = dosages and alleles == 1 and n % 4 == 0
        rate = chance.choice([0.01, 0.7, 1]) if dosed else 0
        cells = [_cell(chance, pair, n % 3, dosed=rate, hard=hard) for pair in calls]
        alt = ",".join(["C", "G", "ACC"][:alleles])
        lines.append((100 + 10 * n, "A", alt, "GT:DS" if dosed else "GT", cells))
    return vcf_text(lines, people)


def _allele(chance, rate, alleles):
    return chance.randint(1, alleles) if chance.random() < rate else 0


def _cell(chance, pair, phase, *, dosed, hard):
    sign = "/|"[chance.random() < 0.5] if phase == 2 else "/|"[phase]
    text = f"{pair[0]}{sign}{pair[1]}"
    if chance.random() < 0.02:
        text = "./."
    elif hard and chance.random() < 0.05:
        text = chance.choice([f".{sign}{pair[1]}", str(pair[0]), "."])
    if not dosed:
        return text
    return f"{text}:{sum(map(bool, pair)) * 0.96 + 0.02:.3f}" if chance.random() < dosed else f"{text}:."


def plain_read(text):
    """The same as a reader gives, slowly: {(position, alt): (calls, phased, dosages)}."""
    found = {}
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        _, position, _, _, alts, _, _, _, form, *cells = line.split("\t")
        names = form.split(":")
        for number, alt in enumerate(alts.split(","), 1):
            rows = [_plain_cell(dict(zip(names, c.split(":"), strict=False)), number) for c in cells]
            found[int(position), alt] = tuple(np.array(part) for part in zip(*rows, strict=True))
    return found


def _plain_cell(cell, number):
    text = cell.get("GT", "./.")
    parts = text.replace("|", "/").split("/")
    calls = [-1 if p == "." else int(int(p) == number) for p in parts]
    calls += [] if len(calls) == 2 else [-1 if calls[0] < 0 else -2]
    told = cell.get("DS", ".").split(",")
    dosage = float("nan") if told == ["."] else float(told[number - 1]) * (2 if calls[1] == -2 else 1)
    if calls == [-1, -1] and not np.isnan(dosage) and abs(dosage - round(dosage)) <= 0.1:
        calls = [int(round(dosage) >= 2), int(round(dosage) >= 1)]
    return calls, "|" in text, dosage


def read_all(path):
    """What a reader gives, in the shape of `plain_read`, and the rules that dropped lines."""
    found, dropped = {}, {}
    for batch in batches_of(path):
        dosages = np.full(batch.phased.shape, np.nan) if batch.dosages is None else batch.dosages
        for k, alt in enumerate(batch.alt.to_pylist()):
            found[int(batch.position[k]), alt] = (batch.calls[k], batch.phased[k], dosages[k])
        for aside in batch.dropped:
            dropped.setdefault(aside.rule, []).extend(aside.lines.tolist())
    return found, dropped


def batches_of(path):
    """All batches of a file."""
    with contextlib.closing(open_genotypes(path)) as reader:
        return list(reader.batches())


def header_of(path):
    """What a file says of itself."""
    with contextlib.closing(open_genotypes(path)) as reader:
        return reader.header


def run(*words):
    """Run another program; the test is skipped where it is absent."""
    if shutil.which(words[0]) is None:
        pytest.skip(f"{words[0]} is not installed")
    more = ["--memory", "640", "--threads", "1"] if words[0] == "plink2" else []
    done = subprocess.run([str(w) for w in words] + more, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout
