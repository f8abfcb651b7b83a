"""What a record weighs: how often what is known, and the studies that are open, use its term."""

import pyarrow as pa

from nexome.formats.knowledge.statements import HAS_PHENOTYPE
from nexome.search.sources import MENTIONED_BY, mentions


def test_a_term_is_used_by_lists_of_terms_and_by_the_diseases_that_have_a_phenotype() -> None:
    rows = [
        ("EFO:1", MENTIONED_BY, "gwas", 12.0),
        ("EFO:2", MENTIONED_BY, "gwas", None),
        ("OMIM:1", HAS_PHENOTYPE, "HP:1", 0.4),
        ("OMIM:2", HAS_PHENOTYPE, "HP:1", None),
        ("OMIM:2", "biolink:related_to", "HP:2", 5.0),
    ]
    columns = dict(zip(("subject", "predicate", "object", "score"), zip(*rows, strict=True), strict=True))
    batch = pa.RecordBatch.from_pydict({name: list(values) for name, values in columns.items()})
    assert mentions([("one", batch), ("two", batch.slice(2, 1))]) == {"EFO:1": 12, "EFO:2": 1, "HP:1": 3}
