"""A small town to ask about, as the guard sees a cohort."""

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from nexome.access.disclosure import Cells, Question, guard_of
from nexome.access.disclosure.state import DisclosureState
from nexome.access.identity import ANONYMOUS, OWNER, Principal
from nexome.access.policy import project_subject
from nexome.model.cohorts import Category, Cohort, Dictionary, Variable
from nexome.model.settings import Settings
from nexome.store.cohorts.manifest import FOLDER
from nexome.store.cohorts.people import KEY_BYTES, KEY_NAME
from nexome.store.ledger import open_project

DICTIONARY = Dictionary(
    (
        Variable("pid", "text", role="participant", sensitivity="identifying"),
        Variable("sex", "category", role="sex", categories=(Category("F"), Category("M"))),
        Variable("age", "integer", role="age", minimum=0, maximum=120),
        Variable("asthma", "boolean"),
        Variable("ldl", "decimal", unit="mmol/L", label="LDL cholesterol", minimum=0.1, maximum=15),
        Variable("smokes", "boolean"),
        Variable(
            "variant",
            "category",
            hgr_class="genetic-information",
            categories=(Category("AA"), Category("AG")),
        ),
        Variable("duo", "text", role="purposes"),
    )
)


@dataclass
class Town:
    """`people` of whom most have a record, in a fresh root; `purposes` a text a person.

    The key of the root is always the same: under one in 25, five people share groups and are refused.
    """

    root: object
    people: int = 400
    cohort: Cohort = field(default_factory=lambda: Cohort("town", access="open"))
    dictionary: Dictionary = DICTIONARY
    purposes: tuple = ()

    def __post_init__(self):
        key = Path(self.root) / FOLDER / KEY_NAME
        key.parent.mkdir(parents=True, exist_ok=True)
        key.write_bytes(bytes(range(KEY_BYTES)))
        random = np.random.default_rng(3)
        self.keys = np.sort(random.integers(1, 2**63, self.people).astype(np.uint64))
        self.sex = random.integers(0, 2, self.people).astype(np.int32)
        self.age = random.integers(20, 80, self.people)
        self.ldl = random.normal(3.3, 0.9, self.people)
        self.centre = SimpleNamespace(root=SimpleNamespace(path=self.root), settings=Settings())
        self.restart()

    def column(self, name):
        assert name == "duo"
        texts = sorted(set(self.purposes) - {""})
        codes = [texts.index(t) if t else -1 for t in self.purposes] or [-1] * self.people
        return SimpleNamespace(values=np.array(codes, np.int32), categories=tuple(texts))

    def restart(self):
        self.centre.disclosure = DisclosureState(self.root)

    def project(self, name="P", **asked):
        open_project(self.root, name, **asked)
        return name

    def guard(self, reader="controlled", project="P", **asked):
        if reader == "owner":
            return guard_of(self.centre, OWNER, **asked)
        if reader == "grid":
            return guard_of(self.centre, ANONYMOUS, **asked)
        grants = frozenset({(project_subject(self.cohort.id, project), "read")})
        return guard_of(self.centre, Principal("holder", "A. Reader", grants), project, **asked)

    def cells(self, who, values=None, **asked):
        return Cells(self.keys, np.where(who, 0, -1).astype(np.int32), ["asked"], values, **asked)

    def question(self, kind="count", **asked):
        return Question(
            kind, self.cohort.id, asked.pop("version", 1), f"{kind} of some", measured="ldl", **asked
        )

    def count(self, who, **asked):
        reader = asked.pop("guard", None) or self.guard()
        return reader.release(self.question(**asked), self.cells(who), of=self).cells[0].count
