"""The command `handson`: parse, call, print, exit code.

Results go to standard output, progress and diagnostics to standard error.  An error is two lines;
``--debug`` adds the traceback.  Ctrl-C exits with 130, as shells expect.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from io import TextIOWrapper
from pathlib import Path
from shutil import which
from tempfile import TemporaryFile
from typing import Any

import click

from handson import __version__, audit, drawing, grading
from handson.aws import Aws, connection, emulator, settings
from handson.aws.settings import Settings
from handson.core import messages
from handson.core.errors import HandsonError, InvalidInput, NotReady
from handson.core.files import PRIVATE, replace_file, shorten_path
from handson.core.folders import LAID_OUT, find_current_folder, find_edition
from handson.core.progress import TerminalProgress, show_card, show_work
from handson.core.text import replace_controls, show_invisible
from handson.course import evidence, policy, rules
from handson.course.course import Course, read_course, read_moment
from handson.drawing.svg_document import SUFFIXES
from handson.grading import tokens
from handson.grading.feedback import write_feedback
from handson.grading.gradebook import TAKERS, format_csv, open_gradebook
from handson.grading.marking import read_marks
from handson.grading.output import format_json, format_table
from handson.grading.report import write_report
from handson.notebook import replay, workspace
from handson.notebook.doctor import LAB_PORT, examine_machine
from handson.notebook.lab import run_lab
from handson.notebook.workshop import Workshop
from handson.parity import probes, recording
from handson.practice.incidents import forget_incident
from handson.resources import plan, repository
from handson.resources.push import IMAGE_URI
from handson.resources.snapshot import KINDS

OK, NOT_PASSED, NOT_RUN, INTERRUPTED = 0, 1, 2, 130
ENDS_WITH_NOT_PASSED = ("doctor", "emulator", "cleanup")
"""The commands whose contract has no exit code 2."""

EMULATOR_SCHEMA = "handson.emulator/1"

ANY_PATH = click.Path(path_type=Path)
FILE = click.Path(dir_okay=False, path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)


class LanguageCommand(click.Command):
    """A command with the options --lang and --debug, which makes no home folder.

    The exit code is 1 if the function returns False.
    """

    def __init__(
        self, name: str | None, *, params: Sequence[click.Parameter], **given: Any
    ) -> None:
        languages = click.Choice(messages.LANGUAGES)
        lang = click.Option(["--lang"], type=languages, help="Language of the output.")
        debug = click.Option(["--debug"], is_flag=True, hidden=True)
        super().__init__(name, params=[lang, debug, *params], **given)

    def invoke(self, ctx: click.Context) -> None:
        lang, debug = ctx.params.pop("lang"), ctx.params.pop("debug")
        ctx.find_root().params["debug"] |= debug
        assert self.callback
        passed = ctx.invoke(self.callback, *self.prepare(lang), **ctx.params)
        ctx.exit(NOT_PASSED if passed is False else OK)

    def prepare(self, lang: str | None) -> tuple[Settings, ...]:
        """Switch to the language, and return what the function gets before its parameters."""
        settings.choose_language(lang)
        return ()


class WorkshopCommand(LanguageCommand):
    """A command whose function gets the settings first, and which makes the home folder."""

    def prepare(self, lang: str | None) -> tuple[Settings, ...]:
        return (settings.read_environment(lang=lang),)


class CommandGroup(click.Group):
    """A group of commands that get the settings."""

    command_class = WorkshopCommand


class MainGroup(CommandGroup):
    """The group of all commands; it turns every error into two lines and an exit code."""

    group_class = CommandGroup

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, BrokenPipeError):
            raise
        except click.Abort:  # a question without an answer
            click.echo(f"\n{messages.text('notebook.cli.interrupted')}", err=True)
            ctx.exit(_exit_code_of_failure(ctx))
        except KeyboardInterrupt:
            click.echo(messages.text("notebook.cli.interrupted"), err=True)
            ctx.exit(INTERRUPTED)
        except Exception as error:
            if ctx.params["debug"]:
                traceback.print_exc()
            if not isinstance(error, HandsonError):
                seen = f"{type(error).__name__}: {error}"
                error = HandsonError.from_key("notebook.cli.unexpected", seen=seen)
            click.echo(replace_controls(str(error), keep="\n"), err=True)
            ctx.exit(_exit_code_of_failure(ctx))


def _exit_code_of_failure(ctx: click.Context) -> int:
    return NOT_PASSED if ctx.invoked_subcommand in ENDS_WITH_NOT_PASSED else NOT_RUN


@click.group(cls=MainGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__)
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def main(debug: bool) -> None:
    """From one computer to Amazon VPC, ECS and ECR: an AWS container workshop."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a terminal without Japanese shows the rest
            stream.reconfigure(errors="replace")


