"""How a command ends: what was raised becomes one clear line and an exit code."""

from __future__ import annotations

import os
import shlex
import sys
import traceback
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import click

from cluster.certificates import NoCertificates
from engine.errors import BudgetExceeded, InfrastructureError, Interrupted, UserError
from jobs.ctrl_c import INTERRUPTED, TOLD, Swallowed

FINISHED, BUG, USER, BAD_FILES, STOPPED = 0, 1, 2, 3, 4
MEANING = """
Exit codes: 0 finished (rejected and partial files included) · 1 a bug of nightmill · 2 your move: file, key and reason
on one line · 3 finished, but files failed or were quarantined (`verify`: values differ; `drift`: an alarm) · 4 stopped
by a budget, by infrastructure or because nobody reads on (the same command resumes) · 130 interrupted (the same
command resumes).
"""


def ending(command: Callable[[], int | None]) -> int:
    """Runs a command to its exit code; nothing it raises reaches the terminal as a traceback."""
    try:
        return _run(command) or FINISHED
    except click.ClickException as error:
        return _say(error.format_message() + _hint(error), USER)
    except (UserError, NoCertificates) as error:
        return _say(str(error), USER)
    except (BudgetExceeded, InfrastructureError) as error:
        return _say(f"{error}\nstopped; the same command resumes", STOPPED)
    except (Interrupted, KeyboardInterrupt, click.Abort):
        return _say(TOLD, INTERRUPTED)
    except (BrokenPipeError, SystemExit):  # click and rich leave by the latter where nobody reads on
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return STOPPED
    except Exception as error:  # noqa: BLE001 - the last resort of the program, not of the engine
        return _report(error)


def _run(command: Callable[[], int | None]) -> int | None:
    with Swallowed() as interrupts:
        try:
            return command()
        except Exception as error:
            if interrupts.some:
                raise KeyboardInterrupt from error
            raise


def _say(text: str, code: int) -> int:
    click.echo(f"nightmill: {text}" if code == INTERRUPTED else f"error: {text}", err=True)
    return code


def _hint(error: click.ClickException) -> str:
    context = getattr(error, "ctx", None)
    return f" (see `{context.command_path} --help`)" if context is not None else ""


def _report(error: Exception) -> int:
    """Keeps the traceback in a file, since the terminal has no use for it."""
    from jobs.kernel_cache import cache_root  # takes 0.1 s to import, which no other ending needs

    now = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    path = cache_root() / f"bug-{now}-{os.getpid()}.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{shlex.join(['nightmill', *sys.argv[1:]])}\n\n" + "".join(traceback.format_exception(error)))
    return _say(
        f"a bug of nightmill: {type(error).__name__}: {_line(error)}\nplease report it with {_short(path)}", BUG
    )


def _line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0][:200]


def _short(path: Path) -> str:
    home = Path.home()
    return f"~/{path.relative_to(home)}" if path.is_relative_to(home) else str(path)
