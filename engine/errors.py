"""Every error that nightmill raises, on one page.

Data failures are rows of the ledger, never exceptions. What is raised says whose move it is: the user's (`UserError`,
exit code 2), the infrastructure's (`InfrastructureError`, exit code 4, resumable), or a bug of ours (anything else).
"""

from __future__ import annotations


class NightmillError(Exception):
    """Root of the tree."""


class UserError(NightmillError):
    """The user can mend this: one clear line with file, key and reason. Exit code 2."""


class ConfigError(UserError):
    """A setting is unknown, misspelt or out of range."""


class ModuleError(UserError):
    """A module cannot be loaded, does not keep the contract, or cannot be identified."""


class StaleWorker(UserError):
    """A worker sees other code than the driver; both identities are named."""


class AccessDenied(UserError):
    """Storage refused the credentials, or there are none: retrying does not help."""


class SchemaChanged(UserError):
    """An output table already exists with a column of another type."""


class OutputBusy(UserError):
    """Another driver commits to the same output; its run and host are named."""


class InfrastructureError(NightmillError):
    """Storage, network or workers gave up after retries. Exit code 4: the same command resumes."""


class InputUnreadable(InfrastructureError):
    """Reading an input failed, whatever its content: retried, never a row of the ledger."""


class InputMissing(InputUnreadable):
    """There is no such file or object."""


class BudgetExceeded(NightmillError):
    """More files failed than the run allows. Exit code 4: the same command resumes."""


class Interrupted(NightmillError):
    """Stopped by the user after committing what was finished. Exit code 130: the same command resumes."""