def with_submissions(command: Callable[..., bool | None]) -> Callable[..., bool | None]:
    """Give a command the paths of submissions and, as its option --roster, the learners."""
    option = click.option("--roster", type=ANY_PATH, help="As your platform exports it, or CSV.")
    return click.argument("paths", nargs=-1, required=True, type=ANY_PATH)(option(command))


@main.command()
@click.option("--output", type=FOLDER, help="For notebooks and pictures [default: in the home].")
def run(chosen: Settings, output: Path | None) -> bool:
    """Run all notebooks in order, in fresh kernels; then check.

    Exit code 0: all checks passed, 1: not, 2: it could not run, 130: Ctrl-C.
    """
    notebooks = replay.find_notebooks(find_current_folder(), lang=chosen.lang)
    folder = (output or chosen.home / "run").resolve()
    is_own = not chosen.environ.get("HANDSON_HOME") and (chosen.home.parent / LAID_OUT).is_file()
    if is_own:  # the learner's own work stays as it is
        own_home = str(chosen.home / "run-home")
        chosen = settings.read_environment(lang=chosen.lang, home=own_home)
    chosen = chosen.without_course()
    opened = _open_workshop(chosen)
    with _show_bars(transient=False) as on_cell:
        outcomes = replay.run_notebooks(chosen, notebooks, output=folder, on_cell=on_cell)
    failed = [outcome for outcome in outcomes if outcome.error]
    for outcome in failed:
        where = {"notebook": outcome.notebook, "cell": outcome.cell}
        sentence = messages.text("notebook.cli.failed-cell", **where)
        click.echo(f"{sentence}\n{outcome.error}", err=True)
    verification = opened.verify()
    click.echo(str(verification))
    click.echo(messages.text("notebook.cli.executed", folder=folder))
    for picture in replay.keep_pictures(chosen, output=folder):
        click.echo(messages.text("notebook.cli.picture", path=picture))
    if chosen.target == "emulator" and not chosen.endpoint_url:
        is_apart = is_own or chosen.home.resolve().parent == notebooks[0].parents[1]
        key = "apart" if is_apart else "begin-anew"
        click.echo(messages.label("notebook.cli.made", key, home=shorten_path(chosen.home)))
    if is_own:
        emulator.stop_emulator(chosen.home)
    return verification.passed and not failed


@main.command()
@click.option("--no-browser", is_flag=True, help="Do not open a browser.")
@click.option("--port", type=click.IntRange(1, 65535), default=LAB_PORT, show_default=True)
@click.option("--log", is_flag=True, help="Show JupyterLab's log here, not in a file.")
def lab(chosen: Settings, no_browser: bool, port: int, log: bool) -> None:
    """Open JupyterLab on the notebooks, on this computer only, until Ctrl-C."""
    first, root, news = workspace.find_first_notebook(find_current_folder(), lang=chosen.lang)
    if news:
        click.echo(news, err=True)
    # The home folder is beside the notebooks that were found, or have just been laid out.
    chosen = settings.read_settings(os.environ, cwd=first.parent, lang=chosen.lang)
    # JupyterLab refuses root by default.  In a container there is often no other user, and this
    # server listens on this computer only and asks for its token.
    command = [sys.executable, "-m", "jupyterlab", str(root), "--ip=127.0.0.1", "--allow-root"]
    address = f"/lab/tree/{first.relative_to(root).as_posix()}"
    command += [f"--port={port}", f"--LabApp.default_url={address}"]
    command += ["--no-browser"] if no_browser else []
    for name in ("SIGTERM", "SIGHUP"):  # of docker stop, and of a closed terminal
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.default_int_handler)
    run_lab(command, chosen, port=port, show_log=log)


