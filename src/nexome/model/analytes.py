"""What laboratories measure in people: names in two languages, LOINC codes, molar masses, conventions, plausible ranges.

Molar masses are those of the formula with the abridged standard atomic weights of IUPAC (2021); a test computes them
anew. Where a trade converts by something else, the row says so: triglycerides as triolein's rounded 885.4 g/mol (the
usual 88.54), haemoglobin as its monomer, insulin by stated international units, HbA1c by the
NGSP–IFCC master equation. LOINC codes are given for blood, serum or plasma; their check digits are tested.
Plausible ranges are those of living people, patients included; no reference limits.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class Convention:
    """value in `unit` · factor + offset = value in `to`, and who says so. `exact_unit`: only between these two codes."""

    unit: str
    to: str
    factor: str
    source: str
    offset: str = "0"
    exact_unit: bool = False


@dataclass(frozen=True, slots=True)
class Analyte:
    """One measured substance. `unit`: its usual SI unit, in which `minimum` and `maximum` stand.

    `units`: those that sources write it in. `molar_mass` in g/mol, '' where there is no one substance;
    `formula` what it is computed from ('' where a convention states it). `charge`: equivalents a mole (0: not told).
    `words`: names and abbreviations, besides the labels.
    """

    name: str
    label: str
    label_zh: str
    unit: str
    minimum: float
    maximum: float
    molar_mass: str = ""
    formula: str = ""
    loinc: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    charge: int = 0
    conventions: tuple[Convention, ...] = ()


_INSULIN: Final = (
    Convention(
        "u[IU]/mL", "pmol/L", "6", "1 µIU = 6 pmol, WHO reference preparation 66/304 as usually taken"
    ),
    Convention("uU/mL", "pmol/L", "6", "1 µU = 6 pmol, WHO reference preparation 66/304 as usually taken"),
)
_HBA1C: Final = (
    Convention(
        "mmol/mol", "%", "0.09148", "NGSP = 0.09148 · IFCC + 2.152, master equation of IFCC and NGSP",
        offset="2.152", exact_unit=True,
    ),
)  # fmt: skip
_MASS: Final = ("mg/dL", "g/L", "mg/L")
_LIPID: Final = ("mmol/L", "mg/dL", "g/L")
_MICRO: Final = ("umol/L", "mg/dL", "mg/L")

_ROWS: Final = (
    # lipids
    Analyte("cholesterol_total", "Total cholesterol", "总胆固醇", "mmol/L", 0.5, 30, "386.664", "C27H46O", ("2093-3", "14647-2"), ("tc", "tchol", "totchol", "chol", "cholesterol", "胆固醇", "血清总胆固醇", "cholest"), _LIPID),
    Analyte("cholesterol_hdl", "HDL cholesterol", "高密度脂蛋白胆固醇", "mmol/L", 0.1, 6, "386.664", "C27H46O", ("2085-9", "14646-4"), ("hdl", "hdlc", "hdl-c", "hdl-chol", "direct hdl cholesterol", "directchol", "高密度脂蛋白", "hdlchol"), _LIPID),
    Analyte("cholesterol_ldl", "LDL cholesterol", "低密度脂蛋白胆固醇", "mmol/L", 0.1, 20, "386.664", "C27H46O", ("13457-7", "2089-1", "39469-2", "22748-8"), ("ldl", "ldlc", "ldl-c", "ldl-chol", "低密度脂蛋白", "ldlchol"), _LIPID),
    Analyte("cholesterol_non_hdl", "Non-HDL cholesterol", "非高密度脂蛋白胆固醇", "mmol/L", 0.3, 28, "386.664", "C27H46O", ("43396-1", "70204-3"), ("nonhdl", "non-hdl", "nonhdlc", "非高密度脂蛋白"), _LIPID),
    Analyte("triglycerides", "Triglycerides", "甘油三酯", "mmol/L", 0.1, 100, "885.4", "", ("2571-8", "14927-8"), ("tg", "trig", "trigs", "triglyceride", "triacylglycerol", "三酰甘油", "tgs"), _LIPID),
    Analyte("apolipoprotein_a1", "Apolipoprotein A-I", "载脂蛋白A1", "g/L", 0.1, 4, loinc=("1869-7",), words=("apoa1", "apo a1", "apoai", "载脂蛋白a-i"), units=_MASS),
    Analyte("apolipoprotein_b", "Apolipoprotein B", "载脂蛋白B", "g/L", 0.1, 5, loinc=("1884-6",), words=("apob", "apo b", "载脂蛋白b"), units=_MASS),
    # sugar
    Analyte("glucose", "Glucose", "葡萄糖", "mmol/L", 0.5, 80, "180.156", "C6H12O6", ("2345-7", "14749-6", "1558-6", "14771-0"), ("glu", "gluc", "fpg", "fbg", "fbs", "fasting glucose", "blood glucose", "blood sugar", "血糖", "空腹血糖", "空腹葡萄糖"), _LIPID),
    Analyte("hba1c", "Haemoglobin A1c", "糖化血红蛋白", "mmol/mol", 5, 220, loinc=("4548-4", "59261-8"), words=("a1c", "hb a1c", "glycated haemoglobin", "glycated hemoglobin", "hemoglobin a1c", "糖化血红蛋白a1c"), units=("%", "mmol/mol"), conventions=_HBA1C),
    Analyte("insulin", "Insulin", "胰岛素", "pmol/L", 1, 6000, loinc=("20448-7", "14796-7"), words=("ins", "fasting insulin", "空腹胰岛素"), units=("pmol/L", "u[IU]/mL"), conventions=_INSULIN),
    Analyte("lactate", "Lactate", "乳酸", "mmol/L", 0.1, 40, "90.078", "C3H6O3", ("2524-7", "14118-4"), ("lactic acid",), ("mmol/L", "mg/dL")),
    # kidney
    Analyte("creatinine", "Creatinine", "肌酐", "umol/L", 5, 3000, "113.120", "C4H7N3O", ("2160-0", "14682-9"), ("cr", "crea", "creat", "scr", "血肌酐", "血清肌酐"), _MICRO),
    Analyte("urate", "Uric acid", "尿酸", "umol/L", 20, 1500, "168.112", "C5H4N4O3", ("3084-1", "14933-6"), ("ua", "uric", "urate", "uricacid", "血尿酸", "血清尿酸"), _MICRO),
    Analyte("urea", "Urea", "尿素", "mmol/L", 0.3, 100, "60.056", "CH4N2O", ("3091-6", "22664-7"), ("血尿素",), ("mmol/L", "mg/dL")),
    Analyte("urea_nitrogen", "Urea nitrogen", "尿素氮", "mmol/L", 0.3, 100, "28.014", "N2", ("3094-0", "14937-7"), ("bun", "blood urea nitrogen", "血尿素氮"), ("mmol/L", "mg/dL")),
    Analyte("cystatin_c", "Cystatin C", "胱抑素C", "mg/L", 0.1, 15, loinc=("33863-2",), words=("cysc", "胱抑素"), units=("mg/L",)),
    # liver and proteins
    Analyte("bilirubin_total", "Total bilirubin", "总胆红素", "umol/L", 0.5, 1200, "584.673", "C33H36N4O6", ("1975-2", "14631-6"), ("tbil", "bili", "bilirubin", "胆红素"), _MICRO),
    Analyte("bilirubin_direct", "Direct bilirubin", "直接胆红素", "umol/L", 0.1, 900, "584.673", "C33H36N4O6", ("1968-7", "14629-0"), ("dbil", "conjugated bilirubin"), _MICRO),
    Analyte("alt", "Alanine aminotransferase", "丙氨酸氨基转移酶", "U/L", 0.5, 20000, loinc=("1742-6",), words=("gpt", "sgpt", "alat", "谷丙转氨酶", "alanine transaminase"), units=("U/L", "ukat/L")),
    Analyte("ast", "Aspartate aminotransferase", "天门冬氨酸氨基转移酶", "U/L", 0.5, 20000, loinc=("1920-8",), words=("got", "sgot", "asat", "谷草转氨酶", "aspartate transaminase"), units=("U/L", "ukat/L")),
    Analyte("ggt", "Gamma-glutamyltransferase", "γ-谷氨酰转移酶", "U/L", 0.5, 5000, loinc=("2324-2",), words=("gamma gt", "γ-gt", "谷氨酰转肽酶"), units=("U/L", "ukat/L")),
    Analyte("alp", "Alkaline phosphatase", "碱性磷酸酶", "U/L", 3, 5000, loinc=("6768-6",), words=("alk phos", "akp"), units=("U/L", "ukat/L")),
    Analyte("ldh", "Lactate dehydrogenase", "乳酸脱氢酶", "U/L", 20, 20000, loinc=("2532-0", "14804-9"), words=("lactic dehydrogenase",), units=("U/L", "ukat/L")),
    Analyte("creatine_kinase", "Creatine kinase", "肌酸激酶", "U/L", 5, 100000, loinc=("2157-6",), words=("ck", "cpk"), units=("U/L", "ukat/L")),
    Analyte("albumin", "Albumin", "白蛋白", "g/L", 5, 80, loinc=("1751-7",), words=("alb", "血清白蛋白"), units=("g/L", "g/dL")),
    Analyte("protein_total", "Total protein", "总蛋白", "g/L", 20, 150, loinc=("2885-2",), words=("tp",), units=("g/L", "g/dL")),
    Analyte("crp", "C-reactive protein", "C反应蛋白", "mg/L", 0.01, 700, loinc=("1988-5", "30522-7"), words=("hscrp", "hs-crp", "超敏c反应蛋白", "high sensitivity c-reactive protein"), units=("mg/L", "mg/dL")),
    Analyte("fibrinogen", "Fibrinogen", "纤维蛋白原", "g/L", 0.1, 20, loinc=("3255-7",), words=("fib",), units=("g/L", "mg/dL")),
    # minerals
    Analyte("sodium", "Sodium", "钠", "mmol/L", 90, 200, "22.990", "Na", ("2951-2",), ("na", "na+", "血钠"), ("mmol/L", "meq/L"), charge=1),
    Analyte("potassium", "Potassium", "钾", "mmol/L", 1, 12, "39.098", "K", ("2823-3",), ("k", "k+", "血钾"), ("mmol/L", "meq/L"), charge=1),
    Analyte("chloride", "Chloride", "氯", "mmol/L", 50, 160, "35.45", "Cl", ("2075-0",), ("cl", "cl-", "血氯"), ("mmol/L", "meq/L"), charge=1),
    Analyte("bicarbonate", "Bicarbonate", "碳酸氢根", "mmol/L", 2, 60, "61.016", "CHO3", ("1963-8",), ("hco3", "hco3-"), ("mmol/L", "meq/L"), charge=1),
    Analyte("calcium", "Calcium", "钙", "mmol/L", 0.5, 6, "40.078", "Ca", ("17861-6", "2000-8"), ("ca", "ca2+", "血钙", "total calcium"), ("mmol/L", "mg/dL", "meq/L"), charge=2),
    Analyte("magnesium", "Magnesium", "镁", "mmol/L", 0.1, 5, "24.305", "Mg", ("19123-9", "2601-3"), ("mg2+", "血镁"), ("mmol/L", "mg/dL", "meq/L"), charge=2),
    Analyte("phosphate", "Phosphate (as phosphorus)", "磷", "mmol/L", 0.1, 6, "30.974", "P", ("2777-1", "14879-1"), ("phosphorus", "inorganic phosphate", "phosphate", "血磷", "无机磷"), ("mmol/L", "mg/dL")),
    Analyte("iron", "Iron", "铁", "umol/L", 0.5, 150, "55.845", "Fe", ("2498-4", "14798-3"), ("fe", "血清铁", "serum iron"), ("umol/L", "ug/dL")),
    Analyte("zinc", "Zinc", "锌", "umol/L", 1, 80, "65.38", "Zn", ("5763-8",), ("zn", "血锌"), ("umol/L", "ug/dL")),
    Analyte("copper", "Copper", "铜", "umol/L", 1, 80, "63.546", "Cu", ("5631-7",), ("cu", "血铜"), ("umol/L", "ug/dL")),
    Analyte("lead", "Lead", "铅", "umol/L", 0.001, 10, "207.2", "Pb", ("5671-3", "14807-2"), ("pb", "血铅"), ("umol/L", "ug/dL")),
    Analyte("ferritin", "Ferritin", "铁蛋白", "ug/L", 1, 20000, loinc=("2276-4",), words=("sf", "血清铁蛋白"), units=("ug/L", "ng/mL")),
    # vitamins
    Analyte("vitamin_d", "25-Hydroxyvitamin D", "25羟维生素D", "nmol/L", 3, 500, "400.647", "C27H44O2", ("1989-3", "62292-8", "14635-7"), ("25ohd", "25-oh-d", "vitd", "vitamin d", "25-羟基维生素d", "维生素d"), ("nmol/L", "ng/mL")),
    Analyte("vitamin_b12", "Vitamin B12", "维生素B12", "pmol/L", 20, 5000, "1355.388", "C63H88CoN14O14P", ("2132-9", "14685-2"), ("b12", "cobalamin", "cyanocobalamin"), ("pmol/L", "pg/mL")),
    Analyte("folate", "Folate", "叶酸", "nmol/L", 1, 200, "441.404", "C19H19N7O6", ("2284-8", "14732-2"), ("folic acid", "vitamin b9"), ("nmol/L", "ng/mL")),
    Analyte("vitamin_a", "Retinol", "维生素A", "umol/L", 0.05, 10, "286.459", "C20H30O", ("2923-1", "14905-4"), ("retinol", "视黄醇"), ("umol/L", "ug/dL")),
    Analyte("vitamin_e", "Alpha-tocopherol", "维生素E", "umol/L", 1, 150, "430.717", "C29H50O2", ("1823-4", "14590-4"), ("vitamin e", "生育酚"), ("umol/L", "mg/dL")),
    # hormones
    Analyte("testosterone", "Testosterone", "睾酮", "nmol/L", 0.01, 100, "288.431", "C19H28O2", ("2986-8", "14913-8"), ("testo", "睾丸酮"), ("nmol/L", "ng/dL")),
    Analyte("estradiol", "Estradiol", "雌二醇", "pmol/L", 5, 20000, "272.388", "C18H24O2", ("2243-4", "14715-7"), ("e2", "oestradiol"), ("pmol/L", "pg/mL")),
    Analyte("progesterone", "Progesterone", "孕酮", "nmol/L", 0.05, 1500, "314.469", "C21H30O2", ("2839-9", "14890-8"), ("黄体酮",), ("nmol/L", "ng/mL")),
    Analyte("cortisol", "Cortisol", "皮质醇", "nmol/L", 5, 3000, "362.466", "C21H30O5", ("2143-6", "14675-3"), (), ("nmol/L", "ug/dL")),
    Analyte("dheas", "Dehydroepiandrosterone sulfate", "硫酸脱氢表雄酮", "umol/L", 0.05, 50, "368.488", "C19H28O5S", ("2191-5", "14688-6"), ("dhea-s", "dheas"), ("umol/L", "ug/dL")),
    Analyte("thyroxine", "Thyroxine, total", "总甲状腺素", "nmol/L", 5, 500, "776.872", "C15H11I4NO4", ("3026-2", "14921-1"), ("t4", "tt4", "total t4"), ("nmol/L", "ug/dL")),
    Analyte("thyroxine_free", "Thyroxine, free", "游离甲状腺素", "pmol/L", 0.5, 150, "776.872", "C15H11I4NO4", ("3024-7", "14920-3"), ("ft4", "free t4"), ("pmol/L", "ng/dL")),
    Analyte("triiodothyronine", "Triiodothyronine, total", "总三碘甲状腺原氨酸", "nmol/L", 0.1, 20, "650.976", "C15H12I3NO4", ("3053-6", "14930-2"), ("t3", "tt3", "total t3"), ("nmol/L", "ng/dL")),
    Analyte("triiodothyronine_free", "Triiodothyronine, free", "游离三碘甲状腺原氨酸", "pmol/L", 0.3, 60, "650.976", "C15H12I3NO4", ("3051-0", "14928-6"), ("ft3", "free t3"), ("pmol/L", "pg/mL")),
    Analyte("tsh", "Thyrotropin", "促甲状腺激素", "m[IU]/L", 0.001, 500, loinc=("3016-3", "11580-8"), words=("thyroid stimulating hormone", "促甲状腺素"), units=("m[IU]/L", "u[IU]/mL")),
    # amino acids and more
    Analyte("homocysteine", "Homocysteine", "同型半胱氨酸", "umol/L", 1, 500, "135.181", "C4H9NO2S", ("13965-9", "2428-1"), ("hcy",), ("umol/L", "mg/L")),
    Analyte("phenylalanine", "Phenylalanine", "苯丙氨酸", "umol/L", 5, 4000, "165.192", "C9H11NO2", ("14875-9",), ("phe",), ("umol/L", "mg/dL")),
    Analyte("cotinine", "Cotinine", "可替宁", "nmol/L", 0.01, 10000, "176.219", "C10H12N2O", (), (), ("nmol/L", "ng/mL")),
    # blood
    Analyte("haemoglobin", "Haemoglobin", "血红蛋白", "g/L", 10, 280, "16114.5", "", ("718-7", "59260-0"), ("hb", "hgb", "hemoglobin", "血色素"), ("g/L", "g/dL", "mmol/L")),
)  # fmt: skip

ANALYTES: Final = MappingProxyType({row.name: row for row in _ROWS})
_ASIDE: Final = re.compile(
    r"\([^()]*\)$|^(?:serum|plasma|blood|fasting|s|p|血清|血浆|空腹)(?=[ _.-]|[一-鿿])"
)


def analyte_of(words: str | Iterable[str]) -> Analyte | None:
    """The analyte of a name, a label, an abbreviation or a LOINC code (bare or LOINC:…); None where none is known.

    Of several words (name, labels, terms) the first that is known answers. Serum, fasting and a unit in brackets
    at the end are passed over.

    >>> analyte_of("LOINC:2093-3").name
    'cholesterol_total'
    """
    if isinstance(words, str):
        words = (words,)
    return next(filter(None, map(_known_word, words)), None)


@lru_cache(maxsize=8192)
def _known_word(text: str) -> Analyte | None:
    plain = unicodedata.normalize("NFKC", text).strip().lower().removeprefix("loinc:")
    for _ in range(3):
        if found := _by_word().get(_bare(plain)):
            return found
        shorter = _ASIDE.sub("", plain).strip(" _.-")
        if shorter == plain:
            return None
        plain = shorter
    return None


def _bare(text: str) -> str:
    return re.sub(r"[\s_.\-,]", "", text)


@lru_cache(maxsize=1)
def _by_word() -> dict[str, Analyte]:
    words: dict[str, Analyte] = {}
    for row in _ROWS:
        for word in (row.name, row.label, row.label_zh, *row.words, *row.loinc):
            words.setdefault(_bare(unicodedata.normalize("NFKC", word).lower()), row)
    return words
