"""Whatever kills a writer, the store opens, holds what was published before, and a rerun completes.

Writers are killed (-9) at each named step and at random moments, the disk is full, two import at once,
readers and backups go on during imports and compaction. `crash.py` is the nursery of the processes.
"""

import json
import random
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from nexome.store.associations import AssociationStore
from nexome.store.associations.verify import verify_store
from nexome.store.backup import restore_root
from nexome.testing.associations import contents, make_every_layout, publish_molecules, tiny_root

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
SOURCES = HERE.parents[1] / "src" / "nexome" / "store" / "associations"
RANDOM_KILLS = 24  # each named step has a kill of its own: these look for a moment between them
KILLED, REFUSED = -9, 4
ACTIONS = {
    "publish on an axis": ["publish", "70", "0"],
    "publish apart": ["publish", "71", "3"],
    "publish many traits": ["publish_many", "72"],
    "publish a matrix": ["publish_matrix", "73", "3"],
    "replace a study": ["publish", "1", "0"],
    "withdraw": ["withdraw", "S2"],
    "compact": ["compact"],
}


def named_steps():
    found = {m for path in SOURCES.glob("*.py") for m in re.findall(r'\bstep\("([^"]+)"\)', path.read_text())}
    assert len(found) >= 5
    return sorted(found)


class Nursery:
    """Runs actions in processes of their own."""

    def __init__(self):
        self.error = ""
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "crash.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout.readline() == "ready\n"

    def run(self, root, action, *, crash_at="", kill_after_s=None, **limits):
        order = {
            "action": [action[0], str(root), *action[1:]],
            "environment": {"NEXOME_CRASH_AT": crash_at},
            "kill_after_s": kill_after_s,
            "limits": limits,
        }
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        status, self.error = json.loads(self._process.stdout.readline())
        return status

    def close(self):
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


@pytest.fixture(scope="module")
def nursery():
    nursery = Nursery()
    yield nursery
    nursery.close()


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    return make_every_layout(tmp_path_factory.mktemp("template") / "root").root.path


@pytest.fixture(scope="module")
def outcomes(template, tmp_path_factory, nursery):
    """What the store holds before, and after each action when nothing goes wrong."""
    found = {"": contents(AssociationStore.open(template))}
    for name, action in ACTIONS.items():
        root = shutil.copytree(template, tmp_path_factory.mktemp("after") / "root")
        assert nursery.run(root, action) == 0, nursery.error
        found[name] = contents(AssociationStore.open(root))
    return found


@pytest.fixture
def root(template, tmp_path):
    return shutil.copytree(template, tmp_path / "root")


def check(root, outcomes, name, *, thorough=True):
    """All or nothing of the action is there; all the rest is as before; every byte verifies."""
    held = contents(AssociationStore.open(root))
    assert held in (outcomes[""], outcomes[name])
    if thorough:
        assert verify_store(root).findings == []
    return held == outcomes[name]


def complete(root, outcomes, name, nursery):
    """Run the action again: it completes, and cleaning leaves no staging behind."""
    if check(root, outcomes, name, thorough=False) and name == "withdraw":
        return
    assert nursery.run(root, ACTIONS[name]) == 0, nursery.error
    store = AssociationStore.open(root)
    assert contents(store) == outcomes[name]
    store.clean()
    assert not list((root / "associations" / "staging").glob("*"))


reached = set()


def ways():
    """Actions with the steps they may pass: a compaction has its own, and shares the manifest's."""
    for name in ACTIONS:
        for at in named_steps():
            own = at.split(".")[0]
            first = "publish" if name.startswith("replace") else name.split()[0]
            if own in {first, "before-manifest", "after-manifest"}:
                yield name, at


@pytest.mark.parametrize(("name", "at"), list(ways()))
def test_killed_at_a_step(name, at, root, outcomes, nursery):
    status = nursery.run(root, ACTIONS[name], crash_at=at)
    if status == 0:  # this action does not pass this step
        assert contents(AssociationStore.open(root)) == outcomes[name]
        return
    assert status == KILLED
    reached.add(at)
    check(root, outcomes, name)
    complete(root, outcomes, name, nursery)


def test_every_named_step_is_on_the_way_of_some_action(template, tmp_path, nursery):
    missed = []
    for at in named_steps():
        for number, action in enumerate(ACTIONS.values()):
            if at in reached:
                break
            root = shutil.copytree(template, tmp_path / f"{at}-{number}")
            if nursery.run(root, action, crash_at=at) == KILLED:
                reached.add(at)
        else:
            missed += [at] * (at not in reached)
    assert missed == []


@pytest.mark.parametrize(
    "at", ["compact.segment-written", "compact.segment-moved", "before-manifest", "after-manifest"]
)
def test_killed_while_ragged_segments_are_merged(at, tmp_path, nursery):
    store = tiny_root(tmp_path / "root")
    for seed in range(5):
        publish_molecules(store, seed, traits=1 + seed)
    held, root = contents(store), store.root.path
    assert nursery.run(root, ["compact"], crash_at=at) == KILLED
    assert contents(AssociationStore.open(root)) == held
    assert verify_store(root).findings == []
    assert nursery.run(root, ["compact"]) == 0, nursery.error
    again = AssociationStore.open(root)
    assert contents(again) == held
    again.clean(grace_s=0)
    assert [e.layout for e in again.snapshot().segments.values()] == ["ragged"]
    assert len(list((root / "associations" / "segments").iterdir())) == 1
    assert not list((root / "associations" / "staging").iterdir())


