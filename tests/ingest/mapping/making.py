"""Two small sources in other words and units, and a mapping that makes one table of them."""

import numpy as np
import pyarrow as pa

from nexome.model.cohorts import Category, Cohort, Dictionary, Variable
from nexome.store.cohorts import CohortStore
from nexome.store.root import create_root, load_assembly

TOWN = Dictionary(
    (
        Variable("pid", "text", role="participant"),
        Variable("Sex", "category", categories=(Category("1", "Male"), Category("2", "Female"))),
        Variable("Age", "integer", unit="a"),
        Variable("LDLC", "decimal", unit="mg/dL"),
        Variable("ht", "decimal", unit="cm"),
        Variable("wt", "decimal", unit="kg"),
        Variable("DM", "category", categories=(Category("0", "No"), Category("1", "Yes"))),
        Variable("smoke", "integer"),
        Variable("born", "date"),
    )
)
LAKE = Dictionary(
    (
        Variable("编号", "text", role="participant"),
        Variable("随访", "integer", role="visit"),
        Variable("日期", "date", role="date"),
        Variable("性别", "category", categories=(Category("f", "女"), Category("m", "男"))),
        Variable("年龄", "decimal", unit="a"),
        Variable("低密度脂蛋白", "decimal", unit="mmol/L"),
        Variable("糖尿病", "boolean"),
    )
)
TARGET = """\
target:
  id: both
  title: Town and lake
variables:
  sex:
    type: category
    role: sex
    categories: {male: {label: Male, label_zh: 男}, female: {label: Female, label_zh: 女}}
  age: {unit: a, role: age, minimum: 0, maximum: 120}
  ldl: {unit: mmol/L, minimum: 0.1, maximum: 20, label: LDL cholesterol}
  bmi: {unit: kg/m2, minimum: 10, maximum: 80}
  diabetes: {type: boolean}
  smoking: {type: category, categories: [never, former, current]}
  born: {type: date}
"""
TOWN_RULES = """\
  town:
    variables:
      sex: Sex
      age: Age
      ldl: LDLC
      bmi: {derive: wt / (ht * ht)}
      diabetes: DM
      smoking: {take: smoke, recode: {1: never, 2: former, 3: current}}
      born: born
"""
LAKE_RULES = """\
  lake:
    variables:
      sex: 性别
      age: 年龄
      ldl: {take: 低密度脂蛋白, combine: mean}
      diabetes: 糖尿病
"""
BOTH = f"{TARGET}sources:\n{TOWN_RULES}{LAKE_RULES}"
DAY = 86_400


def root_with(folder):
    """A root with the two sources."""
    root = create_root(folder / "root", assembly=load_assembly("GRCh38"))
    store = CohortStore(root)
    add(store, Cohort("town", people="valley"), TOWN, town())
    add(store, Cohort("lake", people="valley"), LAKE, lake())
    return root


def add(store, cohort, dictionary, table):
    with store.stage(cohort, dictionary) as staged:
        staged.add(pa.table(table))
        return staged.publish({})


def town():
    """Five persons; the third's LDL is impossible, the fourth's smoking has a code that nobody knows."""
    return {
        "pid": ["a", "b", "c", "d", "e"],
        "Sex": ["1", "2", "2", "1", None],
        "Age": [40, 50, 60, 30, 20],
        "LDLC": [100.5, 154.0, 9999.0, None, 80.0],
        "ht": [170.0, 160.0, 150.0, 180.0, None],
        "wt": [70.0, 60.0, 50.0, 90.0, 61.0],
        "DM": ["0", "1", None, "0", "1"],
        "smoke": [1, 2, 3, 7, None],
        "born": pa.array([0, DAY, None, 3 * DAY, 4 * DAY], pa.timestamp("s")),
    }


def lake():
    """Person e again, twice, and two others."""
    return {
        "编号": ["e", "e", "x", "y", "y", "y"],
        "随访": [1, 2, 1, 1, 2, 3],
        "日期": pa.array(np.array([0, 10, 5, 1, 2, 30]) * DAY, pa.timestamp("s")),
        "性别": ["f", "f", "m", "f", None, "f"],
        "年龄": [20.0, 21.0, 70.0, 33.0, 34.0, 35.0],
        "低密度脂蛋白": [3.0, 4.0, 2.5, None, 5.0, 6.0],
        "糖尿病": [True, None, False, None, False, True],
    }


def rows_by_person(root, cohort="both", people="valley"):
    """Rows of a harmonised cohort by the identifiers of the sources."""
    store = CohortStore(root)
    known = {store.participant_key(people, name): name for name in "abcdexy"}
    found = {}
    for row in store.get(cohort).table().to_pylist():
        found[known[row.pop("participant_key")]] = row
    return found
