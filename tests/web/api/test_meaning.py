"""Concepts inside texts over HTTP: asked by GET, posted, and refused where there is nothing to read."""

NOTE = "Heart attack in 2019 (uncle: type 2 diabetes).\n患者否认贫血。"


def rows(answer):
    assert answer.status_code == 200, answer.text
    data = answer.json()["data"]
    return [dict(zip(data, values, strict=True)) for values in zip(*data.values(), strict=True)]


def told(found):
    return [(row["text"], row["id"], row["negated"], row["family"]) for row in found]


def test_a_text_is_annotated_where_its_concepts_stand(client):
    found = rows(client.request("GET", "search/annotate", params={"text": NOTE, "vocabularies": "NXDEMO"}))
    assert told(found) == [
        ("Heart attack", "NXDEMO:8", False, False),
        ("type 2 diabetes", "NXDEMO:7", False, True),
        ("贫血", "NXDEMO:9", True, False),
    ]
    assert all(NOTE[row["from_character"] : row["to_character"]] == row["text"] for row in found)


def test_posted_texts_are_annotated_one_by_one(client):
    body = {"texts": ["No anaemia, he says.", "身高：无特殊", NOTE], "vocabularies": ["NXDEMO"]}
    found = rows(client.request("POST", "search/annotate", json=body))
    assert [row["text_number"] for row in found] == [1, 2, 3, 3, 3]
    assert told(found[:2]) == [("anaemia", "NXDEMO:9", True, False), ("身高", "NXDEMO:2", False, False)]


def test_nothing_to_read_and_too_much_are_refused(client):
    answers = [
        client.request("GET", "search/annotate"),
        client.request("POST", "search/annotate", json={"texts": []}),
        client.request("POST", "search/annotate", json={"texts": ["fever"] * 101}),
    ]
    assert [answer.status_code for answer in answers] == [400, 400, 400]
    assert client.request("POST", "search/annotate", json={"texts": ["x" * 2_000_000]}).status_code == 413
