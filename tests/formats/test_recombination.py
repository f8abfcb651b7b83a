"""Recombination maps in six forms give one table; what cannot be a map is named by its line."""

from pathlib import Path

import pytest

from nexome.formats.recombination import read_recombination_map
from nexome.model.errors import FormatError

# The same map, 2 cM/Mb then 1 cM/Mb, as each program writes it.
FORMS = {
    "hapmap.txt": "Chromosome\tPosition(bp)\tRate(cM/Mb)\tMap(cM)\n"
    "chr7\t1000000\t2\t1\nchr7\t2000000\t1\t3\nchr7\t3000000\t0\t4\n",
    "eagle.txt": "chr position COMBINED_rate(cM/Mb) Genetic_Map(cM)\n"
    "7 1000000 2 1\n7 2000000 1 3\n7 3000000 0 4\n",
    "genetic_map_chr7_combined_b37.txt": "position COMBINED_rate(cM/Mb) Genetic_Map(cM)\n"
    "1000000 2 1\n2000000 1 3\n3000000 0 4\n",
    "shapeit.gmap": "pos\tchr\tcM\n1000000\t7\t1\n2000000\t7\t3\n3000000\t7\t4\n",
    "plink.chr7.map": "7 . 1 1000000\n7 . 3 2000000\n7 . 4 3000000\n",
    "decode.txt": "# map of deCODE\nChr\tBegin\tEnd\tcMperMb\tcM\n"
    "chr7\t1000000\t2000000\t2\t3\nchr7\t2000000\t3000000\t1\t4\n",
}


@pytest.mark.parametrize("name", list(FORMS))
def test_every_form_gives_the_same_map(tmp_path: Path, name: str):
    path = tmp_path / name
    path.write_text(FORMS[name], encoding="utf-8")
    table = read_recombination_map(path)
    assert {c.removeprefix("chr") for c in table["chromosome"].to_pylist()} == {"7"}
    assert table["base_pair_location"].to_pylist() == [1_000_000, 2_000_000, 3_000_000]
    assert table["genetic_position"].to_pylist() == pytest.approx([1, 3, 4])
    assert table["recombination_rate"].to_pylist()[:2] == pytest.approx([2, 1])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("pos chr cM\n10 1 0.5\n30 1 0.2\n", "line 3: 0.2 cM after 0.5 cM"),
        ("pos chr cM\n10 1 0.5\n10 1 0.6\n", "line 3: position 10 twice"),
        ("pos chr cM\n10 1 0.5\n30 1 x\n", "line 3.*'x' in column cM"),
        ("1 a 0 10\n1 b 0 20\n", "every cM is 0"),
        (
            "position COMBINED_rate(cM/Mb) Genetic_Map(cM)\n10 1 1\n",
            "no column for the chromosome.*--chromosome",
        ),
        ("a b c\n1 2 3\n", "no column for map, position"),
    ],
)
def test_what_is_no_map_is_said(tmp_path: Path, text: str, message: str):
    path = tmp_path / "map.txt"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FormatError, match=message):
        read_recombination_map(path)


def test_rows_in_any_order_and_several_chromosomes(tmp_path: Path):
    path = tmp_path / "map.txt"
    path.write_text("pos chr cM\n30 2 3\n20 1 2\n10 1 1\n10 2 1\n", encoding="utf-8")
    rows = read_recombination_map(path).select(["chromosome", "base_pair_location"]).to_pylist()
    assert [tuple(r.values()) for r in rows] == [("2", 10), ("2", 30), ("1", 10), ("1", 20)]


def test_the_chromosome_can_be_said(tmp_path: Path):
    path = tmp_path / "map.txt"
    path.write_text("position COMBINED_rate(cM/Mb) Genetic_Map(cM)\n10 1 1\n", encoding="utf-8")
    assert read_recombination_map(path, chromosome="X")["chromosome"].to_pylist() == ["X"]
