"""The 40 simulated traits: their names in English and Chinese, units, and how each is made.

Names, units, means and prevalences are those of common traits; every cause is made up. The two traits of
category 'Control' have no cause at all: a scan of them must find nothing, and their λGC must be near 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["quantitative", "binary"]


@dataclass(frozen=True, slots=True)
class TraitDesign:
    """How one trait is made.

    `mean`, `sd` in `unit` (quantitative); `prevalence` (binary). `heritability`: share of the variance
    (liability for a binary trait) due to the trait's own causes; `major`: shares of single variants, part
    of it; the rest lies in a polygenic background. `shared`: (trait id, share) of variance taken from
    another trait's causes. `sex`, `age`: change in SD for a man, and for ten years. `gene`: index of the
    gene a molecule belongs to, whose first major variant lies beside it. `sample`: traits measured in the
    same sample are missing in the same people.
    """

    id: str
    label: str
    label_zh: str
    category: str
    kind: Kind = "quantitative"
    unit: str = ""
    mean: float = 0.0
    sd: float = 1.0
    prevalence: float = 0.0
    heritability: float = 0.0
    major: tuple[float, ...] = ()
    shared: tuple[tuple[str, float], ...] = ()
    sex: float = 0.0
    age: float = 0.0
    gene: int | None = None
    sample: str = ""


def _quantitative(
    names: tuple[str, str, str, str],
    scale: tuple[str, float, float],
    *,
    causes: tuple[float, tuple[float, ...]],
    people: tuple[float, float],
    shared: tuple[tuple[str, float], ...] = (),
    sample: str = "",
) -> TraitDesign:
    """A row: (id, label, label_zh, category), (unit, mean, sd), (heritability, major), (sex, age)."""
    unit, mean, sd = scale
    return TraitDesign(
        *names,
        unit=unit,
        mean=mean,
        sd=sd,
        heritability=causes[0],
        major=causes[1],
        shared=shared,
        sex=people[0],
        age=people[1],
        sample=sample,
    )


def _binary(
    names: tuple[str, str, str, str],
    prevalence: float,
    *,
    causes: tuple[float, tuple[float, ...]],
    people: tuple[float, float],
    shared: tuple[tuple[str, float], ...] = (),
) -> TraitDesign:
    """A row: (id, label, label_zh, category), prevalence, (heritability, major), (sex, age)."""
    return TraitDesign(
        *names,
        kind="binary",
        prevalence=prevalence,
        heritability=causes[0],
        major=causes[1],
        shared=shared,
        sex=people[0],
        age=people[1],
    )


# fmt: off
_BODY: Final = (
    _quantitative(("height", "Height", "身高", "Body"), ("cm", 167.0, 9.0), causes=(0.60, (0.025, 0.02, 0.015, 0.012)), people=(1.2, -0.1)),
    _quantitative(("bmi", "Body mass index", "体重指数", "Body"), ("kg/m2", 25.5, 4.2), causes=(0.35, (0.02, 0.012)), people=(0.1, 0.1)),
    _quantitative(("waist_hip_ratio", "Waist-to-hip ratio", "腰臀比", "Body"), ("ratio", 0.88, 0.08), causes=(0.25, (0.018,)), people=(0.9, 0.15), shared=(("bmi", 0.10),)),
    _quantitative(("systolic_bp", "Systolic blood pressure", "收缩压", "Circulation"), ("mm[Hg]", 132.0, 18.0), causes=(0.28, (0.015, 0.012)), people=(0.2, 0.35), shared=(("bmi", 0.04),)),
    _quantitative(("diastolic_bp", "Diastolic blood pressure", "舒张压", "Circulation"), ("mm[Hg]", 80.0, 10.5), causes=(0.15, (0.014,)), people=(0.25, 0.05), shared=(("systolic_bp", 0.12),)),
    _quantitative(("heart_rate", "Resting heart rate", "静息心率", "Circulation"), ("/min", 70.0, 11.0), causes=(0.22, (0.02, 0.012)), people=(-0.2, -0.03)),
    _quantitative(("grip_strength", "Hand grip strength", "握力", "Body"), ("kg", 32.0, 11.0), causes=(0.18, ()), people=(1.3, -0.25), shared=(("height", 0.05),)),
)
_BLOOD: Final = (
    _quantitative(("ldl_cholesterol", "LDL cholesterol", "低密度脂蛋白胆固醇", "Lipids"), ("mmol/L", 3.4, 0.9), causes=(0.32, (0.07, 0.025, 0.015)), people=(-0.05, 0.1), sample="blood"),
    _quantitative(("hdl_cholesterol", "HDL cholesterol", "高密度脂蛋白胆固醇", "Lipids"), ("mmol/L", 1.4, 0.38), causes=(0.34, (0.05, 0.02)), people=(-0.8, 0.02), sample="blood"),
    _quantitative(("triglycerides", "Triglycerides (log)", "甘油三酯（对数）", "Lipids"), ("log(mmol/L)", 0.35, 0.5), causes=(0.28, (0.03, 0.015)), people=(0.35, 0.05), shared=(("bmi", 0.03),), sample="blood"),
    _quantitative(("fasting_glucose", "Fasting glucose", "空腹血糖", "Glucose"), ("mmol/L", 5.4, 0.7), causes=(0.22, (0.035, 0.02)), people=(0.2, 0.15), shared=(("bmi", 0.03),), sample="blood"),
    _quantitative(("hba1c", "Glycated haemoglobin", "糖化血红蛋白", "Glucose"), ("mmol/mol", 36.0, 5.0), causes=(0.20, (0.02,)), people=(0.1, 0.2), shared=(("fasting_glucose", 0.08),), sample="blood"),
    _quantitative(("creatinine", "Creatinine", "肌酐", "Kidney"), ("umol/L", 74.0, 15.0), causes=(0.25, (0.018,)), people=(1.1, 0.1), sample="blood"),
    _quantitative(("urate", "Urate", "尿酸", "Kidney"), ("umol/L", 320.0, 80.0), causes=(0.28, (0.08, 0.025)), people=(0.9, 0.03), shared=(("bmi", 0.02),), sample="blood"),
    _quantitative(("alanine_aminotransferase", "Alanine aminotransferase (log)", "丙氨酸氨基转移酶（对数）", "Liver"), ("log(U/L)", 3.0, 0.45), causes=(0.18, (0.02,)), people=(0.5, -0.05), sample="blood"),
    _quantitative(("haemoglobin", "Haemoglobin", "血红蛋白", "Blood"), ("g/L", 142.0, 13.0), causes=(0.22, (0.02,)), people=(1.2, -0.05), sample="blood"),
    _quantitative(("platelet_count", "Platelet count", "血小板计数", "Blood"), ("10*9/L", 250.0, 60.0), causes=(0.36, (0.03, 0.02, 0.015)), people=(-0.4, -0.08), sample="blood"),
    _quantitative(("c_reactive_protein", "C-reactive protein (log)", "C 反应蛋白（对数）", "Inflammation"), ("log(mg/L)", 0.3, 1.0), causes=(0.20, (0.05, 0.02)), people=(-0.05, 0.1), shared=(("bmi", 0.05),), sample="blood"),
)
_DISEASES: Final = (
    _binary(("type_2_diabetes", "Type 2 diabetes", "2 型糖尿病", "Disease"), 0.12, causes=(0.25, (0.04, 0.025)), people=(0.25, 0.3), shared=(("bmi", 0.05), ("fasting_glucose", 0.06))),
    _binary(("hypertension", "Hypertension", "高血压", "Disease"), 0.35, causes=(0.10, ()), people=(0.15, 0.45), shared=(("systolic_bp", 0.18),)),
    _binary(("coronary_artery_disease", "Coronary artery disease", "冠状动脉疾病", "Disease"), 0.08, causes=(0.20, (0.05,)), people=(0.6, 0.4), shared=(("ldl_cholesterol", 0.06),)),
    _binary(("asthma", "Asthma", "哮喘", "Disease"), 0.11, causes=(0.30, (0.045,)), people=(-0.1, -0.05)),
    _binary(("gout", "Gout", "痛风", "Disease"), 0.06, causes=(0.08, ()), people=(0.8, 0.2), shared=(("urate", 0.25),)),
    _binary(("gallstones", "Gallstone disease", "胆石症", "Disease"), 0.09, causes=(0.18, (0.06,)), people=(-0.5, 0.2)),
    _binary(("hypothyroidism", "Hypothyroidism", "甲状腺功能减退症", "Disease"), 0.07, causes=(0.28, (0.05, 0.04)), people=(-0.8, 0.1)),
    _binary(("migraine", "Migraine", "偏头痛", "Disease"), 0.15, causes=(0.22, (0.03,)), people=(-0.6, -0.1)),
    _binary(("psoriasis", "Psoriasis", "银屑病", "Disease"), 0.05, causes=(0.40, (0.12,)), people=(0.05, 0.0)),
    _binary(("cataract", "Cataract", "白内障", "Disease"), 0.18, causes=(0.12, ()), people=(-0.1, 0.8)),
)
_CONTROLS: Final = (
    TraitDesign("random_number", "Random number (negative control)", "随机数（阴性对照）", "Control"),
    TraitDesign("coin_toss", "Coin toss (negative control)", "抛硬币（阴性对照）", "Control", "binary", prevalence=0.5),
)
# Genes whose protein is measured, by index, and the share of its variance the variant beside the gene explains.
_PROTEINS: Final = (
    (12, 0.30), (57, 0.12), (103, 0.08), (166, 0.20), (221, 0.05),
    (289, 0.15), (347, 0.25), (402, 0.06), (478, 0.10), (551, 0.18),
)

# fmt: on


def _protein(gene: int, cis: float) -> TraitDesign:
    name = f"SIM{gene + 1}"
    return TraitDesign(
        f"{name.lower()}_protein",
        f"{name} protein",
        f"{name} 蛋白",
        "Protein",
        unit="SD",
        heritability=cis + 0.10,
        major=(cis,),
        gene=gene,
        sample="plasma",
    )


TRAITS: Final = (*_BODY, *_BLOOD, *_DISEASES, *_CONTROLS, *(_protein(*row) for row in _PROTEINS))
