"""From codes to the columns of an answer: float32 planes, one pass a column, shared by two threads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from nexome.methods.normal import neg_log10_p_from_z
from nexome.store.associations import codec, kernels
from nexome.store.associations.types import COLUMNS, Codes, Floats

if TYPE_CHECKING:
    from nexome.store.associations.types import Planes

DECODER_THREADS: Final = 2
_CELLS_A_PIECE: Final = 1 << 18  # below this a second thread does not pay


def column(planes: Planes, name: str) -> Floats:
    """One column [V, T] of an answer; see `Planes.column`."""
    return columns(planes, [name])[name]


def columns(planes: Planes, names: Sequence[str]) -> dict[str, Floats]:
    """Several columns [V, T] by name; raises KeyError for a name that cells do not have."""
    if unknown := [name for name in names if name not in COLUMNS]:
        raise KeyError(unknown[0])
    decoded = {name: _DECODERS[name](planes) for name in names}
    if planes.exact:
        for name, values in decoded.items():
            _patch(planes, name, values)
    return decoded


def _looked_up(codes: Codes, table: npt.NDArray[Any]) -> npt.NDArray[Any]:
    out = np.empty(codes.shape, table.dtype)
    source, target = np.ascontiguousarray(codes).reshape(-1).view(np.uint16), out.reshape(-1)
    _in_pieces(source.size, lambda part: kernels.look_up(source[part], table, target[part]))
    return out


def _z(planes: Planes) -> Floats:
    return _looked_up(planes.z, codec.z_table())


def _se(planes: Planes) -> Floats:
    return _looked_up(planes.se, codec.se_table())


def _eaf(planes: Planes) -> Floats:
    return _looked_up(planes.eaf, codec.eaf_table())


def _neg_log_10_p(planes: Planes) -> Floats:
    return _looked_up(planes.z, codec.neg_log_10_p_table())


def _p(planes: Planes) -> npt.NDArray[Any]:
    return _looked_up(planes.z, codec.p_table())


def _beta(planes: Planes) -> Floats:
    out = np.empty(planes.z.shape, np.float32)
    z = np.ascontiguousarray(planes.z).reshape(-1)
    se = np.ascontiguousarray(planes.se).reshape(-1).view(np.uint16)
    target, table = out.reshape(-1), codec.se_table()
    _in_pieces(z.size, lambda part: kernels.look_up_product(z[part], se[part], table, target[part]))
    return out


def _n(planes: Planes) -> Floats:
    of_trait = np.broadcast_to(planes.trait_table.n[planes.trait], planes.z.shape)
    values = of_trait if planes.n is None else np.where(np.isnan(planes.n), of_trait, planes.n)
    return np.where(planes.z == codec.MISSING, np.float32(np.nan), values)


def _info(planes: Planes) -> Floats:
    return np.full(planes.z.shape, np.nan, np.float32) if planes.info is None else planes.info.copy()


_DECODERS: Final[dict[str, Callable[[Any], Any]]] = {
    "beta": _beta,
    "standard_error": _se,
    "z": _z,
    "neg_log_10_p_value": _neg_log_10_p,
    "p_value": _p,
    "effect_allele_frequency": _eaf,
    "n": _n,
    "info": _info,
}


def _patch(planes: Planes, name: str, values: npt.NDArray[Any]) -> None:
    """Put exact values over decoded ones, in place."""
    for plane, affected in (
        ("z", ("z", "beta", "neg_log_10_p_value", "p_value")),
        ("se", ("standard_error", "beta")),
        ("eaf", ("effect_allele_frequency",)),
    ):
        cells = planes.exact.get(plane)  # type: ignore[call-overload]
        if cells is None or name not in affected:
            continue
        place = cells.row, cells.column
        if name == "neg_log_10_p_value":
            values[place] = neg_log10_p_from_z(cells.value)
        elif name == "p_value":
            values[place] = codec.p_from_z(cells.value)
        elif name == "beta":
            values[place] = exact_z(planes, *place) * exact_se(planes, *place)
        else:
            values[place] = cells.value


def exact_z(planes: Planes, row: npt.NDArray[Any], column: npt.NDArray[Any]) -> Floats:
    """The best known z of K cells: exact where kept, decoded elsewhere."""
    return _best(planes, "z", codec.decode_z(planes.z[row, column]), row, column)


def exact_se(planes: Planes, row: npt.NDArray[Any], column: npt.NDArray[Any]) -> Floats:
    """The best known standard error of K cells."""
    return _best(planes, "se", codec.decode_se(planes.se[row, column]), row, column)


def _best(
    planes: Planes, plane: Any, values: Floats, row: npt.NDArray[Any], column: npt.NDArray[Any]
) -> Floats:
    if (cells := planes.exact.get(plane)) is None:
        return values
    width = max(1, planes.shape[1])
    known = cells.row.astype(np.int64) * width + cells.column
    order = np.argsort(known)
    wanted = row.astype(np.int64) * width + column
    at = np.minimum(np.searchsorted(known[order], wanted), len(known) - 1)
    found = known[order][at] == wanted
    return np.where(found, cells.value[order][at], values)


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(DECODER_THREADS, thread_name_prefix="decode")


def _in_pieces(size: int, work: Callable[[slice], None]) -> None:
    """Run `work` over slices of `size` cells, on two threads when there are enough of them."""
    if size <= _CELLS_A_PIECE:
        work(slice(0, size))
        return
    parts = [slice(at, min(size, at + _CELLS_A_PIECE)) for at in range(0, size, _CELLS_A_PIECE)]
    for future in [_pool().submit(work, part) for part in parts]:
        future.result()
