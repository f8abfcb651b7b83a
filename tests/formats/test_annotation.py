"""GTF and GFF3 in the dialects people have: the same genes, transcripts, exons and coding parts."""

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexome.formats.annotation import read_annotation
from nexome.formats.genes import read_gene_file
from nexome.model.errors import FormatError


def write(path: Path, rows: list[str], *, tail: str = "") -> Path:
    """Rows whose columns are separated by '|', as a file with tabs."""
    path.write_text("\n".join(row.replace("|", "\t") for row in rows) + "\n" + tail, encoding="utf-8")
    return path


IDS = 'gene_id "ENSG00000182378.15"; transcript_id "ENST00000381657.8"; gene_name "PLCXD1"'
GENCODE = [
    "##description: evidence-based annotation of the human genome (GRCh38), version 46",
    (
        'chrX|HAVANA|gene|101|900|.|+|.|gene_id "ENSG00000182378.15"; gene_type "protein_coding"; '
        'gene_name "PLCXD1"; level 2; hgnc_id "HGNC:23148";'
    ),
    (
        f'chrX|HAVANA|transcript|101|900|.|+|.|{IDS}; transcript_type "protein_coding"; tag "basic"; '
        'tag "MANE_Select"; tag "Ensembl_canonical";'
    ),
    f"chrX|HAVANA|exon|101|200|.|+|.|{IDS}; exon_number 1;",
    f"chrX|HAVANA|CDS|151|200|.|+|0|{IDS};",
    f"chrX|HAVANA|start_codon|151|153|.|+|0|{IDS};",
    f"chrX|HAVANA|exon|801|900|.|+|.|{IDS}; exon_number 2;",
    f"chrX|HAVANA|CDS|801|820|.|+|1|{IDS};",
    f"chrX|HAVANA|stop_codon|821|823|.|+|0|{IDS};",
    f"chrX|HAVANA|UTR|824|900|.|+|.|{IDS};",
    'chrY|HAVANA|gene|101|900|.|+|.|gene_id "ENSG00000182378.15_PAR_Y"; gene_name "PLCXD1";',
]
# As MaizeGDB writes B73 v5: no gene names, escapes, exons of several transcripts, FASTA at the end.
MAIZE = [
    "##gff-version 3",
    "chr1|NAM|chromosome|1|308452471|.|.|.|ID=1;Name=chromosome:Zm-B73-REFERENCE-NAM-5.0:1:1:308452471:1",
    (
        "chr1|NAM|gene|34617|40204|.|+|.|ID=Zm00001eb000010;biotype=protein_coding;"
        "description=Zinc%20finger%2C CCHC%3B type;logic_name=cshl_gene"
    ),
    (
        "chr1|NAM|mRNA|34617|40204|.|+|.|ID=Zm00001eb000010_T001;Parent=Zm00001eb000010;"
        "biotype=protein_coding;transcript_id=Zm00001eb000010_T001;canonical_transcript=1"
    ),
    "chr1|NAM|mRNA|34617|38000|.|+|.|ID=Zm00001eb000010_T002;Parent=Zm00001eb000010;biotype=protein_coding",
    "chr1|NAM|five_prime_UTR|34617|34721|.|+|.|Parent=Zm00001eb000010_T001",
    "chr1|NAM|exon|34617|35318|.|+|.|Parent=Zm00001eb000010_T001,Zm00001eb000010_T002;Name=exon.1",
    "chr1|NAM|exon|36037|40204|.|+|.|Parent=Zm00001eb000010_T001;Name=exon.2",
    "chr1|NAM|CDS|34722|35318|.|+|0|ID=Zm00001eb000010_P001;Parent=Zm00001eb000010_T001",
    "###",
]
NCBI = [
    "##gff-version 3",
    "#!processor NCBI annotwriter",
    "NC_000007.14|RefSeq|region|1|159345973|.|+|.|ID=NC_000007.14:1..159345973;Dbxref=taxon:9606",
    (
        "NC_000007.14|BestRefSeq|gene|44143213|44189439|.|-|.|ID=gene-GCK;Dbxref=GeneID:2645,HGNC:HGNC:4195;"
        "Name=GCK;description=glucokinase;gbkey=Gene;gene=GCK;gene_biotype=protein_coding;"
        "gene_synonym=FGQTL3,GK,GLK,HHF3"
    ),
    (
        "NC_000007.14|BestRefSeq|mRNA|44143213|44159022|.|-|.|ID=rna-NM_000162.5;Parent=gene-GCK;"
        "Name=NM_000162.5;gene=GCK;tag=MANE Select;transcript_id=NM_000162.5"
    ),
    "NC_000007.14|BestRefSeq|exon|44143213|44145280|.|-|.|ID=exon-1;Parent=rna-NM_000162.5",
    "NC_000007.14|BestRefSeq|CDS|44145170|44145280|.|-|0|ID=cds-1;Parent=rna-NM_000162.5;gene=GCK",
    "NC_000007.14|tRNAscan-SE|gene|100|171|.|+|.|ID=gene-TRNA1;Name=TRNA1;gene_biotype=tRNA",
    "NC_000007.14|tRNAscan-SE|exon|100|171|.|+|.|ID=exon-2;Parent=gene-TRNA1",
    "NC_000007.14|RefSeq|cDNA_match|5|90|.|+|.|ID=m1;Target=NM_1 1 80",
    "NC_000007.14|BestRefSeq|exon|5|90|.|+|.|ID=exon-9;Parent=rna-GONE",
]