# Its settings are those of the folder that it lays out: no home folder is made here.
@main.command(name="workspace", cls=click.Command)
@click.argument("folder", metavar="DIR", type=ANY_PATH)
@click.option("--lang", type=click.Choice(messages.LANGUAGES), help="The edition.")
def lay_out_workspace(folder: Path, lang: str | None) -> None:
    """Lay out the notebooks to work in, and the app; files that you changed stay as they are.

    Exit code 0: laid out, or nothing to do, 2: it could not.
    """
    lang = settings.choose_language(lang, cwd=folder.resolve())
    laid = workspace.lay_out(folder, lang=lang)
    click.echo(str(laid))
    click.echo(messages.text("notebook.workspace.open", folder=laid.folder))


@main.command(name="board", cls=LanguageCommand)
@click.argument("folder", type=ANY_PATH)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="[default: a free one]")
@click.option("--course", type=ANY_PATH, help="course.toml [default: that in FOLDER].")
def show_board(folder: Path, port: int, course: Path | None) -> None:
    """Show live where a class is and who is stuck, in a browser, until Ctrl-C.

    FOLDER holds the learners' home folders, or the workspaces that were collected. As a service of
    a JupyterHub it answers to those whom the hub lets in.
    """
    from handson.board.server import run_board  # tornado

    beside = folder / settings.COURSE
    read = _read_course(course or (beside if os.path.lexists(beside) else None))
    with suppress(KeyboardInterrupt):
        run_board(folder, os.environ, course=read, port=port)


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print handson.verification/1.")
def verify(chosen: Settings, as_json: bool) -> bool:
    """Run the checks now, changing nothing. Exit code 0: all passed."""
    verification = _open_workshop(chosen).verify()
    click.echo(_as_json(verification.to_json()) if as_json else str(verification))
    return verification.passed


