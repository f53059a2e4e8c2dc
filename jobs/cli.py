"""The command line: one thin file for each thing that a person launches."""

from __future__ import annotations

import sys
from importlib import import_module

import click

from jobs import ctrl_c, exits

COMMANDS = {
    "demo": ("jobs.demo", "Generate nights with known truth, reprocess them, show the error."),
    "plan": ("jobs.plan", "Say what a reprocessing would do, and why, without doing it."),
    "reprocess": ("jobs.reprocess", "Map the module over every raw file that is new or stale."),
    "baselines": ("jobs.baselines", "Hold each person's nights against that person's earlier ones."),
    "backtest": ("jobs.backtest", "Sweep models, windows and refits over vitals, score and rank them."),
    "report": ("jobs.report", "One HTML file that says what a backtest found."),
    "process": ("jobs.process", "Run the module on a few files, as production would."),
    "export": ("jobs.export", "Write raw files of any device as files of the neutral format."),
    "status": ("jobs.status", "What an output holds: files by status, rows, runs."),
    "errors": ("jobs.errors", "Files that gave less than they should, grouped by why."),
    "query": ("jobs.query", "SQL over all tables of an output."),
    "tables": ("jobs.tables", "The tables of an output, and what each column means."),
    "calibrate": ("jobs.calibrate", "Estimate accelerometers' gain and offset from their nights."),
    "compact": ("jobs.compact", "Rewrite many small parts as few large ones."),
    "compare": ("jobs.compare", "How far each feature moved between two module versions."),
    "drift": ("jobs.drift", "Whether the newest nights are still like those before them."),
    "verify": ("jobs.verify", "Recompute a share of an output and compare it bit for bit."),
    "gc": ("jobs.gc", "List, and with --yes delete, files that an output no longer needs."),
    "erase": ("jobs.erase", "Take one subject out of an output, its history and its records."),
    "module": ("jobs.module", "Certify a processing module."),
    "cluster": ("jobs.cluster", "Several machines as one cluster."),
    "doctor": ("jobs.doctor", "Check this machine and this installation."),
}
SETTINGS = {"terminal_width": 100, "max_content_width": 100, "help_option_names": ["-h", "--help"]}


class Lazy(click.Group):
    """Imports a command's file only when it is called, so that --help answers at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        with ctrl_c.at_once():
            command: click.Command = import_module(COMMANDS[cmd_name][0]).command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, sentence) for name, (_, sentence) in COMMANDS.items()])


@click.group(cls=Lazy, context_settings=SETTINGS, epilog=exits.MEANING)
@click.version_option(package_name="nightmill", prog_name="nightmill")
def cli() -> None:
    """Reprocess every raw nightly wearable file with the same Python object that production runs.

    \b
    First steps:
      nightmill demo
      nightmill plan raw/ -o out --zone Europe/Zurich
      nightmill reprocess raw/ -o out --zone Europe/Zurich
      nightmill errors out
      nightmill query out "select subject_id, night_date, hr_median from nights"
    """


def main() -> None:
    with ctrl_c.at_once():
        from engine.workers.arrow_alone import leave_pandas_out  # 0.3 s in which Ctrl-C may come
        from jobs import kernel_cache

        kernel_cache.prepare()
        leave_pandas_out()
        told = kernel_cache.first_use(sys.argv[1:]) if sys.stderr.isatty() else None
        if told:
            click.echo(told, err=True)
    code = exits.ending(lambda: cli.main(standalone_mode=False))
    ctrl_c.silently()
    sys.exit(code)


if __name__ == "__main__":
    main()