def test_gencode_gtf(tmp_path: Path):
    found = read_annotation(write(tmp_path / "gencode.gtf", GENCODE))
    assert (found.dialect, found.set_aside) == ("gtf", {})
    assert [(g["gene_symbol"], g["gene_id"], g["chromosome"]) for g in found.genes.to_pylist()] == [
        ("PLCXD1", "ENSG00000182378.15", "chrX"),
        ("PLCXD1", "ENSG00000182378.15_PAR_Y", "chrY"),
    ]
    (transcript,) = found.transcripts.to_pylist()
    assert transcript["canonical"]
    assert transcript["tags"] == "basic MANE_Select Ensembl_canonical"
    assert (transcript["exon_starts"], transcript["exon_ends"]) == ([101, 801], [200, 900])
    # GTF leaves the stop codon out of the CDS; GFF3, and everyone who draws it, counts it in.
    assert (transcript["cds_start"], transcript["cds_end"]) == (151, 823)


def test_plant_gff3(tmp_path: Path):
    path = write(tmp_path / "maize.gff3", MAIZE, tail="##FASTA\n>chr1\nACGT not a line of it\n")
    found = read_annotation(path)
    assert (found.dialect, found.set_aside) == ("gff3", {})
    (gene,) = found.genes.to_pylist()
    assert (gene["gene_symbol"], gene["gene_id"]) == ("Zm00001eb000010", "Zm00001eb000010")
    assert gene["description"] == "Zinc finger, CCHC; type"
    first, second = found.transcripts.to_pylist()
    assert (first["canonical"], second["canonical"]) == (True, False)
    assert (first["exon_starts"], second["exon_starts"]) == ([34617, 36037], [34617])
    assert (first["cds_start"], second["cds_start"]) == (34722, None)


def test_ncbi_gff3(tmp_path: Path):
    found = read_annotation(write(tmp_path / "ncbi.gff3", NCBI))
    assert found.set_aside == {"of type exon without its transcript": 1}
    gck, trna = found.genes.to_pylist()
    assert (gck["gene_symbol"], gck["gene_id"], gck["synonyms"]) == ("GCK", "GCK", "FGQTL3 GK GLK HHF3")
    assert (gck["description"], gck["gene_type"], trna["gene_type"]) == (
        "glucokinase",
        "protein_coding",
        "tRNA",
    )
    one, other = found.transcripts.to_pylist()
    assert (one["transcript_id"], one["canonical"], one["biotype"]) == ("NM_000162.5", True, "protein_coding")
    assert (other["transcript_id"], other["exon_starts"]) == ("TRNA1", [100])


