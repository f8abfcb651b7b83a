"""The `nexome` command: light to start, every command teaches, every error is one line."""

import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from nexome.main import COMMANDS, LazyGroup, main


def commands() -> list[tuple[str, click.Command]]:
    """Every command that is not a group, with its path."""
    found = []

    def walk(group: click.Group, path: str) -> None:
        context = click.Context(group)
        for name in group.list_commands(context):
            try:
                command = group.get_command(context, name)
            except ModuleNotFoundError as error:
                pytest.fail(f"{path} {name}: {error}")
            assert command is not None
            if isinstance(command, click.Group):
                walk(command, f"{path} {name}")
            else:
                found.append((f"{path} {name}", command))

    walk(main, "nexome")
    return found


def test_every_command_has_an_example_that_calls_it():
    lacking = [path for path, command in commands() if path not in (command.help or "")]
    assert lacking == []


def test_every_option_of_every_command_says_what_it_is():
    silent = [
        f"{path} {parameter.opts[-1]}"
        for path, command in commands()
        for parameter in command.params
        if isinstance(parameter, click.Option) and not parameter.help
    ]
    assert silent == []


def test_help_imports_no_command_and_nothing_heavy():
    program = (
        "import sys; from nexome.main import main; main(['--help'], standalone_mode=False);"
        "print(*sorted(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.splitlines()[-1].split())
    heavy = {
        "numpy",
        "pyarrow",
        "numba",
        "sqlalchemy",
        "starlette",
        "tensorstore",
        "scipy",
        "alembic",
        "fastapi",
    }
    assert loaded & heavy == set()
    assert not {name for name in loaded if name.startswith(("nexome.cli", "nexome.store", "nexome.app"))}


def test_help_lists_every_command():
    result = CliRunner().invoke(main, ["--help"])
    assert result.exit_code == 0
    for name, (_, short_help) in COMMANDS.items():
        assert name in result.output
        assert short_help.split(".")[0][:40] in result.output


def group_that(error: BaseException) -> LazyGroup:
    group = LazyGroup("nexome", table={})

    @group.command("fail")
    def fail() -> None:
        raise error

    group.get_command = lambda _, name: fail if name == "fail" else None  # type: ignore[method-assign]
    return group


def test_an_unforeseen_fault_is_one_line_too():
    result = CliRunner().invoke(group_that(ZeroDivisionError("of all things")), ["fail"])
    assert result.exit_code == 1
    assert result.stderr == (
        "nexome: a fault of Nexome itself (ZeroDivisionError: of all things). Run it again with --debug.\n"
    )


@pytest.mark.parametrize("place", [0, 1])
def test_debug_shows_the_traceback_wherever_it_stands(place: int):
    words = ["fail"]
    words.insert(place, "--debug")
    result = CliRunner().invoke(group_that(ZeroDivisionError("of all things")), words)
    assert isinstance(result.exception, ZeroDivisionError)


def test_an_error_of_the_system_names_the_file():
    result = CliRunner().invoke(group_that(PermissionError(13, "Permission denied", "/x/y")), ["fail"])
    assert (result.exit_code, result.stderr) == (1, "nexome: /x/y: Permission denied\n")


def test_a_wrong_use_exits_with_two():
    assert CliRunner().invoke(main, ["status", "--no-such-option"]).exit_code == 2
    assert CliRunner().invoke(main, ["no-such-command"]).exit_code == 2


def test_as_a_user_types_it(tmp_path: Path):
    """Real processes: the installed command, its exit codes, its two streams."""

    def typed(*words: object) -> subprocess.CompletedProcess[str]:
        command = [str(Path(sys.executable).with_name("nexome")), *map(str, words)]
        return subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)

    assert typed("--version").stdout.startswith("nexome, version ")
    assert typed("init", "r").returncode == 0
    status = typed("status", "r")
    assert (status.returncode, status.stderr) == (0, "")
    missing = typed("status", "nowhere")
    assert (missing.returncode, missing.stdout) == (1, "")
    assert missing.stderr.startswith("nexome: nowhere: no Nexome root there")
    assert "Traceback" in typed("--debug", "status", "nowhere").stderr
