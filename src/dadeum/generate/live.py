"""An answer that is read while it is made: transformers' `generate` in a thread, its tokens over a queue."""

import queue
import threading
import time
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import torch
from transformers import GenerationConfig, StoppingCriteria, StoppingCriteriaList
from transformers.generation.streamers import BaseStreamer

from dadeum.generate.reply import Reply, seeded
from dadeum.generate.stream import TextStream


class Answering(Protocol):
    """What a stream asks of its engine."""

    tokenizer: Any

    @property
    def stop_ids(self) -> tuple[int, ...]:
        """Tokens that end an answer."""

    def generate(
        self, ids_BL: torch.Tensor, mask_BL: torch.Tensor, config: GenerationConfig, **more: Any
    ) -> torch.Tensor:
        """Prompts and new tokens."""

    def reply(self, prompt_tokens: int, new: Sequence[int], seconds: float) -> Reply:
        """The answer in the new tokens."""


class _Tokens(BaseStreamer):  # type: ignore[misc]
    """Puts each new token on a queue; the first thing that `generate` hands over is the prompt."""

    def __init__(self, out: "queue.SimpleQueue[int | BaseException | None]") -> None:
        self.out = out
        self.prompt_seen = False

    def put(self, value: torch.Tensor) -> None:
        if self.prompt_seen:
            self.out.put(int(value.reshape(-1)[0]))
        self.prompt_seen = True

    def end(self) -> None:
        """The thread itself says when it ends, after an error too."""


class _Asked(StoppingCriteria):  # type: ignore[misc]
    def __init__(self, event: threading.Event) -> None:
        self.event = event

    def __call__(self, input_ids: torch.Tensor, scores: Any, **_: Any) -> torch.Tensor:
        return torch.full((input_ids.shape[0],), self.event.is_set(), device=input_ids.device)


class ReplyStream(Iterator[str]):
    """Pieces of one answer; joined they are the text decoded at once. `close` stops early; `.reply` is the whole afterwards."""

    def __init__(self, engine: Answering, prompt: list[int], config: GenerationConfig, seed: int) -> None:
        self.reply: Reply | None = None
        self.first_token: float | None = None  # seconds until the first token
        self._engine, self._prompt, self._config, self._seed = engine, prompt, config, seed
        self._queue: queue.SimpleQueue[int | BaseException | None] = queue.SimpleQueue()
        self._asked_to_stop = threading.Event()
        self._pieces = self._run()

    def __next__(self) -> str:
        return next(self._pieces)

    def close(self) -> None:
        """Stop generating; what was made so far stays in `.reply`."""
        self._asked_to_stop.set()
        for _ in self._pieces:
            pass

    def _work(self) -> None:
        try:
            ids_BL = torch.tensor([self._prompt])
            stopping = StoppingCriteriaList([_Asked(self._asked_to_stop)])
            with seeded(self._seed):
                self._engine.generate(
                    ids_BL,
                    torch.ones_like(ids_BL),
                    self._config,
                    streamer=_Tokens(self._queue),
                    stopping_criteria=stopping,
                )
        except BaseException as error:
            self._queue.put(error)
        else:
            self._queue.put(None)

    def _run(self) -> Iterator[str]:
        begun = time.perf_counter()
        text, ids, stops = TextStream(self._engine.tokenizer), [], set(self._engine.stop_ids)
        worker = threading.Thread(target=self._work, name="dadeum-generate", daemon=True)
        worker.start()
        try:
            while (item := self._queue.get()) is not None:
                if isinstance(item, BaseException):
                    raise item
                self.first_token = self.first_token or time.perf_counter() - begun
                ids.append(item)
                if item not in stops and (piece := text.push([item])):
                    yield piece
            if rest := text.finish():
                yield rest
        finally:
            self._asked_to_stop.set()
            worker.join()
            self.reply = self._engine.reply(len(self._prompt), ids, time.perf_counter() - begun)