@main.command(cls=LanguageCommand)
@with_submissions
@click.option("--json", "as_json", is_flag=True, help="Print handson.grading/1.")
@click.option("--csv", "as_csv", is_flag=True, help="Print a table for a gradebook.")
@click.option("--for", "platform", type=click.Choice(TAKERS), help="Fill in the --roster.")
@click.option("--column", metavar="HEAD", help="The column for the points, if --for has several.")
@click.option("--output", type=FILE, help="Write what would be printed to this file.")
@click.option("--html", type=FILE, help="Write a report to read and to mark in: one file.")
@click.option("--feedback", type=FOLDER, help="Write a page for each learner into a new folder.")
@click.option("--marks", type=ANY_PATH, multiple=True, help="What the report saved (repeatable).")
@click.option("--keys", type=ANY_PATH, help="Keys to check proofs with, from handson audit.")
@click.option("--course", type=ANY_PATH, help="course.toml: window, points, rubric, extensions.")
@click.option("--require-target", type=click.Choice(settings.TARGETS), help="What counts.")
@click.option("--account", multiple=True, help="The AWS account that counts (several: repeat).")
@click.option("--region", help="The region that counts.")
@click.option("--from", "since", metavar="DATE", help="When the assignment began.")
@click.option("--until", metavar="DATE", help="When it ended; of a date, the end of the day.")
def grade(paths: tuple[Path, ...], **asked: Any) -> None:
    """Grade notebooks, folders or zips without running them. Exit code 0: graded, 2: nothing to."""
    platform, is_shown = asked["platform"], not asked["output"] and sys.stdout.isatty()
    if asked["as_json"] and (asked["as_csv"] or platform):
        raise InvalidInput.from_key("grading.one-form")
    read = (*asked["marks"], asked["roster"], asked["course"], asked["keys"])
    for path in filter(None, (asked["output"], asked["html"])):
        if any(path.resolve() == each.resolve() for each in read if each):
            raise InvalidInput.from_key("grading.report.taken", path=path)
    gradebook = open_gradebook(platform, asked["roster"], asked["column"])
    if gradebook and is_shown:
        raise InvalidInput.from_key("grading.for-terminal")
    roster = grading.read_roster(asked["roster"]) if asked["roster"] else grading.Roster()
    course = _read_course(asked["course"])
    requirements = grading.Requirements(
        course=course,
        roster=roster,
        pictures=bool(asked["html"] or asked["feedback"]),
        target=asked["require_target"],
        accounts=tuple(map(grading.read_account, asked["account"])),
        region=asked["region"]
        and rules.check_region(asked["region"], known=settings.list_regions()),
        since=read_moment(asked["since"]) if asked["since"] else course.since,
        until=read_moment(asked["until"], end=True) if asked["until"] else course.until,
        keys=tokens.read_keys(asked["keys"]) if asked["keys"] else {},
    )
    with _show_bars(transient=True) as show_bar:
        grades = grading.grade_class(
            paths,
            requirements,
            marks=read_marks(asked["marks"], course),
            on_progress=partial(show_bar, messages.text("notebook.cli.grading")),
        )
    told = [*grades.notices]
    if asked["html"]:
        write_report(grades, asked["html"])
        told.append(messages.text("grading.report.written", path=asked["html"]))
    if asked["feedback"]:
        told += write_feedback(grades, asked["feedback"], paths=paths)
    if asked["as_json"]:
        text = format_json(grades)
    elif asked["as_csv"] or platform:
        text = format_csv(grades, platform=platform)
    else:
        text, is_shown = "\n".join((*format_table(grades), "")), True
    content = text.encode(errors="replace")
    if gradebook:
        content = gradebook.fill(grades)
        told += gradebook.tell_open(grades)
    if asked["output"]:
        with NotReady.replace_os_errors("grading.report.unwritable", path=asked["output"]):
            replace_file(asked["output"], [content], mode=PRIVATE)
    else:
        click.echo(content.decode("utf-8-sig") if is_shown else content, nl=False)
    for line in told:
        click.echo(replace_controls(line), err=True)
    sys.exit(OK if grades.readable else NOT_RUN)


@main.command()
def proof(chosen: Settings) -> None:
    """Have AWS sign your chain of evidence, as a file to hand in with your notebooks."""
    if chosen.target != "aws" and not chosen.endpoint_url:
        raise NotReady.from_key("audit.proof.embedded")
    connected = connection.connect_target(chosen).aws
    click.echo(str(audit.prove(connected, home=chosen.home, learner=chosen.learner)))


@main.command(name="audit")
@with_submissions
@click.option("--role", metavar="NAME", help="A role in each account that may read CloudTrail.")
@click.option("--keys", type=FILE, help="Only get the keys that check proofs, into this file.")
@click.option("--json", "as_json", is_flag=True, help="Print handson.audit/1.")
def audit_evidence(chosen: Settings, paths: tuple[Path, ...], as_json: bool, **asked: Any) -> bool:
    """Look up in CloudTrail what evidence from real AWS says. Exit code 0: all of it is there.

    Nothing is written to AWS: of a role's permissions only cloudtrail:LookupEvents is used.
    """
    roster = grading.read_roster(asked["roster"]) if asked["roster"] else grading.Roster()
    grades = grading.grade_class(paths, grading.Requirements(roster=roster))
    if asked["keys"]:
        keys = audit.fetch_issuer_keys(grades, audit.fetch_address, endpoint=chosen.endpoint_url)
        tokens.write_keys(asked["keys"], keys)
        click.echo(messages.text("audit.keys-kept", count=len(keys), path=asked["keys"]))
        return True
    records = audit.list_records(grades)
    if chosen.target != "aws" and not chosen.endpoint_url:
        raise NotReady.from_key("audit.embedded")
    connect = audit.make_connect(connection.connect_target(chosen).aws, role=asked["role"])
    found = audit.look_up(records, connect, now=evidence.now())
    click.echo(
        _as_json(found.to_json()) if as_json else "\n".join(map(replace_controls, found.lines()))
    )
    return found.is_clean


