"""The commands of docs/targets run as they stand, in their order, on the example that stands beside them."""

import shlex
import shutil
from pathlib import Path

from click.testing import CliRunner

from nexome.main import main
from nexome.store.root import create_root, load_assembly

DOCS = Path(__file__).parents[2] / "docs"
PAGES = ("links.md", "scoring.md", "report.md")


def test_every_command_runs(tmp_path, monkeypatch):
    create_root(tmp_path / "centre", assembly=load_assembly("GRCh38"))
    shutil.copytree(DOCS / "targets", tmp_path / "docs" / "targets")
    for name in ("papers.pdf", "ledger.pdf"):
        (tmp_path / name).write_text(name, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    lines = [
        line.strip() for page in PAGES for line in (DOCS / "targets" / page).read_text("utf-8").split("\n")
    ]
    commands = [line for line in lines if line.startswith("nexome ")]
    assert len(commands) > 15
    for command in commands:
        words, remark = shlex.split(command, comments=True)[1:], "LibreOffice" in command
        if remark and shutil.which("soffice") is None:
            continue
        done = CliRunner().invoke(main, words)
        assert done.exit_code == 0, f"{command}\n{done.output}"
