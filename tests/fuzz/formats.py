"""Fuzzing of every reader of foreign files: whatever the bytes, an answer or one of our own errors.

    python tests/fuzz/formats.py --seconds 300       with atheris, coverage-guided (make fuzz)

The first byte of an input chooses the reader, the rest is the file. `tests/fuzz/test_formats.py`
runs the seeds and a few thousand blind mutations of them as a test.
"""

import argparse
import bz2
import gzip
import io
import lzma
import random
import sys
import tempfile
import zipfile
from pathlib import Path

import zstandard

from nexome.model.errors import NexomeError

try:
    import atheris
except ImportError:  # the test runs without it
    atheris = None

if atheris is not None and __name__ == "__main__":
    with atheris.instrument_imports(include=["nexome.formats"]):
        from nexome.formats import chain, fasta, genes, gwas_ssf, plink, reader, recognise, vcf_sites
else:
    from nexome.formats import chain, fasta, genes, gwas_ssf, plink, reader, recognise, vcf_sites

HERE = Path(tempfile.mkdtemp(prefix="nexome-fuzz-"))
BLOCK_BYTES = 200  # small blocks, so that small inputs cross their borders


def _zipped(content):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", content)
    return packed.getvalue()


_SSF = (
    b"chromosome\tbase_pair_location\teffect_allele\tother_allele\tbeta\tstandard_error\teffect_allele_frequency\tp_value\n"
    b"1\t5\tA\tG\t0.1\t0.02\t0.3\t1e-400\n1\t7\tAT\tG\t#NA\t0.02\t0.3\t0\n"
)
_VCF = (
    b'##fileformat=VCFv4.2\n##FORMAT=<ID=ES,Number=A,Type=Float,Description="x">\n##FORMAT=<ID=SE,Number=A>\n'
    b"##contig=<ID=1,length=100,assembly=GRCh37>\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tS1\tS2\n"
    b"1\t5\trs1\tA\tG,T\t.\t.\tAF=0.1,0.2\tES:SE\t0.1,0.2:1,2\t.:.\n1\t6\t.\tA\tG\t.\t.\t.\tSE\t.\t1\n"
)
_CHAIN = (
    b"chain 900 chr1 1000 + 100 160 chr1 1100 + 200 265 1\n20 10 15\n30\n\n"
    b"chain 5 chr1 1000 + 5 9 chr2 30 - 5 9 2\n4\n"
)
_CATALOGUE = (
    b"PUBMEDID\tDISEASE/TRAIT\tCHR_ID\tCHR_POS\tSTRONGEST SNP-RISK ALLELE\tSNPS\tRISK ALLELE FREQUENCY\t"
    b"P-VALUE\tPVALUE_MLOG\tOR or BETA\t95% CI (TEXT)\n"
    b"1\tT\t1\t5\trs1-A\trs1\tNR\t1E-9\t9\t1.1\t[1-2] unit decrease\n"
)
SEEDS = (
    b"a" + _SSF,
    b"a" + gzip.compress(_SSF),
    b"a" + zstandard.compress(_SSF),
    b"a" + lzma.compress(_SSF),
    b"a" + bz2.compress(_SSF),
    b"a" + _zipped(_SSF),
    b"a" + _VCF,
    b"aCHROM GENPOS ID ALLELE0 ALLELE1 A1FREQ N TEST BETA.Y1 SE.Y1 LOG10P.Y1\n1 5 rs1 A G 0.1 9 ADD 1 2 3\n",
    b"aCHROM GENPOS ID ALLELE0 ALLELE1 A1FREQ N TEST BETA SE LOG10P\n1 5 1:5:A:G A G 0.1 9 DOM 1 2 3\n",
    b"a#CHROM\tPOS\tID\tREF\tALT\tA1\tTEST\tOBS_CT\tOR\tLOG(OR)_SE\tP\tERRCODE\n1\t5\trs1\tA\tG,T\tA\tADD\t9\t1\t1\t0.1\tX\n",
    b"b  CHR  SNP  BP A1 TEST NMISS BETA STAT P\n  1  rs1  5  A  ADD  9  1  1  0.1\n",
    b"aMarkerName\tAllele1\tAllele2\tEffect\tStdErr\tP-value\tDirection\nchr1_5_A_G_b38\ta\tg\t1\t1\t0.1\t+\n",
    b"a" + _CATALOGUE,
    b"aCHROM GENPOS ID ALLELE0 ALLELE1 A1FREQ N TEST BETA.Y1 SE.Y2 LOG10P.Y1\n1 5 rs1 A G 0.1 9 ADD 1 2 3\n",
    b'a"probe","chr","pos","beta","se","p"\n"cg1","1",5,0.1,0.2,"0.5"\n',
    b"amolecular_trait_id\tchromosome\tposition\tref\talt\tbeta\tse\tpvalue\tac\tan\nE\t1\t5\tA\tG\t1\t1\t0.1\t0\t0\n",
    b"a\x1f\x8b#",
    b"v" + _VCF,
    b"vCHR\tPOS\tREF\tALT\tAF\n1\t5\tA\tG,T\t0.1,0.2\n",
    b"f>one\nACGT\nAC\n>two words\nNN\n",
    b"c" + _CHAIN,
    b"g1\t5\t9\tABC\tENSG1\n",
    b"g\n\t5\t9\tABC\tENSG1\n\n",
    b"gchromosome_name\tstart_position\tend_position\tstrand\tensembl_gene_id\texternal_gene_name\n1\t5\t9\t-1\tE\tA\n",
    b"ygenome_assembly: GRCh37\nsamples:\n  - sample_size: 5\n    sample_ancestry: [x]\n",
    b"i1\trs1\t0\t5\tA\tG\n",
)


