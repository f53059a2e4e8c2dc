"""How many files may fail before a run stops: a number, or a share once there are enough files to speak of one."""

from __future__ import annotations

from dataclasses import dataclass

from engine.errors import ConfigError

FILES_BEFORE_A_SHARE = 20


@dataclass(frozen=True, slots=True)
class Budget:
    """`most` failed and quarantined files, or that share of the files so far."""

    most: float
    is_share: bool

    @classmethod
    def parse(cls, text: str) -> Budget:
        """From `20` or `5%`. Raises `ConfigError` for anything else.

        >>> Budget.parse("5%"), Budget.parse("20").exceeded(bad=20, files=20), Budget.parse("20").exceeded(21, 30)
        (Budget(most=0.05, is_share=True), False, True)
        """
        number, percent, rest = text.strip().partition("%")
        if rest or not number.strip().isdecimal() or (percent and int(number) > 100):
            raise ConfigError(f"max_failures: {text!r} is neither a number of files such as 20 nor a share such as 5%")
        return cls(int(number) / 100, True) if percent else cls(int(number), False)

    def exceeded(self, bad: int, files: int) -> bool:
        if self.is_share:
            return files >= FILES_BEFORE_A_SHARE and bad > self.most * files
        return bad > self.most
