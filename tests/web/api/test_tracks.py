"""Routes of tracks: the View's tables in pages, a bigWig by ranges, and nothing of a private track."""

import pytest


def test_tracks_are_those_one_may_see(ask):
    assert ask("tracks").json()["data"]["track"] == ["cytobands", "peaks", "recombination", "signal"]
    assert "hidden" in ask("tracks", owner=True).json()["data"]["track"]
    hidden = ask("tracks/hidden/features", region="1:1-6000")
    absent = ask("tracks/absent/features", region="1:1-6000")
    assert hidden.status_code == absent.status_code == 404
    assert hidden.text.replace("hidden", "") == absent.text.replace("absent", "")


def test_features_in_pages_are_the_whole(ask, view):
    whole = view.open.track("peaks", "1:1-2000000")
    starts, path, query = [], "tracks/peaks/features", {"region": "1:1-2000000", "page_size": "7"}
    while True:
        answer = ask(path, **query).json()
        starts += answer["data"]["start"]
        assert answer["meta"]["total"] == whole.num_rows
        if not answer["next"]:
            break
        query["cursor"] = answer["next"].split("cursor=")[1]
    assert starts == whole["start"].to_pylist()


def test_a_signal_says_its_bins(ask):
    answer = ask("tracks/signal/signal", region="1:1-100000", bins="10").json()
    assert (answer["meta"]["bins"], answer["meta"]["bin_width_bp"]) == (10, 10_000)
    assert answer["data"]["start"] == list(range(1, 100_000, 10_000))
    assert ask("tracks/signal/signal", region="1:1-100000", bins="0").status_code == 400


def test_a_bigwig_is_served_whole_and_by_ranges(ask, view):
    content = view.open.signal_file("signal").read_bytes()
    assert ask("tracks/signal/file").content == content
    part = ask("tracks/signal/file", headers={"Range": "bytes=0-3"})
    assert (part.status_code, part.content) == (206, content[:4])
    assert part.headers["content-range"] == f"bytes 0-3/{len(content)}"
    assert part.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("path", "todo"),
    [
        ("tracks/signal/features", "/tracks/signal/signal"),
        ("tracks/peaks/signal", "/tracks/peaks/features"),
        ("tracks/cytobands/features", "/cytobands"),
    ],
)
def test_the_wrong_door_names_the_right_one(ask, path, todo):
    answer = ask(path, region="1:1-1000")
    assert answer.status_code == 400
    assert todo in answer.json()["error"]["todo"]


def test_lists_are_lists_in_json_and_joined_in_tsv(ask, view):
    region = "1:1-20000000"
    first = view.open.transcripts_in(region).to_pylist()[0]
    assert ask("transcripts", region=region).json()["data"]["exon_starts"][0] == first["exon_starts"]
    lines = ask("transcripts", region=region, format="tsv").text.splitlines()
    row = dict(zip(lines[0].split("\t"), lines[1].split("\t"), strict=True))
    assert row["exon_starts"] == "|".join(map(str, first["exon_starts"]))
