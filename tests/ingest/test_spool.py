import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nexome.ingest.spool import Spool, row_type

batch = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from([0, 1, 0xFFFFFFFF]), st.integers(0, 2**32 - 1)), max_size=12
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(batch, max_size=5), st.integers(1, 20), st.sets(st.integers(0, 3)))
def test_rows_come_back_sorted_by_trait_and_place(tmp_path, batches, most, wanted):
    dtype = row_type(("trait",))
    kept = []
    with Spool(tmp_path / "rows", dtype) as spool:
        line = 0
        for part in batches:
            rows = np.zeros(len(part), dtype)
            for row, (trait, contig, position) in zip(rows, part, strict=True):
                line += 1
                row["trait"], row["locus"], row["line"] = trait, contig << 32 | position, line
                kept.append((trait, contig << 32 | position, line))
            spool.append(rows)
        back = [tuple(map(int, r[["trait", "locus", "line"]])) for b in spool.blocks(most=most) for r in b]
        some = np.array(sorted(wanted), np.uint32)
        chosen = [int(r["line"]) for b in spool.blocks(traits=some, most=most) for r in b]
    assert back == sorted(kept)
    assert chosen == [n for trait, _, n in sorted(kept) if trait in wanted]
    assert not (tmp_path / "rows").exists()