@main.group(name="parity")
def parity_commands() -> None:
    """Record AWS's own answers in an empty account, or compare an emulator with them."""


@parity_commands.command()
@click.option("--account", required=True, help="The empty account in which calls are made.")
@click.option("--region", help="The region [default: HANDSON_REGION].")
@click.option("--yes", is_flag=True, help="Begin; otherwise only say what would be made.")
@click.option("--output", type=FILE, default="parity.jsonl.gz", help="The file of the recording.")
@click.option("--clean-only", "mode", flag_value="clean", help="Delete what a broken run has left.")
@click.option("--console", "mode", flag_value="console", help="Read what you made in the console.")
def record(chosen: Settings, account: str, yes: bool, output: Path, **asked: Any) -> None:
    """Record AWS's answers in an empty account, and delete whatever that made.

    Exit code 0: done, and nothing left, 2: it could not run, or something is left.
    """
    target, mode = "emulator" if chosen.endpoint_url else "aws", asked["mode"] or "record"
    aws = _connect(chosen, target=target, region=asked["region"], aws_account=account)
    aws.confirm_account(account)
    where = {"account": account, "region": aws.region, "tag": probes.OWNER}
    click.echo(messages.label("parity.what", mode, **where), err=True)
    if not yes:
        raise NotReady.from_key("parity.not-confirmed")
    with NotReady.replace_os_errors("parity.unwritable", path=output):
        TemporaryFile(dir=output.parent).close()  # told before the probes, not after them
    with show_work(TerminalProgress(), "parity") as aws.say, probes.use_account(aws, mode):
        if mode != "clean":
            made, own = probes.play_probes(aws, mode)
            recording.write_recording(made, output, own=own)
            source = messages.label("parity.source", made.source, date=made.date)
            counts = {"count": len(made.exchanges), "skipped": len(made.skipped)}
            click.echo(messages.text("parity.recorded", path=output, source=source, **counts))
    click.echo(messages.text("parity.clean"), err=True)


@parity_commands.command(name="compare")
@click.argument("path", metavar="RECORDING", type=FILE)
@click.option("--json", "as_json", is_flag=True, help="Print handson.parity-comparison/1.")
def compare_recording(chosen: Settings, path: Path, as_json: bool) -> bool:
    """Play a recording's probes on an empty emulator, and name each answer that differs.

    Exit code 0: all differences are known, 1: one is new, 2: it could not run.
    """
    recorded = recording.read_recording(path)
    aws = _connect(chosen, target="emulator", region=recorded.region)
    with show_work(TerminalProgress(), "parity") as aws.say, probes.use_account(aws, "record"):
        here, _ = probes.play_probes(aws, "record")
    found = recording.compare(recorded, here)
    click.echo(_as_json(found) if as_json else "\n".join(recording.describe(found)))
    return all(difference["reason"] for difference in found["differences"])


def _read_course(path: Path | None) -> Course:
    return read_course(path, known_regions=settings.list_regions()) if path else Course()


def _connect(chosen: Settings, **other: str | None) -> Aws:
    """Return the connection to the target of these settings, but for the other ones."""
    return connection.connect_target(settings.read_environment(lang=chosen.lang, **other)).aws


def _connect_as_running(chosen: Settings) -> Aws:
    """Return the connection; the embedded AWS goes on with the region that a notebook chose."""
    running = None if chosen.endpoint_url else emulator.find_running(chosen.home)
    own = chosen.target == "emulator" and running
    return _connect(chosen, region=own.region if own else None)


@main.command(name="draw")
@click.option("--view", "views", type=click.Choice(drawing.VIEWS), multiple=True, default=["aws"])
@click.option("--goal", is_flag=True, help="Mark what is missing or wrong, and say why.")
@click.option("-o", "--output", type=ANY_PATH, required=True)
def draw_architecture(chosen: Settings, views: tuple[str, ...], goal: bool, output: Path) -> None:
    """Draw the live architecture as SVG or PNG, by the suffix of the file.

    Several views (--view aws --view local) stand side by side; without --view, it is AWS.
    """
    if output.suffix.lower() not in SUFFIXES:
        raise InvalidInput.from_key("drawing.suffix", path=output)
    picture = _open_workshop(chosen).draw(views, goal=goal)
    picture.save(Path.cwd() / output)
    click.echo(messages.text("notebook.cli.picture", path=output))


