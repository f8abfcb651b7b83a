"""The demo's panel holds the simulated people's genotypes, and comes in by its own command."""

import numpy as np
from click.testing import CliRunner

from nexome.cli.demo_panel import PANEL, PANEL_PEOPLE, panel_arguments, write_panel
from nexome.main import main
from nexome.methods.simulate.people import GROUPS, simulate_population
from nexome.store.genotypes import GenotypeStore
from nexome.store.root import create_root


def test_the_panel_is_the_people(tmp_path):
    population = simulate_population(3, people=PANEL_PEOPLE + 10, variants=400)
    create_root(tmp_path / "root", assembly=population.assembly)
    write_panel(tmp_path, population)
    words = ["import", "ld-panel", "--root", str(tmp_path / "root"), *panel_arguments(tmp_path)]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 0, done.output
    found = GenotypeStore.open(tmp_path / "root").get(PANEL)
    order = np.lexsort((found.packed.allele, population.position, population.contig))
    np.testing.assert_array_equal(
        found.alternate_counts(slice(None)), population.genotypes[order][:, :PANEL_PEOPLE]
    )
    groups = np.bincount(population.group[:PANEL_PEOPLE], minlength=len(GROUPS))
    assert found.populations == {name: n for name, n in zip(GROUPS, groups.tolist(), strict=True) if n}
    assert (found.kind, found.access) == ("ld-panel", "open")
