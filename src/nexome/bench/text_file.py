"""The import of one long text file: a GWAS-SSF .gz of the synthetic store, by the command a user types."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
from scipy.special import erfc

from nexome.bench.machine import PROGRAM
from nexome.bench.ours import axis_of, home_assembly
from nexome.bench.synthetic import SyntheticStore
from nexome.formats.gwas_ssf import write_ssf
from nexome.model.errors import StoreError
from nexome.store.associations import Features, feature_column
from nexome.store.root import create_root

STUDY: Final = "bench"
WRITE_ROWS: Final = 200_000
_DESCRIBED: Final = ("chromosome", "base_pair_location", "effect_allele", "other_allele", "rsid")


def import_text(folder: Path, rows: int) -> dict[str, Any]:
    """Write a file of `rows` lines and import it; seconds, rows a second, and the importer's peak memory."""
    file = folder / "bench.tsv.gz"
    folder.mkdir()
    synthetic = SyntheticStore(rows, 1)
    axis = axis_of(synthetic)
    write_ssf(file, _tables(synthetic, axis), {"genome_assembly": "GRCh38", "trait_description": ["bench"]})
    root = folder / "root"
    create_root(root, assembly=home_assembly())
    command = [*PROGRAM, "import", "associations", str(file), "--root", str(root), "--study", STUDY]
    seconds, peak = _timed([*command, "--assembly", "GRCh38"], log=folder / "import.log")
    return {
        "rows": rows,
        "file_bytes": file.stat().st_size,
        "wall_s": round(seconds, 3),
        "rows_per_s": round(rows / seconds),
        "peak_memory_bytes": peak,
    }


def _tables(synthetic: SyntheticStore, axis: Features) -> Iterator[pa.Table]:
    assembly = home_assembly()
    for block in synthetic.blocks(WRITE_ROWS):
        keep = np.flatnonzero(np.isfinite(block.z[:, 0]))
        part = axis.take(keep + block.start)
        z, se = block.z[keep, 0].astype(float), block.se[keep, 0].astype(float)
        columns = {name: feature_column(part, assembly, name) for name in _DESCRIBED}
        columns |= {
            "beta": pa.array(_digits(z * se)),
            "standard_error": pa.array(_digits(se)),
            "effect_allele_frequency": pa.array(_digits(block.eaf[keep, 0].astype(float))),
            "p_value": pa.array(_digits(erfc(np.abs(z) / np.sqrt(2.0)))),
        }
        yield pa.table(columns)


def _digits(values: np.ndarray[Any, Any], digits: int = 5) -> np.ndarray[Any, Any]:
    """Rounded to as many significant digits as programs print."""
    scale = 10.0 ** (digits - 1 - np.floor(np.log10(np.maximum(np.abs(values), 1e-300))))
    return np.round(values * scale) / scale


def _timed(command: Sequence[str], *, log: Path) -> tuple[float, int]:
    """Wall seconds and peak resident memory (VmHWM, looked at every 20 ms) of a command."""
    peak, start = 0, time.perf_counter()
    with log.open("wb") as sink, subprocess.Popen(command, stdout=sink, stderr=sink) as process:  # noqa: S603
        status = Path(f"/proc/{process.pid}/status")
        while process.poll() is None:
            lines = status.read_text().splitlines() if status.exists() else []
            found = next((line for line in lines if line.startswith("VmHWM")), "")
            peak = max(peak, int(found.split()[1]) * 1024 if found else 0)
            time.sleep(0.02)
    seconds = time.perf_counter() - start
    if process.returncode:
        tail = log.read_text(encoding="utf-8", errors="replace")[-400:]
        raise StoreError(f"the import ended with exit code {process.returncode}: {tail}", where=str(log))
    return seconds, peak