@main.command()
@click.option("--yes", is_flag=True, help="Delete without asking.")
@click.option("--only", type=click.Choice([kind.name for kind in KINDS]), help="Only this kind.")
def cleanup(chosen: Settings, yes: bool, only: str | None) -> bool:
    """List what the workshop made, then delete it and nothing else. Exit code 0: nothing left."""
    opened = _open_workshop(chosen)
    listed = opened.cleanup(only or "")
    click.echo(listed.listing().text())
    if not listed.found and not listed.unfinished:
        return not listed.left
    if not yes and not click.confirm(messages.text("notebook.cli.delete"), default=False, err=True):
        return False
    deleted = opened.cleanup(only or "", confirm="delete")
    click.echo(str(deleted))
    return not deleted.left


@main.command(name="policy")
@click.option("--proof", is_flag=True, help="The policy for `handson proof` instead.")
@click.option("--course", type=ANY_PATH, help="course.toml: for all learners of its exercises.")
@click.option("--learner", metavar="NAME", help="For this one learner of the course.")
def print_policy(chosen: Settings, proof: bool, course: Path | None, learner: str | None) -> None:
    """Print the smallest IAM policy for the workshop on real AWS, as JSON.

    For the account of HANDSON_AWS_ACCOUNT, and the region of HANDSON_REGION or of the exercises.
    Nothing is called.
    Each Sid says what its statement is for: Check…, Create…, Change… (also push and clean-up).
    """
    if chosen.aws_account is None:
        click.echo(messages.text("course.policy.any-account"), err=True)
    if not proof:
        click.echo(messages.text("course.policy.managed"), err=True)
    variation = _read_course(course).exercise if course else chosen.variation
    account, statements = chosen.aws_account, policy.PROOF if proof else policy.STATEMENTS
    if variation:
        name = learner or ("" if course else chosen.learner)
        written = policy.write_course_policy(
            variation, name, account=account, statements=statements
        )
    elif learner:
        raise InvalidInput.from_key("course.policy.no-course")
    else:
        region = chosen.region
        written = policy.write_policy(region=region, account=account, statements=statements)
    click.echo(_as_json(written))


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print handson.doctor/1.")
def doctor(chosen: Settings, as_json: bool) -> bool:
    """Tell whether this machine is ready: engine, region, credentials, disk. Exit code 0: it is."""
    report = examine_machine(chosen, connect=lambda: _open_workshop(chosen).aws)
    click.echo(_as_json(report.to_json()) if as_json else str(report))
    return report.ready


@main.group()
def sts() -> None:
    """Stand in for `aws sts` where the aws command is not installed."""


@sts.command()
@click.option("--query", type=click.Choice(["Account"]), required=True)
@click.option("--output", type=click.Choice(["text"]), required=True)
def get_caller_identity(chosen: Settings, **_asked: str) -> None:
    """Print the account id, as `aws sts get-caller-identity` does."""
    click.echo(_connect_as_running(chosen).account)


@main.group(name="ecr")
def ecr_commands() -> None:
    """Stand in for `aws ecr` where the aws command is not installed."""


@ecr_commands.command()
@click.option("--region", help="The registry's region [default: HANDSON_REGION].")
def get_login_password(chosen: Settings, region: str | None) -> None:
    """Print the registry's password to a pipe, for `docker login`; never to a terminal."""
    if sys.stdout.isatty():
        raise NotReady.from_key("resources.image.secret-on-screen")
    click.echo(repository.get_login(_connect(chosen, region=region))[1])


