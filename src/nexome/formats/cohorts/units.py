"""Units as they stand in headers: `Chol (mg/dL)`, `总胆固醇（mmol/L）`, `LDL-C[mg/dL]`, `weight_kg`.

Says what is the unit's wording and what is the name. Which UCUM code it is, is the business of model.ucum.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_BRACKETED: Final = re.compile(r"^(.*?)\s*[(\[【{<]\s*([^()\[\]【】{}<>]*?)\s*[)\]】}>]\s*(.*)$")
_AFTER_COMMA: Final = re.compile(r"^(.*\S)\s*[,，;；:]\s*(\S+)$")
_LAST_WORD: Final = re.compile(r"^(.*\S)[\s_.]+(\S+)$")
# The words of units that stand in headers of health data; a wording beyond these is kept as part of the name.
_SIMPLE: Final = (
    r"(?:[pnuµμmcdkMG]?(?:g|mol|L|l|IU|U|Eq|eq|kat|m|s|sec|V|Pa|J|cal|Hz|osm)|mmHg|mm\s?Hg|cmH2O|kcal|min|h|hr|hrs|d|day|days|"
    r"wk|week|weeks|mo|month|months|y|yr|yrs|year|years|hour|hours|minute|minutes|bpm|beats|kilogram|kilograms|cells?|copies|"
    r"lb|lbs|in|inch|inches|ft|fL|fl|pg|dL|dl|%|‰|°C|℃|°F|ppm|ratio|score|pack-?years?|m2|m\^2|m²|1\.73\s?m2|"
    r"毫摩尔|微摩尔|纳摩尔|摩尔|毫克|微克|纳克|克|千克|公斤|斤|厘米|毫米|米|升|毫升|分升|微升|毫米汞柱|岁|年|月|天|日|周|小时|"
    r"分钟|秒|次|单位|国际单位|个|平方米|千卡|摄氏度|支)"
)
_COUNT: Final = r"(?:[x×*]?\s?10\s?[\^*]{0,2}\s?\d+|10E\d+|K|k|M|千|万|百万)"
_UNIT: Final = re.compile(
    rf"(?:1|{_COUNT}|{_SIMPLE}|#)?(?:\s?[/·.*每]\s?(?:{_COUNT}|{_SIMPLE}|hpf|HPF))*(?:\s?/\s?{_SIMPLE})?"
)

# Units that are words of names as well: `sample.yr` is the year of the sample, `study_day` counts days.
_WORDS_TOO: Final = re.compile(
    r"[dhymsgluk]|mo|min|sec|score|ratio|in|inch|ft|cells|copies|beats|(day|month|year|yr|week|wk|hour|hr|minute)s?"
)
_DURATION: Final = re.compile(r"age|time|duration|survival|follow|length|interval|龄|时间|时长")


def looks_like_unit(text: str) -> bool:
    """Whether a wording is a unit.

    >>> [looks_like_unit(t) for t in ("mg/dL", "毫摩尔/升", "10^9/L", "male", "")]
    [True, True, True, False, False]
    """
    plain = unicodedata.normalize("NFKC", text).strip()
    if not plain or plain in {"1", "K", "k", "M", "#"}:
        return False
    word = plain.lower() if len(plain) > 3 and plain.isalpha() else plain  # 'Months', 'YEARS'
    return bool(_UNIT.fullmatch(plain) or _UNIT.fullmatch(word))


def unit_of_header(header: str) -> tuple[str, str]:
    """A header as (name, unit's wording); the wording is '' where none is surely a unit.

    A last word without brackets (`weight_kg`) is no sure sign: see `unit_of_last_word`.

    >>> unit_of_header("总胆固醇（mmol/L）"), unit_of_header("eosinophils(%)"), unit_of_header("Sex (1=male)")
    (('总胆固醇', 'mmol/L'), ('eosinophils', '%'), ('Sex (1=male)', ''))
    """
    plain = unicodedata.normalize("NFKC", header)
    if (m := _BRACKETED.match(plain)) and looks_like_unit(m[2]):
        return " ".join(f"{m[1]} {m[3]}".split()), m[2]
    if (m := _AFTER_COMMA.match(plain)) and looks_like_unit(m[2]):
        return m[1], m[2]
    return header, ""


def unit_of_last_word(header: str) -> tuple[str, str]:
    """A header whose last word, behind a blank or an underscore, is a unit; ('', '') else.

    >>> unit_of_last_word("weight_kg"), unit_of_last_word("wt71"), unit_of_last_word("HbA1c %")
    (('weight', 'kg'), ('', ''), ('HbA1c', '%'))
    """
    plain = unicodedata.normalize("NFKC", header).strip()
    if (m := _LAST_WORD.match(plain)) and looks_like_unit(m[2]) and len(m[1]) > 1:
        sure = not _WORDS_TOO.fullmatch(m[2].lower()) or _DURATION.search(m[1].lower())
        return (m[1], m[2]) if sure else ("", "")
    return "", ""
