"""A small cohort for tests of the store."""

import numpy as np
import pyarrow as pa

from nexome.model.cohorts import Category, Cohort, Dictionary, Variable

DICTIONARY = Dictionary(
    (
        Variable("pid", "text", role="participant", sensitivity="identifying"),
        Variable("visit", "integer", role="visit"),
        Variable("sex", "category", role="sex", categories=(Category("1", "male"), Category("2", "female"))),
        Variable(
            "chol",
            "decimal",
            unit="mmol/L",
            categories=(Category("-9", "refused", missing=True),),
        ),
        Variable("smokes", "boolean"),
        Variable("born", "date", role="date"),
        Variable("note", "text"),
        Variable("count", "integer"),
    )
)
COHORT = Cohort("town", title="Town study")


def rows(people=5, visits=2, seed=0):
    """A table as it comes from a file: in no order, with gaps."""
    random = np.random.default_rng(seed)
    size = people * visits
    order = random.permutation(size)
    gaps = random.random(size) < 0.2
    columns = {
        "pid": pa.array([f"P{n // visits:03}" for n in range(size)]),
        "visit": pa.array([n % visits for n in range(size)], pa.int64()),
        "sex": pa.array(random.choice(["1", "2"], size), mask=gaps),
        "chol": pa.array(np.round(random.uniform(2, 9, size), 2), mask=gaps),
        "smokes": pa.array(random.random(size) < 0.5, mask=gaps),
        "born": pa.array(random.integers(-20_000, 10_000, size) * 86_400, pa.timestamp("s"), mask=gaps),
        "note": pa.array([f"text {n}" for n in range(size)], mask=gaps),
        "count": pa.array(random.integers(-5, 1 << 40, size), mask=gaps),
    }
    return pa.table(columns).take(pa.array(order))
