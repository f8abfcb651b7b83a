"""What all commands share in printing."""

from nexome.cli.options import print_rows


def test_chinese_words_stand_in_columns(capsys):
    print_rows(("项目", "points"), [("知识库", "9.50"), ("abc", "10.00")])
    assert capsys.readouterr().out == "项目    points\n知识库  9.50\nabc     10.00\n"