def test_ensembl_gff3_writes_versions_beside_identifiers(tmp_path: Path):
    rows = [
        (
            "7|ensembl_havana|gene|100|900|.|-|.|ID=gene:ENSG00000106633;Name=GCK;biotype=protein_coding;"
            "description=glucokinase [Source:HGNC Symbol%3BAcc:HGNC:4195];gene_id=ENSG00000106633;version=18"
        ),
        (
            "7|ensembl|mRNA|100|900|.|-|.|ID=transcript:ENST00000403799;Parent=gene:ENSG00000106633;"
            "biotype=protein_coding;tag=basic,Ensembl_canonical,MANE_Select;transcript_id=ENST00000403799;version=8"
        ),
        "7|ensembl|exon|100|900|.|-|.|Parent=transcript:ENST00000403799;exon_id=ENSE1",
        "7|mirbase|biological_region|5|9|.|-|.|logic_name=x",
    ]
    found = read_annotation(write(tmp_path / "e.gff3", rows))
    (gene,), (transcript,) = found.genes.to_pylist(), found.transcripts.to_pylist()
    assert gene["gene_id"] == transcript["gene_id"] == "ENSG00000106633.18"
    assert (transcript["transcript_id"], transcript["gene_symbol"]) == ("ENST00000403799.8", "GCK")
    assert gene["description"] == "glucokinase [Source:HGNC Symbol;Acc:HGNC:4195]"


def test_a_gtf_of_exons_alone_gives_genes_and_transcripts(tmp_path: Path):
    """UCSC's refGene: no line of a gene, one identifier on several chromosomes."""
    rows = [
        f'{chrom}|refGene|exon|{start}|{start + 9}|.|+|.|gene_id "DDX11L1"; transcript_id "NR_046018"; '
        'gene_name "DDX11L1";'
        for chrom, start in (("chr1", 100), ("chr1", 200), ("chr15", 500))
    ]
    found = read_annotation(write(tmp_path / "r.gtf", rows))
    places = [(g["gene_symbol"], g["chromosome"], g["start"], g["end"]) for g in found.genes.to_pylist()]
    assert places == [("DDX11L1", "chr1", 100, 209), ("DDX11L1", "chr15", 500, 509)]
    assert [t["exon_starts"] for t in found.transcripts.to_pylist()] == [[100, 200], [500]]


@given(st.permutations(MAIZE[2:-1]))
def test_the_order_of_lines_does_not_matter(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("order")
    asked = read_annotation(write(folder / "a.gff3", ["##gff-version 3", *rows]))
    plain = read_annotation(write(folder / "b.gff3", MAIZE))
    assert asked.genes.equals(plain.genes)
    names = [("transcript_id", "ascending")]
    assert asked.transcripts.sort_by(names).equals(plain.transcripts.sort_by(names))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("chr1|x|gene|9|5|.|+|.|ID=a", "line 3.*from 9 to 5.*1 ≤ start ≤ end"),
        ("chr1|x|gene|0|5|.|+|.|ID=a", "line 3.*from 0 to 5.*count from 1"),
        ("chr1|x|gene|nine|5|.|+|.|ID=a", "line 3.*'nine' to '5'"),
        ("chr1|x|gene|9", "line 3: 4 columns.*9 columns"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, row: str, message: str):
    path = write(tmp_path / "bad.gff3", ["##gff-version 3", MAIZE[2], row])
    with pytest.raises(FormatError, match=message):
        read_annotation(path)


def test_a_packed_file_is_recognised_by_what_is_in_it(tmp_path: Path):
    path = tmp_path / "genes.txt"
    path.write_bytes(gzip.compress(("\n".join(r.replace("|", "\t") for r in GENCODE) + "\n").encode()))
    found = read_gene_file(path)
    assert (found.format, found.genes.num_rows) == ("gtf", 2)
    assert found.transcripts is not None
    bed = tmp_path / "g.bed"
    bed.write_text("chr1\t99\t200\tABC\tENSG1\n", encoding="utf-8")
    assert read_gene_file(bed).genes["gene_symbol"].to_pylist() == ["ABC"]
