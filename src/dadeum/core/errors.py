"""What can go wrong through no fault of dadeum.

    DadeumError            one sentence for the user, exit code 2, no traceback
    ├── ConfigError        an experiment file, an override, an option (may carry several lines)
    ├── DataError          sources, rows, prompts, rendering
    ├── ModelError         models, tokenizers, adapters
    ├── TrainError         training that cannot start or go on
    ├── ArtifactError      something on disk that is incomplete, foreign, locked
    ├── HubError           the Hub: down, slow, asks for a token, lacks the name
    └── MissingExtra       an optional package that is not installed
    Interrupted            Ctrl-C or SIGTERM after the state was saved: exit code 130 or 143

Anything else that is raised is a fault of ours: it keeps its traceback, and the exit code is 1.
A message says where, what was found, what was expected and what to do, in that order.
"""


class DadeumError(Exception):
    """A fault in what dadeum was given: shown as one sentence, exit code 2."""

    exit_code = 2


class ConfigError(DadeumError):
    """The experiment file, an override or an option is wrong."""


class DataError(DadeumError):
    """Sources, rows, prompts or rendering are wrong."""


class ModelError(DadeumError):
    """A model, tokenizer or adapter is missing, foreign or unfit."""


class TrainError(DadeumError):
    """Training cannot start, or cannot go on."""


class ArtifactError(DadeumError):
    """Something on disk is incomplete, foreign or in use."""


class HubError(DadeumError):
    """The Hub cannot be reached, or does not give what was asked for."""


class MissingExtra(DadeumError):
    """An optional package is not installed; the message holds the command that installs it."""


class Interrupted(DadeumError):
    """Stopped by a signal, with the state saved."""

    def __init__(self, message: str, signal_number: int) -> None:
        super().__init__(message)
        self.exit_code = 128 + signal_number
