"""Expressions over variables, for rules of a mapping and for filters: read, checked, evaluated column-wise.

    sex = female and age between 40 and 60 and ldl > 4.1 mmol/L and asthma = yes
    weight / (height * height)                        mean(sbp1, sbp2, sbp3)
    case when smoke100 = no then 'never' when smokes = yes then 'current' else 'former' end

`parse` gives a tree of frozen parts; `bind` settles it against variables: names exist, units agree, written
numbers come in the unit of what they meet, words are codes; `evaluate` gives the values. No text is ever
evaluated by Python.
"""

from nexome.model.expressions.binding import Bound, bind, infer_unit
from nexome.model.expressions.evaluating import Column, evaluate, is_true, rounded
from nexome.model.expressions.parsing import FUNCTIONS, parse
from nexome.model.expressions.tree import Expression, Name, canonical, names, parts_of, walk

__all__ = [
    "FUNCTIONS",
    "Bound",
    "Column",
    "Expression",
    "Name",
    "bind",
    "canonical",
    "evaluate",
    "infer_unit",
    "is_true",
    "names",
    "parse",
    "parts_of",
    "rounded",
    "walk",
]