def test_killed_at_random_moments(root, outcomes, nursery, template):
    moments = random.Random(20)
    killed = 0
    for number in range(RANDOM_KILLS):
        name = moments.choice(list(ACTIONS))
        status = nursery.run(root, ACTIONS[name], kill_after_s=moments.uniform(0.0, 0.5))
        assert status in (KILLED, 0)
        killed += status == KILLED
        check(root, outcomes, name, thorough=number % 10 == 9)
        if contents(AssociationStore.open(root)) != outcomes[""]:
            complete(root, outcomes, name, nursery)
            shutil.rmtree(root)
            shutil.copytree(template, root)
    assert killed > RANDOM_KILLS // 4
    assert verify_store(root).findings == []


@pytest.mark.parametrize("name", [n for n in ACTIONS if n != "withdraw"])
@pytest.mark.parametrize("most", [300, 2000, 6000])
def test_files_that_cannot_grow(name, most, root, outcomes, nursery):
    """A file-size limit stands for a quota: writing fails in the middle of a file."""
    status = nursery.run(root, ACTIONS[name], RLIMIT_FSIZE=most)
    assert status in (REFUSED, 0), nursery.error
    if status == REFUSED:
        assert nursery.error.startswith("SpaceError")
    check(root, outcomes, name)
    complete(root, outcomes, name, nursery)


def test_an_event_lost_to_a_kill_is_entered_by_cleaning(root, nursery):
    assert nursery.run(root, ACTIONS["publish apart"], crash_at="after-manifest") == KILLED
    store = AssociationStore.open(root)
    assert "S71" in store.snapshot().studies
    assert "S71" not in [e.values.get("study") for e in store.root.read_events()]
    store.clean()
    store.clean()
    told = [e.values for e in store.root.read_events() if e.values.get("study") == "S71"]
    assert [(e["version"], e["recovered"]) for e in told] == [(1, True)]


@pytest.fixture
def small_disk(tmp_path):
    """A disk of its own, 3 MB; the test is skipped where one may not mount."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def mount(*options):
        command = ["mount", *options, "-t", "tmpfs", "nexome-test", str(folder)]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    if not shutil.which("mount") or not mount("-o", "size=3m"):
        pytest.skip("a disk cannot be mounted here")
    yield folder, lambda size: mount("-o", f"remount,size={size}")
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("name", ["publish on an axis", "publish many traits", "publish a matrix"])
@pytest.mark.parametrize("left_bytes", [0, 8 << 10, 40 << 10])
def test_a_full_disk(name, left_bytes, small_disk, template, outcomes, nursery):
    folder, resize = small_disk
    root = shutil.copytree(template, folder / "root")
    (folder / "filler").write_bytes(b"0" * max(0, shutil.disk_usage(folder).free - left_bytes))
    status = nursery.run(root, ACTIONS[name])
    assert status == REFUSED, nursery.error
    assert nursery.error.startswith("SpaceError")
    check(root, outcomes, name)
    assert resize("64m")
    complete(root, outcomes, name, nursery)


def run_together(nurseries, root, actions):
    statuses = [None] * len(actions)

    def run(number):
        statuses[number] = nurseries[number].run(root, actions[number])

    threads = [threading.Thread(target=run, args=(n,)) for n in range(len(actions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return statuses


@pytest.fixture(scope="module")
def two(nursery):
    second = Nursery()
    yield nursery, second
    second.close()


def test_two_importers_at_once(two, root, outcomes):
    for round_ in range(4):
        actions = [["publish", str(80 + round_), "0"], ["publish", str(90 + round_), "2"]]
        assert run_together(two, root, actions) == [0, 0]
    store = AssociationStore.open(root)
    held = contents(store)
    assert outcomes[""].items() <= held.items()
    assert set(held) - set(outcomes[""]) == {f"S{n + r}" for n in (80, 90) for r in range(4)}
    assert store.snapshot().sequence == AssociationStore.open(root).snapshot().sequence
    assert verify_store(root).findings == []


def test_two_importers_of_one_study_give_two_versions(two, root):
    assert run_together(two, root, [["publish", "85", "0"]] * 2) == [0, 0]
    store = AssociationStore.open(root)
    assert store.snapshot().studies["S85"].version == 2
    assert verify_store(root).findings == []


def test_readers_go_on_during_compaction_and_imports(two, root, outcomes):
    store = AssociationStore.open(root)
    stop, seen, wrong = threading.Event(), [], []

    def read():
        while not stop.is_set():
            try:
                held = contents(store)
                seen.append(store.snapshot().sequence)
                if not outcomes[""].items() <= held.items():
                    wrong.append(held)
            except Exception as error:  # noqa: BLE001  a thread's error is the finding
                wrong.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    for round_ in range(3):
        assert run_together(two, root, [["compact"], ["publish", str(80 + round_), "0"]]) == [0, 0]
    stop.set()
    reader.join()
    assert wrong == []
    assert len(set(seen)) > 1
    assert verify_store(root).findings == []


def test_a_killed_backup_is_completed_by_the_next(root, outcomes, nursery, tmp_path):
    for at in ("backup-folder", "backup-file"):
        assert nursery.run(root, ["backup", str(tmp_path / "b")], crash_at=at) == KILLED
    assert nursery.run(root, ["backup", str(tmp_path / "b")]) == 0
    restore_root(tmp_path / "b", tmp_path / "new")
    assert contents(AssociationStore.open(tmp_path / "new")) == outcomes[""]
