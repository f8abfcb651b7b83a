"""The plan of the demo, run twice as after an interruption."""

from pathlib import Path

from nexome.cli.demo import _plan
from nexome.report.kept_scores import today
from nexome.report.links import load_links
from nexome.store.measures import read_history
from nexome.store.papers import paper_versions
from nexome.store.root import create_root, load_assembly


def test_nothing_is_paid_or_imported_twice(tmp_path: Path):
    root = create_root(tmp_path / "root", assembly=load_assembly("GRCh38")).path
    files = tmp_path / "files"
    files.mkdir()
    paper = f"budget{today().year}"
    _plan(root, files)
    once = load_links(root, paper)
    _plan(root, files)
    again = load_links(root, paper)
    assert once.spending == again.spending
    assert once.series == again.series
    assert {link.indicator for link in once.links} == {link.indicator for link in again.links}
    assert paper_versions(root, paper) == [1]
    assert len(read_history(root, "studies")) == 2