@main.command()
def shell(chosen: Settings) -> None:
    """Open your shell, pointed at this workshop's AWS; `handson lab` opens its terminals so."""
    environ = chosen.as_environment()
    if edition := find_edition(Path.cwd() / chosen.lang):  # from there push commands find the app
        os.chdir(edition)
    try:
        if chosen.target == "emulator":
            environ |= plan.list_cli_variables(_connect_as_running(chosen))
    except HandsonError as error:  # a terminal that closes at once would hide it
        click.echo(str(error), err=True)
    if os.name == "nt":  # there exec leaves the terminal
        sys.exit(subprocess.run(["powershell.exe"], env=environ, check=False).returncode)
    program = which(environ.get("SHELL") or "sh") or "sh"
    os.execvpe(program, [program], environ)


@main.group(name="emulator")
def embedded() -> None:
    """Start, stop, look at or reset the embedded AWS of this home folder."""


@embedded.command(name="start")
def start_emulator(chosen: Settings) -> None:
    """Start the embedded AWS; when this returns, it answers."""
    running = connection.ensure_emulator(chosen)
    if running.state == "restarted":
        click.echo("\n".join(messages.advice("aws.emulator.restarted")), err=True)
    click.echo(_describe_emulator(running))


@embedded.command()
def stop(chosen: Settings) -> bool:
    """Stop the embedded AWS; what it holds is kept for the next start."""
    stopped = emulator.stop_emulator(chosen.home)
    sentence = messages.text("notebook.cli.emulator-stopped")
    click.echo(sentence if stopped else _describe_emulator(None))
    return stopped


@embedded.command()
def reset(chosen: Settings) -> None:
    """Stop the embedded AWS and forget everything it held; the evidence so far is kept."""
    emulator.reset_emulator(chosen.home)
    IMAGE_URI.forget(chosen.home)
    forget_incident(chosen.home)
    click.echo(messages.text("notebook.cli.emulator-reset"))


@embedded.command()
@click.option("--json", "as_json", is_flag=True, help="Print handson.emulator/1.")
def status(chosen: Settings, as_json: bool) -> bool:
    """Tell where the embedded AWS answers. Exit code 0: it is running."""
    running = emulator.find_running(chosen.home)
    # Every key is there, null while nothing runs.
    names = ("endpoint", "region", "account", "access_key_id", "secret_access_key", "pid")
    values = {name: getattr(running, name, None) for name in names}
    described = {"schema": EMULATOR_SCHEMA, "running": running is not None, **values}
    click.echo(_as_json(described) if as_json else _describe_emulator(running))
    return running is not None


@embedded.command(name="secret")
def print_secret(chosen: Settings) -> None:
    """Print the secret access key of the embedded AWS; no other AWS takes it."""
    running = emulator.find_running(chosen.home) or connection.ensure_emulator(chosen)
    click.echo(running.secret_access_key)


def _describe_emulator(running: emulator.Running | None) -> str:
    if running is None:
        return messages.text("notebook.cli.emulator-not-running")
    where = {"endpoint": running.endpoint, "pid": running.pid}
    return messages.text("notebook.cli.emulator-running", **where)


def _open_workshop(chosen: Settings) -> Workshop:
    return Workshop(chosen, progress=TerminalProgress(), show=show_card)


def _as_json(data: object) -> str:
    return show_invisible(json.dumps(data, ensure_ascii=False, indent=2))


@contextmanager
def _show_bars(*, transient: bool) -> Iterator[Callable[[str, int, int], None]]:
    """Show a bar for each name on standard error.

    Without a terminal, show a line when a bar is full; of a `transient` bar, show nothing.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description:<18}"), BarColumn(), MofNCompleteColumn())
    console = Console(stderr=True)
    live = console.is_terminal
    options: dict[str, Any] = {"console": console, "transient": transient, "disable": not live}
    with Progress(*columns, TimeElapsedColumn(), **options) as bars:
        tasks: dict[str, Any] = {}

        def update(name: str, done: int, total: int) -> None:
            if name not in tasks:
                tasks[name] = bars.add_task(name, total=total)
            bars.update(tasks[name], completed=done)
            if done == total and not live and not transient:
                click.echo(f"{name}: {done}/{total}", err=True)

        yield update
