"""Writing many one-trait studies on one axis at once, straight into a dense segment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nexome.model.errors import InputError
from nexome.model.terms import Study
from nexome.store.associations import codec, kernels
from nexome.store.associations.axis import features_digest, write_axis
from nexome.store.associations.column_writer import ColumnWriter
from nexome.store.associations.dense_writer import DenseWriter
from nexome.store.associations.manifest import Layout
from nexome.store.associations.publish import (
    AxisPart,
    Parts,
    SegmentPart,
    StudyPart,
    new_id,
    publish_parts,
)
from nexome.store.associations.snapshot import PublishedStudy
from nexome.store.associations.staging import Workplace
from nexome.store.associations.summary_builder import SummaryBuilder
from nexome.store.associations.types import Codes, Exact, Features, Floats
from nexome.store.disk import flush_together, space_errors, step

if TYPE_CHECKING:
    from nexome.store.associations.store import AssociationStore


class StagedMatrix:
    """V features × T one-trait studies being written, rows in axis order. Not thread-safe."""

    def __init__(
        self,
        store: AssociationStore,
        studies: Sequence[Study],
        axis: str | Features,
        *,
        exact: bool = False,
    ) -> None:
        _check_studies(studies)
        self._store, self._studies, self._exact = store, list(studies), exact
        self._work = Workplace(store.folder)
        self._new_axis: AxisPart | None = None
        self._columns: ColumnWriter | None = None
        self._dense: DenseWriter | None = None
        self._summary = SummaryBuilder(store.root.assembly, len(studies), one_study=False)
        self._place, self._rows = self._work.path / "segment-0", 0
        try:
            with space_errors(self._work.path):
                self._axis, self._features = self._find_axis(axis)
                self._open_writer(exact=exact)
        except BaseException:
            self._work.remove()
            raise

    def _open_writer(self, *, exact: bool) -> None:
        features, traits = len(self._features), len(self._studies)
        if exact:
            self._columns = ColumnWriter(self._place, axis=self._axis, shape=(features, traits), exact=True)
        else:
            groups = [s.ancestry for s in self._studies]
            self._dense = DenseWriter(self._place, features=features, groups=groups, axis=self._axis)

    def _find_axis(self, axis: str | Features) -> tuple[str, Features]:
        snapshot = self._store.snapshot()
        if isinstance(axis, str):
            if axis not in snapshot.axes:
                raise InputError(
                    f"no axis {axis!r} in this store", expected=", ".join(snapshot.axes) or "none"
                )
            return axis, snapshot.axis(axis).features()
        digest = features_digest(axis)
        for name, entry in snapshot.axes.items():
            if entry.features_digest == digest:
                return name, snapshot.axis(name).features()
        folder, name = self._work.path / "axis", new_id()
        write_axis(folder, axis)
        self._new_axis = AxisPart(folder, name, len(axis), digest)
        return name, axis

    def add_rows(self, z: Floats, se: Floats, eaf: Floats) -> None:
        """Add the next R rows: float32 [R, T] each, NaN missing, in axis order.

        Raises InputError naming row and study of a value that cannot be stored, SpaceError.
        """
        if not z.shape == se.shape == eaf.shape == (len(z), len(self._studies)):
            raise InputError(
                f"planes of shapes {z.shape}, {se.shape}, {eaf.shape}",
                expected=f"three planes of R × {len(self._studies)}",
            )
        if self._rows + len(z) > len(self._features):
            raise InputError(f"{self._rows + len(z)} rows", expected=f"{len(self._features)}, as on the axis")
        planes = tuple(np.ascontiguousarray(p, np.float32) for p in (z, se, eaf))
        with space_errors(self._work.path):
            if self._dense is not None:
                self._add_dense(self._dense, planes)
            else:
                self._add_columns(planes)

    def _add_dense(self, dense: DenseWriter, planes: tuple[Floats, ...]) -> None:
        done = 0
        while done < len(planes[0]):
            room = dense.room()
            count = min(len(room[0]), len(planes[0]) - done)
            here = tuple(p[done : done + count] for p in planes)
            codes: Any = tuple(r[:count] for r in room)
            exact = self._encode(here, codes)
            dense.add_overflow(exact.row + np.int64(self._rows), exact.column, exact.value)
            self._count(codes, exact)
            dense.advance(count)
            done += count

    def _add_columns(self, planes: tuple[Floats, ...]) -> None:
        assert self._columns is not None  # noqa: S101  one of the two writers is there
        codes: Any = tuple(np.empty(p.shape, np.int16) for p in planes)
        exact = self._encode(planes, codes)
        rows = slice(self._rows, self._rows + len(planes[0]))
        for trait in range(len(self._studies)):
            own: Any = tuple(c[:, trait] for c in codes)
            values: Any = tuple(p[:, trait] for p in planes)
            self._columns.put(rows, own, trait=trait, values=values)
        self._count(codes, exact)

    def _encode(self, planes: tuple[Floats, ...], codes: tuple[Codes, ...]) -> Exact:
        """Encode into codes [R, T]; returns the cells beyond the grid of z."""
        z, se, eaf = (p.reshape(-1) for p in planes)
        out = [c.reshape(-1) for c in codes]
        bad = (
            kernels.encode_z(z, out[0]),
            kernels.encode_se(se, se.view(np.int32), out[1]),
            kernels.encode_eaf(eaf, out[2]),
        )
        if any(bad):
            self._refuse(planes)
        over = np.flatnonzero(out[0] == codec.OVERFLOW)
        row, column = np.divmod(over, len(self._studies))
        return Exact(row.astype(np.int32), column.astype(np.int32), z[over])

    def _refuse(self, planes: tuple[Floats, ...]) -> None:
        z, se, eaf = planes
        for name, values, bad, expected in (
            ("z", z, np.isinf(z), "a finite number, or NaN where missing"),
            ("se", se, ~(se > 0) & ~np.isnan(se) | np.isinf(se), "a finite number above 0"),
            ("eaf", eaf, (eaf < 0) | (eaf > 1), "a frequency from 0 to 1"),
        ):
            if bad.any():
                row, column = np.argwhere(bad)[0].tolist()
                raise InputError(
                    f"row {self._rows + row}: {name} = {float(values[row, column]):g}",
                    where=f"study {self._studies[column].id}",
                    expected=expected,
                )
        raise InputError("a value too small to be kept (below 1.2e-38)", expected="an ordinary number")

    def _count(self, codes: tuple[Codes, Codes, Codes], exact: Exact) -> None:
        rows = np.s_[self._rows : self._rows + len(codes[0])]
        f = self._features
        part = Features(f.locus[rows], f.allele[rows], f.rsid[rows], f.spelled)
        self._summary.add(part, codes, exact_z=exact if len(exact.value) else None)
        self._rows += len(codes[0])

    def publish(self, receipts: Mapping[str, Any] | Sequence[Mapping[str, Any]]) -> list[PublishedStudy]:
        """Finish the segment and make all studies visible at once; one receipt for all, or one each.

        Raises InputError when rows are missing, SpaceError, BusyError.
        """
        if self._rows != len(self._features):
            self.abandon()
            raise InputError(f"{self._rows} rows", expected=f"{len(self._features)}, as on the axis")
        each = [receipts] * len(self._studies) if isinstance(receipts, Mapping) else list(receipts)
        try:
            with space_errors(self._work.path):
                entries = publish_parts(self._store.root, self._store.folder, self._parts(each))
        finally:
            self._work.remove()
        studies = self._store.snapshot().studies
        return [studies[entry.id] for entry in entries]

    def abandon(self) -> None:
        """Give up: nothing of it stays."""
        if self._dense is not None:
            self._dense.close()
        if self._columns is not None:
            self._columns.__exit__(InputError, None, None)
            self._columns = None
        self._work.remove()

    def _parts(self, receipts: list[Mapping[str, Any]]) -> Parts:
        if self._dense is not None:
            self._dense.finish()
        if self._columns is not None:
            self._columns.__exit__(None, None, None)
        step("publish.segment-written")
        summary = self._summary.finish()
        studies = []
        with flush_together(self._work.path):
            for number, study in enumerate(self._studies):
                folder = self._work.path / f"study-{number}"
                folder.mkdir()
                summary.write(folder, first_trait=number, traits=1)
                cells = int(summary.cells[number])
                studies.append(StudyPart(study, folder, dict(receipts[number]), cells))
        runs = tuple((number, 0, 1) for number in range(len(studies)))
        layout: Layout = "exact" if self._exact else "dense"
        cells = int(summary.cells.sum())
        part = SegmentPart(self._place, layout, self._axis, len(self._features), cells, codec.PLANES, runs)
        return Parts(studies, [part], [self._new_axis] if self._new_axis else [])


def _check_studies(studies: Sequence[Study]) -> None:
    if not studies:
        raise InputError("no studies", expected="at least one")
    for study in studies:
        if len(study.traits) != 1:
            raise InputError(f"{len(study.traits)} traits", where=f"study {study.id}", expected="one trait")
    if len({s.id for s in studies}) != len(studies):
        raise InputError("a study given twice", expected="each study once")
