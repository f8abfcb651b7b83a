"""A project's self-assessment as a file: XLSX, DOCX, or PDF by LibreOffice where it is installed.

PDF is made from the DOCX (or from an XLSX template of one's own) by `soffice` in a process of its own, with a profile of its own, which is
ended when it takes too long. Nothing is written unless all of it was made.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

from nexome.model.errors import InputError, NotFoundError, StoreError
from nexome.report import default_template, template_docx, template_xlsx
from nexome.report.links import Project
from nexome.report.scoring import Score
from nexome.report.self_assessment import Filling, filling_of

ENDINGS: Final = (".xlsx", ".docx", ".pdf")
_OFFICE: Final = ("soffice", "libreoffice")
_SECONDS: Final = 120


def report_bytes(project: Project, score: Score, *, ending: str, template: Path | None = None) -> bytes:
    """The self-assessment in a format by its ending, from one's own template or ours.

    Raises InputError for an ending that is none of ENDINGS or not the template's, FormatError for a template that cannot be filled,
    NotFoundError for a PDF where LibreOffice is not installed.
    """
    if ending not in ENDINGS:
        raise InputError(f"the ending {ending or 'none'}", where="--output", expected=", ".join(ENDINGS))
    made = template.suffix.lower() if template else (".docx" if ending == ".pdf" else ending)
    if ending not in {".pdf", made} or made == ".pdf":
        raise InputError(
            f"a template {made} for a report {ending}", where=str(template), expected=f"a template {ending}"
        )
    content = _filled(filling_of(project, score), made, template)
    return pdf_of(content, made) if ending == ".pdf" else content


def _filled(filling: Filling, kind: str, template: Path | None) -> bytes:
    if template and not template.is_file():
        raise InputError("no such file", where=str(template), expected="an XLSX or DOCX template")
    if kind == ".xlsx":
        book = template_xlsx.load_template(template) if template else default_template.workbook()
        return template_xlsx.fill_workbook(book, filling)
    if kind == ".docx":
        document = template_docx.load_template(template) if template else default_template.document()
        return template_docx.fill_document(document, filling)
    raise InputError(
        f"a template {kind or 'without ending'}", where=str(template), expected="an XLSX or DOCX template"
    )


def template_bytes(ending: str) -> bytes:
    """Our own template as XLSX or DOCX. Raises InputError for another ending."""
    import io  # noqa: PLC0415

    if ending not in {".xlsx", ".docx"}:
        raise InputError(f"the ending {ending or 'none'}", where="--output", expected=".xlsx or .docx")
    sink = io.BytesIO()
    made = default_template.workbook() if ending == ".xlsx" else default_template.document()
    made.save(sink)
    return sink.getvalue()


def pdf_of(content: bytes, kind: str) -> bytes:
    """An XLSX or DOCX as PDF, by LibreOffice in a process and a profile of its own.

    Raises NotFoundError where it is not installed, StoreError where it fails or takes longer than two minutes.
    """
    office = next((found for name in _OFFICE if (found := shutil.which(name))), None)
    if office is None:
        raise NotFoundError(
            "no LibreOffice on this machine", where="a report as PDF", expected="the program soffice on the PATH",
            todo="Install LibreOffice, or write .xlsx or .docx and print that.",
        )  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="nexome-report-") as folder:
        source = Path(folder, f"report{kind}")
        source.write_bytes(content)
        profile = f"-env:UserInstallation={Path(folder, 'profile').as_uri()}"
        words = [office, profile, "--headless", "--convert-to", "pdf", "--outdir", folder, str(source)]
        try:
            done = subprocess.run(words, capture_output=True, timeout=_SECONDS, check=False)  # noqa: S603  a fixed program
        except subprocess.TimeoutExpired:
            raise StoreError(
                f"LibreOffice took more than {_SECONDS} s", where="a report as PDF", todo="Try again."
            ) from None
        made = Path(folder, "report.pdf")
        if done.returncode or not made.exists():
            said = done.stderr.decode(errors="replace").strip().splitlines()
            raise StoreError(
                f"LibreOffice made no PDF ({said[-1] if said else done.returncode})", where="a report as PDF"
            )
        return made.read_bytes()
