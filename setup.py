"""The build of a wheel: what pyproject.toml says, and the documentation beside the code.

The pages that a centre shows (`nexome.formats.handbook`) stand in docs, their one home; a wheel holds a copy
below nexome/handbook, with the pictures they show. An editable installation reads docs itself.
"""

import re
import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

DOCS = Path(__file__).resolve().parent / "docs"
PAGES = ("*.md", "install/*.md", "formats/*.md", "reference/*.md", "targets/*.md", "handbook.toml")
PICTURE = re.compile(r"\]\((images/[\w-]+\.png)\)")


def handbook_files() -> list[Path]:
    """Paths in docs of all that is copied: pages, what they answer, pictures that they show."""
    pages = sorted(path for pattern in PAGES for path in DOCS.glob(pattern))
    shown = {found for page in pages for found in PICTURE.findall(page.read_text(encoding="utf-8"))}
    return [*(page.relative_to(DOCS) for page in pages), *map(Path, sorted(shown))]


class BuildWithHandbook(build_py):
    """Python files as always, then the handbook."""

    def run(self) -> None:
        """Copy it unless the installation is editable."""
        super().run()
        if not self.editable_mode:
            for target, source in self._handbook().items():
                self.mkpath(str(Path(target).parent))
                shutil.copyfile(source, target)

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:  # noqa: FBT001, FBT002  setuptools' own
        """What was built, the handbook with it."""
        outputs = super().get_outputs(include_bytecode)
        return [*outputs, *([] if self.editable_mode else self._handbook())]

    def _handbook(self) -> dict[str, Path]:
        folder = Path(self.build_lib) / "nexome" / "handbook"
        return {str(folder / path): DOCS / path for path in handbook_files()}


setup(cmdclass={"build_py": BuildWithHandbook})
