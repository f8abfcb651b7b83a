"""Which quantity a variable measures, told by its terms, labels and name, in English and Chinese.

Names of substances are those of `model.analytes`; this module adds what is no substance: age, sex, body
measures, pressure, blood cells. A word that stands for two quantities (BP, 血压) names both, and the values
have to decide. Nothing is learned; a word that is missing is a line here.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile
from typing import Final, Literal

from nexome.ingest.mapping.typical import TYPICAL
from nexome.model.analytes import ANALYTES
from nexome.model.cohorts import Variable
from nexome.model.ucum import read_unit

Where = Literal["term", "label", "label_zh", "name"]

# quantity: LOINC codes, then words
_BODY: Final = {
    "age": (
        ("30525-0",),
        "age ageyears ageyr ageyrs ageinyears ageatvisit ageatbaseline ridageyr 年龄 岁数 周岁",
    ),
    "sex": (("46098-0", "76689-9"), "sex gender riagendr 性别"),
    "height": (
        ("8302-2",),
        "height ht hgt bodyheight standingheight stature heightcm htcm bmxht 身高",
    ),
    "weight": (("29463-7", "3141-9"), "weight wt wgt bodyweight weightkg wtkg bodymass bmxwt 体重"),
    "body_mass_index": (
        ("39156-5",),
        "bmi bodymassindex quetelet bmxbmi 体重指数 体质指数 身体质量指数 体质量指数",
    ),
    "waist": (("8280-0",), "waist waistcircumference waistcm wc bmxwaist 腰围"),
    "hip": (("62409-8",), "hip hipcircumference hipcm hc 臀围"),
    "systolic_pressure": (
        ("8480-6",),
        "sbp sys systolic systolicbp systolicpressure bpsys bpsystolic sysbp 收缩压 高压",
    ),
    "diastolic_pressure": (
        ("8462-4",),
        "dbp dia diastolic diastolicbp diastolicpressure bpdia bpdiastolic diabp 舒张压 低压",
    ),
    "heart_rate": (("8867-4",), "hr pulse heartrate restingheartrate pulserate 心率 脉搏 静息心率"),
    "haematocrit": (("4544-3", "20570-8"), "hct haematocrit hematocrit pcv 红细胞压积 红细胞比容 血细胞比容"),
    "platelets": (("777-3", "26515-7"), "plt platelet platelets plateletcount 血小板 血小板计数"),
    "white_cells": (
        ("6690-2", "26464-8"),
        "wbc whitecells whitebloodcells whitebloodcellcount leukocytes leucocytes 白细胞 白细胞计数",
    ),
    "red_cells": (
        ("789-8", "26453-1"),
        "rbc redcells redbloodcells redbloodcellcount erythrocytes 红细胞 红细胞计数",
    ),
    "neutrophils": (
        ("751-8", "26499-4"),
        "neut neutrophilcount neutrophilscount neutrophils# 中性粒细胞计数 中性粒细胞# 中性粒细胞绝对值",
    ),
    "lymphocytes": (
        ("731-0", "26474-7"),
        "lymph lymphocytecount lymphocytescount lymphocytes# 淋巴细胞计数 淋巴细胞# 淋巴细胞绝对值",
    ),
    "monocytes": (
        ("742-7", "26484-6"),
        "mono monocytecount monocytescount monocytes# 单核细胞计数 单核细胞# 单核细胞绝对值",
    ),
    "globulin": (("2336-6", "10834-0"), "globulin glob 球蛋白"),
}
_EITHER: Final = {
    "bp": ("systolic_pressure", "diastolic_pressure"),
    "bloodpressure": ("systolic_pressure", "diastolic_pressure"),
    "restbp": ("systolic_pressure", "diastolic_pressure"),
    "血压": ("systolic_pressure", "diastolic_pressure"),
}
# spellings of laboratories beyond those of model.analytes
_ALSO: Final = {
    "systolic_pressure": "systolicbloodpressure systolicbloodpressureaverage",
    "diastolic_pressure": "diastolicbloodpressure diastolicbloodpressureaverage",
    "urate": "uricacidlevel serumuric sua",
    "alt": "glutamicpyruvictransaminase sgpt alat",
    "ast": "aspartateaminotransferase sgot asat",
    "ggt": "γglutamyltranspeptidase γ谷氨酰转肽酶 gammaglutamyltransferase",
    "cholesterol_total": "totalcholesterol cholesteroltotal",
    "apolipoprotein_a1": "apoa apolipoproteina",
}
_NOT_KEY: Final = re.compile(r"[^0-9a-zα-ω#%㐀-鿿]+")
_BRACKET: Final = re.compile(r"[(\[（［【][^)\]）］】]*[)\]）］】]")
# what surrounds a quantity's word without making it another quantity
_AROUND: Final = re.compile(
    r"^(?:serum|plasma|blood|fasting|baseline|mean|avg|average|measured|total(?=bilirubin)"
    r"|血清|血浆|空腹|基线|体检|受试者|参与者|患者|平均(?=收缩|舒张))"
    r"|(?:ave|avg|average|mean|levels?|concentration|value|measurement|baseline|bl|direct|mmhg|mgdl|mmoll|umoll|cm|kg"
    r"|(?:automated|manual)reading|refrigeratedserum|inserum|inblood|of(?:the)?participant"
    r"|水平|浓度|测定|测定值|检测|值|定量|(?<![0-9])[0-9]{1,2})$"
    r"|(?<=^age)(?:inyears)?at(?:recruitment|enrol?lment|screening|baseline|visit|examination|entry|interview|survey)$"
)
_SCRIPTS: Final = re.compile(r"[㐀-鿿]+|[^㐀-鿿]+")
_SURE, _TRIMMED, _SHORTENED, _SHARED = 1.0, 0.9, 0.75, 0.6
_SHORTEST: Final = 5  # letters of a beginning that still tells a word (choles: cholesterol)


@dataclass(frozen=True, slots=True)
class Told:
    """A quantity a variable may be, how surely (0–1), and by which of its texts."""

    quantity: str
    sureness: float
    where: Where
    text: str


def quantities_of(variable: Variable) -> tuple[Told, ...]:
    """The quantities a variable may measure by what is written of it, the surest first.

    Terms weigh most, then labels, then the name; a text that names another quantity exactly outweighs a name
    that only begins alike.
    """
    found: dict[str, Told] = {}
    for where, text in _texts(variable):
        for quantity, sureness in quantities_in(text):
            kept = found.get(quantity)
            if kept is None or sureness > kept.sureness:
                found[quantity] = Told(quantity, sureness, where, text)
    ranked = sorted(found.values(), key=lambda told: -told.sureness)
    return tuple(t for t in ranked if t.sureness >= 0.8 * ranked[0].sureness)


def _texts(variable: Variable) -> Iterator[tuple[Where, str]]:
    for term in variable.terms:
        yield "term", term
    if variable.label:
        yield "label", variable.label
    if variable.label_zh:
        yield "label_zh", variable.label_zh
    yield "name", variable.name


@lru_cache(maxsize=8192)
def quantities_in(text: str) -> tuple[tuple[str, float], ...]:
    """(quantity, sureness 0–1) that a term, a label or a name may mean."""
    if text.upper().startswith("LOINC:"):
        return tuple((q, _SURE) for q in _words().get(text.split(":", 1)[1], ()))
    found = _looked_up(text)
    return tuple((q, s) for q, s in found if "%" in _units(q)) if "%" in text else found


def _looked_up(text: str) -> tuple[tuple[str, float], ...]:
    words, plain = _words(), word_key(text)
    tried = [(plain, _SURE)]
    if (bare := word_key(_BRACKET.sub(" ", text))) != plain:
        tried.append((bare, _TRIMMED))
    for key, sureness in tuple(tried):
        tried.extend((shorter, min(sureness, _TRIMMED)) for shorter in _trimmed(key))
    for key, sureness in tried:
        if found := words.get(key):
            return tuple((q, sureness if len(found) == 1 else _SHARED) for q in found)
    if both := _in_two_scripts(text):
        return both
    if len(bare) >= _SHORTEST and bare.isascii():
        return tuple((q, _SHORTENED) for q in words.get(_begun_with(bare), ()))
    return ()


def _begun_with(start: str) -> str:
    """The shortest known word that begins so; '' for none."""
    ordered = _ordered_words()
    place = bisect_left(ordered, start)
    begun = takewhile(lambda word: word.startswith(start), ordered[place:])
    return min(begun, key=len, default="")


@lru_cache(maxsize=1)
def _ordered_words() -> tuple[str, ...]:
    return tuple(sorted(_words()))


def _in_two_scripts(text: str) -> tuple[tuple[str, float], ...]:
    """What a Chinese name with an abbreviation or a unit beside it means: all parts must say the same."""
    parts = _SCRIPTS.findall(text)
    if len(parts) < 2:
        return ()
    named = [part for part in parts if word_key(part) and not read_unit(part.strip())]
    meant = [dict(_looked_up(part)) for part in named]
    shared = set.intersection(*map(set, meant)) if meant else set()
    return tuple((q, min(_TRIMMED, *(m[q] for m in meant))) for q in sorted(shared))


def _units(quantity: str) -> tuple[str, ...]:
    known = TYPICAL.get(quantity) or ANALYTES.get(quantity)
    return known.units if known else ()


def _trimmed(key: str) -> Iterator[str]:
    """The key without one, two or three words around it."""
    for _ in range(3):
        shorter = _AROUND.sub("", key, count=1)
        if shorter in {key, ""}:
            return
        yield (key := shorter)


def word_key(text: str) -> str:
    """A text as words are compared: half-width, lower case, letters, digits, Chinese signs, # and % alone."""
    return _NOT_KEY.sub("", unicodedata.normalize("NFKC", text).lower())


@lru_cache(maxsize=1)
def _words() -> dict[str, tuple[str, ...]]:
    words: dict[str, tuple[str, ...]] = {}
    for name, analyte in ANALYTES.items():
        for word in (name, analyte.label, analyte.label_zh, *analyte.words):
            words.setdefault(word_key(word), (name,))
        words.update(dict.fromkeys(analyte.loinc, (name,)))
    for name, (codes, spellings) in _BODY.items():
        words.update(dict.fromkeys((word_key(name), *codes, *spellings.split()), (name,)))
    for name, spellings in _ALSO.items():
        words.update(dict.fromkeys(map(word_key, spellings.split()), (name,)))
    return words | _EITHER
