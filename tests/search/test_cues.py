"""What is denied and what is a relative's: sentences of notes in both languages, marked by hand."""

import pytest

from nexome.search.cues import Cues, sentences

# [a thing], [-a thing denied], [~a thing of a relative], [=a thing of a relative denied]
NOTES = (
    "The patient denies [-fever], [-chills] or [-night sweats] but has had a [cough] for a week.",
    "No [-rash]. [Headache] since Monday.",
    "There is no evidence of [-metastasis]; the [effusion] is unchanged.",
    "She never smoked and has never had [-asthma].",
    "[-Malaria] was ruled out. [Dengue] is not excluded.",
    "CT: [-fracture] not seen, [swelling] of the left hand.",
    "Her mother had [~breast cancer]; she herself has [psoriasis].",
    "No family history of [=colon cancer]. [Hypertension] since 2010",
    "[~Gout] in his father. [Arthritis] of both knees.",
    "He lives with his mother and has [epilepsy].",
    "No change in [angina].",
    "Doesn't have [-diabetes].",
    "Without [-dyspnea] he climbs stairs, however [palpitations] occur.",
    "no acute distress, man with [obesity]",
    "患者无[-糖尿病]、[-高血压]病史，有[哮喘]10年。",
    "否认[-肝炎]史；[咳嗽]3天。",
    "胸片未见[-结节]，[胸痛]仍在。",
    "母亲患[~乳腺癌]，父亲有[~痛风]。本人[贫血]。",
    "无明显诱因出现[头痛]，不伴[-呕吐]。",
    "[-乙肝表面抗原]阴性，不能排除[结核]。",
    "[-骨折]已排除，但[肿胀]明显。",
    "家族史：否认[=精神分裂症]。",
    "由母亲陪同来院，[抽搐]2次。",
)


def marked(note: str) -> tuple[str, list[tuple[int, int, bool, bool]]]:
    """The note without its marks, and each span with whether it is denied, and of a relative."""
    text, spans, rest = "", [], note
    while "[" in rest:
        before, _, rest = rest.partition("[")
        inner, _, rest = rest.partition("]")
        sign = inner[0] if inner[0] in "-~=" else ""
        text += before
        start = len(text)
        text += inner[len(sign) :]
        spans.append((start, len(text), sign in ("-", "="), sign in ("~", "=")))
    return text + rest, spans


@pytest.mark.parametrize("note", NOTES)
def test_cues_reach_what_they_are_said_of(note: str) -> None:
    text, spans = marked(note)
    cues = Cues(text.lower(), sentences(text), [span[:2] for span in spans])
    told = [(text[a:b], cues.denied(a, b), cues.of_family(a, b)) for a, b, *_ in spans]
    assert told == [(text[a:b], denied, family) for a, b, denied, family in spans]


def test_a_cue_within_a_name_denies_nothing() -> None:
    text = "无精子症伴不育"
    assert not Cues(text, [(0, 7)], [(0, 4), (5, 7)]).denied(5, 7)
    assert Cues("无不育", [(0, 3)], [(1, 3)]).denied(1, 3)


def test_sentences_are_the_whole_text() -> None:
    text = "HbA1c 7.5\n(high) %. 无发热。\nEnd"
    reaches = sentences(text)
    assert "".join(text[a:b] for a, b in reaches) == text
    assert [text[a:b].strip() for a, b in reaches if text[a:b].strip()] == [
        "HbA1c 7.5\n(high) %.",
        "无发热。",
        "End",
    ]
