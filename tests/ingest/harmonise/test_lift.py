import gzip

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nexome.ingest.harmonise.lift import LiftBlocks, are_indels, lift_positions
from nexome.ingest.resources import load_lift
from nexome.model.errors import InputError
from nexome.model.genome import allele_key
from nexome.store.root import load_assembly

block = st.tuples(
    st.integers(0, 1), st.integers(0, 60), st.integers(1, 20), st.integers(0, 90), st.booleans()
)


def blocks_of(rows):
    columns = np.array(rows, np.int64).reshape(-1, 5).T
    return LiftBlocks.of(
        source=columns[0].astype(np.int32),
        start=columns[1],
        end=columns[1] + columns[2],
        target=np.zeros(len(rows), np.int32),
        target_start=columns[3],
        inverted=columns[4].astype(bool),
    )


def plain(rows, contig, position):
    """Every place of a base, block by block."""
    found = []
    for source, start, size, target, inverted in rows:
        offset = position - 1 - start
        if source == contig and 0 <= offset < size:
            found.append((target - offset if inverted else target + offset) + 1)
    return found


@given(st.lists(block, min_size=1, max_size=8), st.integers(0, 1), st.integers(1, 90))
def test_bases_are_lifted_as_block_by_block(rows, contig, position):
    lifted = lift_positions(blocks_of(rows), np.array([contig]), np.array([position]), np.array([1]))
    want = plain(rows, contig, position)
    assert lifted.found[0] == len(want)
    if len(want) == 1:
        assert lifted.position[0] == want[0]


def test_a_stretch_must_lie_in_one_block_and_inverts_as_a_whole():
    blocks = blocks_of([(0, 10, 5, 100, False), (0, 15, 10, 200, True)])
    lifted = lift_positions(blocks, np.zeros(4, np.int64), np.array([11, 14, 16, 17]), np.array([5, 3, 1, 3]))
    assert lifted.found.tolist() == [1, 0, 1, 1]
    assert lifted.position[[0, 2, 3]].tolist() == [101, 201, 198]
    assert lifted.inverted.tolist() == [False, False, True, True]


def test_variants_with_an_anchor_are_told():
    texts = [
        ("A", "G"),
        ("AC", "GT"),
        ("A", "AC"),
        ("AC", "A"),
        ("A" * 20, "C" * 20),
        ("A", "T" * 40),
        ("A", "<DEL>"),
    ]
    keys = np.array([allele_key(*pair) for pair in texts], np.uint64)
    spelled = {allele_key(*pair): "/".join(pair) for pair in texts}
    assert are_indels(keys, spelled).tolist() == [False, False, True, True, False, True, True]


@pytest.mark.shared
def test_known_positions_by_hand(shared):
    chain = shared / "genotypes/hg19ToHg38.over.chain.gz"
    home = load_assembly("GRCh38")
    lift = load_lift(chain, home, source_name="GRCh37")
    # dbSNP: rs4988235 (LCT) 2:136608646 → 2:135851076; rs7903146 (TCF7L2) 10:114758349 → 10:112998590;
    # rs429358 (APOE) 19:45411941 → 19:44908684
    known = [("2", 136608646, 135851076), ("10", 114758349, 112998590), ("19", 45411941, 44908684)]
    contig = np.array([lift.source.rank(c) for c, _, _ in known])
    lifted = lift_positions(lift.blocks, contig, np.array([p for _, p, _ in known]), np.ones(3, np.int64))
    assert lifted.position.tolist() == [p for _, _, p in known]
    assert [home.contig_name(int(c)) for c in lifted.contig] == [c for c, _, _ in known]


@pytest.mark.shared
def test_genes_go_there_and_back(shared):
    there = load_lift(
        shared / "genotypes/hg19ToHg38.over.chain.gz", load_assembly("GRCh38"), source_name="GRCh37"
    )
    back = load_lift(
        shared / "genotypes/hg38ToHg19.over.chain.gz", load_assembly("GRCh37"), source_name="GRCh38"
    )
    text = (
        gzip.decompress((shared / "knowledge/gene.location.hg19.tsv.gz").read_bytes())
        .decode()
        .splitlines()[1:]
    )
    genes = [line.split("\t")[:2] for line in text]
    genes = [(c, int(p)) for c, p in genes if there.source.find_contig(c) is not None]
    contig = np.array([there.source.rank(c) for c, _ in genes])
    position = np.array([p for _, p in genes])
    one = np.ones(len(genes), np.int64)
    up = lift_positions(there.blocks, contig, position, one)
    assert (up.found == 1).mean() > 0.97
    names = [c.name for c in load_assembly("GRCh38").contigs]
    ranks = np.array([back.source.find_contig(n) for n in names])
    down = lift_positions(back.blocks, ranks[np.maximum(up.contig, 0)], up.position, one)
    both = (up.found == 1) & (down.found == 1)
    assert both.mean() > 0.97
    assert (
        down.position[both] == position[both]
    ).mean() > 0.99  # the rest lies in segmental duplications, where the two chains choose apart


@pytest.mark.shared
def test_a_chain_the_other_way_round_is_refused(shared):
    with pytest.raises(InputError, match="leads to"):
        load_lift(shared / "genotypes/hg38ToHg19.over.chain.gz", load_assembly("GRCh38"), source_name="x")