def one_input(content: bytes) -> str:
    """Read one input; gives 'read' or the error's code. Anything but our own errors passes through."""
    target = _TARGETS.get(content[:1], _associations)
    try:
        target(content[1:])
    except NexomeError as error:
        return error.code
    return "read"


def _associations(content: bytes, **said: object) -> None:
    options = reader.ReadOptions(block_bytes=BLOCK_BYTES, **said)
    with recognise.open_associations("-", options, stdin=io.BytesIO(content)) as opened:
        for batch in opened:
            names = [n for n in batch.table.column_names if n != "line"]
            assert batch.table.select(names).schema.equals(opened.schema)
            lines = batch.lines()
            assert len(lines) == batch.table.num_rows
            last = opened.stream.line
            assert all(0 < n <= last for n in lines)
            assert all(0 < p.line <= last for p in batch.problems)


def _with_bim(content: bytes) -> None:
    _associations(content, bim=_file(SEEDS[-1][1:], "a.bim"))


def _file(content: bytes, name: str) -> Path:
    path = HERE / name
    path.write_bytes(content)
    return path


def _sites(content: bytes) -> None:
    for table in vcf_sites.read_sites(_file(content, "a.vcf")):
        assert table.schema.equals(vcf_sites.SCHEMA)


def _fasta(content: bytes) -> None:
    opened = fasta.Fasta.open(_file(content, "a.fa"))
    for name, length in opened.contigs.items():
        if length:
            assert len(opened.fetch(name, 1, length)) == length


_TARGETS = {
    b"a": _associations,
    b"b": _with_bim,
    b"v": _sites,
    b"f": _fasta,
    b"c": lambda content: chain.read_chain(_file(content, "a.chain")),
    b"g": lambda content: genes.read_genes(_file(content, "a.bed")),
    b"y": lambda content: gwas_ssf.metadata_of(gwas_ssf.read_sidecar(_file(content, "a.yaml"))),
    b"i": lambda content: plink.read_bim(_file(content, "a.bim")),
}

_PIECES = (
    b"\t",
    b"\n",
    b"\r\n",
    b" ",
    b",",
    b'"',
    b"\0",
    b"NA",
    b"1e-400",
    b"-1",
    b"0x1",
    b"inf",
    b"\xff",
    b"#",
    b":",
    b"A",
)


def mutations(count: int, seed: int = 1) -> list[bytes]:
    """Blindly changed seeds: bytes cut, doubled, swapped, replaced by pieces that matter to tables."""
    chance = random.Random(seed)
    found = []
    for _ in range(count):
        content = bytearray(chance.choice(SEEDS))
        for _ in range(chance.randint(1, 6)):
            at = chance.randrange(1, len(content) + 1) if len(content) > 1 else 1
            until = min(len(content), at + chance.choice((0, 1, 1, 2, 8, 40)))
            content[at:until] = chance.choice((b"", chance.choice(_PIECES), bytes(content[at:until]) * 2))
        found.append(bytes(content))
    return found


def main() -> None:
    """Fuzz with atheris for some seconds; leaves with its exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=300)
    seconds = parser.parse_args().seconds
    if atheris is None:
        sys.exit("atheris is not installed: pip install -r requirements/fuzz.txt")
    corpus = HERE / "corpus"
    corpus.mkdir()
    for i, seed in enumerate(SEEDS):
        (corpus / f"seed{i}").write_bytes(seed)
    flags = [f"-max_total_time={seconds}", "-max_len=4096", "-rss_limit_mb=3000", "-timeout=20"]
    flags += [f"-artifact_prefix={HERE}/", str(corpus)]
    atheris.Setup([sys.argv[0], *flags], one_input_for_atheris)
    atheris.Fuzz()


def one_input_for_atheris(content: bytes) -> None:
    """As `one_input`; atheris wants no answer."""
    one_input(content)


if __name__ == "__main__":
    main()
