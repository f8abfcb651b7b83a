"""A made-up cohort whose distributions are known, in a root of its own."""

import numpy as np
import pyarrow as pa

from nexome.methods.reference.lms import value_at
from nexome.model.cohorts import Category, Cohort, Dictionary, Variable
from nexome.store.cohorts import CohortStore
from nexome.store.root import create_root, load_assembly

SEXES = (Category("1", "Male", "男"), Category("2", "Female", "女"))
VARIABLES = (
    Variable("pid", "text", role="participant", sensitivity="identifying"),
    Variable("visit", "integer", role="visit"),
    Variable("sex", "category", role="sex", categories=SEXES),
    Variable("age", "decimal", unit="a", role="age"),
    Variable("ldl", "decimal", "LDL cholesterol", "低密度脂蛋白胆固醇", "mmol/L", terms=("LOINC:13457-7",)),
    Variable("sbp", "decimal", "Systolic pressure", "收缩压", "mm[Hg]"),
    Variable("humps", "decimal", unit="mmol/L"),
    Variable("change", "decimal", unit="1"),
    Variable("smoker", "boolean"),
    Variable("heft", "decimal"),
)
COHORT = Cohort(
    "town", title="Town study", title_zh="小城队列", country="CN", excluded="People in care homes."
)


def ldl_at(age, sex):
    """L, M, S of ldl: sex 0 male, 1 female."""
    return 0.2, np.exp(1.0 + 0.006 * (age - 20) - 0.05 * sex), 0.22 + 0.0 * age


def people(n=6_000, seed=1, visits=1):
    """Rows of the cohort: exact ages, ldl to 10⁻⁶ (nobody shares a value), sbp in whole mmHg."""
    rng = np.random.default_rng(seed)
    age = rng.uniform(20, 80, n)
    sex = rng.integers(0, 2, n)
    # half a millionth more: no value is what rounding to a few digits gives
    ldl = np.round(value_at(rng.normal(size=n), *ldl_at(age, sex)), 6) + 5e-7
    ldl[rng.random(n) < 0.05] = np.nan
    humps = np.where(rng.random(n) < 0.5, rng.normal(4, 0.2, n), rng.normal(9, 0.2, n))
    columns = {
        "pid": pa.array([f"P{k:06}" for k in range(n)]),
        "visit": pa.array(np.zeros(n, np.int64)),
        "sex": pa.array(np.array(["1", "2"])[sex]),
        "age": pa.array(np.round(age, 2)),
        "ldl": pa.array(ldl),
        "sbp": pa.array(np.round(rng.normal(105 + 0.4 * age, 13))),
        "humps": pa.array(np.round(humps, 3)),
        "change": pa.array(np.round(rng.normal(0, 1, n), 3)),
        "smoker": pa.array(rng.random(n) < 0.3, mask=rng.random(n) < 0.1),
        "heft": pa.array(np.where(sex == 1, 3.0, 1.0)),
    }
    table = pa.table(columns)
    if visits == 1:
        return table
    again = table.set_column(1, "visit", pa.array(np.ones(n, np.int64)))
    return pa.concat_tables(
        [table, again.set_column(again.column_names.index("sbp"), "sbp", pa.array(np.full(n, 999.0)))]
    )


def keep(root, table, cohort=COHORT):
    """Publish a table as the next version of a cohort."""
    with CohortStore.open(root).stage(cohort, Dictionary(VARIABLES)) as staged:
        staged.add(table)
        return staged.publish({})


def make_root(path, table=None):
    """A root with the cohort in it."""
    create_root(path, assembly=load_assembly("GRCh38"))
    keep(path, people() if table is None else table)
    return path
