"""The demo's LD panel: genotypes of some of its people as PLINK files, and the command that imports them.

    <files>/panel.bed .bim .fam     PANEL_PEOPLE of the simulated people, A1 is ALT
    <files>/panel.people.tsv        their groups as populations, and sex

Nothing is imported here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from nexome.methods.simulate.people import GROUPS, Population

PANEL: Final = "sim-panel"
PANEL_FILE: Final = "panel.bed"
PANEL_SHEET: Final = "panel.people.tsv"
PANEL_PEOPLE: Final = 500  # enough to tell r² to 0.05, and imported in seconds

_CODES: Final = np.array([3, 2, 0], np.uint8)  # a .bed's two bits by copies of A1


def write_panel(folder: Path, population: Population) -> None:
    """Write the panel's four files into `folder`."""
    people = min(PANEL_PEOPLE, population.genotypes.shape[1])
    width = -(-people // 4)
    codes = np.zeros((len(population.position), 4 * width), np.uint8)
    codes[:, :people] = _CODES[population.genotypes[:, :people]]
    four = codes.reshape(len(codes), width, 4) << np.array([0, 2, 4, 6], np.uint8)
    content = np.bitwise_or.reduce(four, axis=2).astype(np.uint8)
    (folder / PANEL_FILE).write_bytes(b"\x6c\x1b\x01" + content.tobytes())
    columns = (population.contig, population.rsid, population.position, population.alt, population.ref)
    lines = [
        f"{population.assembly.contigs[contig].name}\trs{rsid}\t0\t{position}\t{alt}\t{ref}\n"
        for contig, rsid, position, alt, ref in zip(*columns, strict=True)
    ]
    (folder / PANEL_FILE).with_suffix(".bim").write_text("".join(lines), encoding="utf-8")
    sexes = [2 - int(sex) for sex in population.sex[:people]]
    names = [f"sim{number:05d}" for number in range(1, people + 1)]
    fam = [f"0 {name} 0 0 {sex} -9\n" for name, sex in zip(names, sexes, strict=True)]
    (folder / PANEL_FILE).with_suffix(".fam").write_text("".join(fam), encoding="utf-8")
    rows = zip(names, population.group[:people].tolist(), strict=True)
    sheet = ["sample_id\tpopulation\n", *(f"{name}\t{GROUPS[group]}\n" for name, group in rows)]
    (folder / PANEL_SHEET).write_text("".join(sheet), encoding="utf-8")


def panel_arguments(files: Path) -> list[str]:
    """Words of the `nexome import ld-panel` that brings it in; `--replace`: a demo may be resumed."""
    sheet = ["--samples", str(files / PANEL_SHEET), "--assembly", "nexome-sim-1", "--replace"]
    return [str(files / PANEL_FILE), "--name", PANEL, *sheet]
