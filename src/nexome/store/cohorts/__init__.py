"""The table store: cohorts as immutable versions of participant × variable, with their people apart."""

from nexome.store.cohorts.columns import PARTICIPANT, stored_variables
from nexome.store.cohorts.manifest import FOLDER, CohortEntry, CohortKind
from nexome.store.cohorts.packed import Column
from nexome.store.cohorts.store import CohortStore, rebuild_packed
from nexome.store.cohorts.table import CohortTable
from nexome.store.cohorts.write import StagedCohort

__all__ = [
    "FOLDER",
    "PARTICIPANT",
    "CohortEntry",
    "CohortKind",
    "CohortStore",
    "CohortTable",
    "Column",
    "StagedCohort",
    "rebuild_packed",
    "stored_variables",
]
