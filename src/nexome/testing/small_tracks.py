"""Small tracks of each kind, made up from a seed: files as people have them, imported into a root.

peaks (BED6, open), signal (bigWig, open), hidden (BED3, private), recombination, cytobands
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
import pybigtools

from nexome.formats.intervals import read_cytobands, read_intervals
from nexome.formats.recombination import read_recombination_map
from nexome.model.genome import Assembly
from nexome.store.root import Root
from nexome.store.track_writer import NewTrack, keep_features, keep_signal

STEP_BP: Final = 10_000
_STAINS: Final = ("gneg", "gpos25", "gneg", "gpos50", "gneg", "gpos75", "gneg", "gpos100")


def make_small_tracks(root: Root, files: Path, *, reach_bp: int = 5_000_000) -> None:
    """Write the files into `files` and import them; each contig's first `reach_bp` bases hold features."""
    files.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(7)
    chosen = [c for c in root.assembly.contigs[:3] if c.length_bp]
    reach = {c.name: min(c.length_bp, reach_bp) for c in chosen}
    peaks = _write_peaks(files / "peaks.bed", reach, rng)
    read = read_intervals(peaks)
    new = NewTrack("peaks", "intervals", peaks, read.format, "Made-up peaks", "虚构的峰", "open")
    keep_features(root, new, read.table)
    hidden = files / "hidden.bed"
    hidden.write_text("".join(f"{name}\t100\t5000\n" for name in reach), encoding="utf-8")
    keep_features(root, NewTrack("hidden", "intervals", hidden, "BED3"), read_intervals(hidden).table)
    signal = _write_signal(files / "signal.bw", root.assembly, reach, rng)
    keep_signal(root, NewTrack("signal", "signal", signal, "bigWig", "Made-up signal", "虚构的信号", "open"))
    map_ = _write_map(files / "map.txt", reach, rng)
    new = NewTrack("recombination", "recombination", map_, "HapMap", "Made-up map", "虚构的图谱", "open")
    keep_features(root, new, read_recombination_map(map_))
    bands = _write_bands(files / "cytoBand.txt", root.assembly)
    new = NewTrack("cytobands", "cytobands", bands, "cytoBand", "Made-up bands", "虚构的染色体带", "open")
    keep_features(root, new, read_cytobands(bands))


def _write_peaks(path: Path, reach: dict[str, int], rng: np.random.Generator) -> Path:
    lines = []
    for name, length in reach.items():
        for at, start in enumerate(rng.integers(0, length - 3_000, length // 20_000).tolist()):
            lines.append(
                f"chr{name}\t{start}\t{start + int(rng.integers(100, 3_000))}\tp{at}\t{at % 1000}\t+"
            )
    path.write_text("track name=peaks\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return path


def _write_signal(path: Path, assembly: Assembly, reach: dict[str, int], rng: np.random.Generator) -> Path:
    writer = pybigtools.open(str(path), "w")
    lengths = {c.name: c.length_bp for c in assembly.contigs if c.name in reach}
    values = [
        (name, start, start + 500, float(rng.random()))
        for name in sorted(reach)
        for start in range(0, reach[name] - 500, STEP_BP)
    ]
    writer.write(lengths, values)
    return path


def _write_map(path: Path, reach: dict[str, int], rng: np.random.Generator) -> Path:
    lines = ["Chromosome\tPosition(bp)\tRate(cM/Mb)\tMap(cM)"]
    for name, length in reach.items():
        cm = 0.0
        for position in range(1, length, 50_000):
            rate = float(rng.exponential(1.2))
            lines.append(f"chr{name}\t{position}\t{rate:.6f}\t{cm:.6f}")
            cm += rate * 0.05
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def _write_bands(path: Path, assembly: Assembly) -> Path:
    """Eight bands a contig; the middle two are the centromere's."""
    lines = []
    for contig in assembly.contigs:
        if contig.length_bp < len(_STAINS):
            continue
        edges = np.linspace(0, contig.length_bp, len(_STAINS) + 1).astype(int).tolist()
        for at, (start, end) in enumerate(pairwise(edges)):
            arm, number = ("p", 4 - at) if at < 4 else ("q", at - 3)
            stain = "acen" if at in {3, 4} else _STAINS[at]
            lines.append(f"{contig.name}\t{start}\t{end}\t{arm}{number}1\t{stain}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
