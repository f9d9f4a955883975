"""One engine behind eval, ask, chat, batch and bench: prompts to answers, and answers to their likelihood.

It knows a model, its tokenizer and the prompt contract saved with them. There is one way from messages to prompt ids
(`prompt_ids`, the renderer that made the training ids), and one from ids to text (`stream.decode`).
"""

import time
from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Any

import torch
from transformers import GenerationConfig, PreTrainedTokenizerFast

from dadeum.core.errors import DadeumError, ModelError
from dadeum.core.language import say
from dadeum.core.progress import Reporter, Silent
from dadeum.data.contract import PromptContract
from dadeum.data.render import Sample
from dadeum.generate.likelihood import Loss, losses
from dadeum.generate.live import ReplyStream
from dadeum.generate.neighbours import ignores_neighbours
from dadeum.generate.place import default_device, open_contract
from dadeum.generate.reply import Reply, seeded
from dadeum.generate.stream import decode
from dadeum.model.configuration import rotation_limit
from dadeum.model.files import is_headed
from dadeum.model.form import Form
from dadeum.model.load import load_for_inference, writes_no_text
from dadeum.model.new_rows import add_rows
from dadeum.model.packing import unwrap

Messages = Sequence[Mapping[str, Any]]


class Engine:
    """A model that answers. Use `Engine.open`."""

    def __init__(
        self, model: Any, tokenizer: PreTrainedTokenizerFast, contract: PromptContract, name: str = ""
    ) -> None:
        self.model = model.eval()
        self.tokenizer = tokenizer
        self.contract = contract
        self.name = name
        self.device: torch.device = next(model.parameters()).device
        self.renderer = contract.renderer(tokenizer)
        self.stop_ids: tuple[int, ...] = contract.stop_ids or self.renderer.stop_ids  # what ends an answer
        # What a model's own generation_config holds (sampling, penalties) would change what is measured.
        self.model.generation_config = self.decoding(1)
        core: Any = unwrap(model)
        core.generation_config, core.config.use_cache = self.model.generation_config, True

    @classmethod
    def open(
        cls,
        place: Path,
        *,
        prompt: Path | None = None,
        base: Path | None = None,
        device: str = "auto",
        dtype: str = "auto",
        trusted: bool = False,
        name: str = "",
        form: Form | None = None,
        new_tokens: Mapping[str, str] = {},
    ) -> "Engine":
        """Load the model in `place`: whole, or an adapter on `base` (default: the base that it names).

        `prompt` is the folder with tokenizer and prompt contract (default `place` itself, else its base). A base is held as
        `form` says, with rows for `new_tokens`; an adapter says so itself. Raises ModelError.
        """
        if is_headed(place):
            raise writes_no_text(name or place.name)
        tokenizer, contract = open_contract(prompt or place, base)
        where = default_device() if device == "auto" else device
        model = load_for_inference(place, base=base, device=where, dtype=dtype, trusted=trusted, form=form)
        add_rows(model, tokenizer, new_tokens)
        rows = model.get_input_embeddings().weight.shape[0]  # type: ignore[operator]
        if len(tokenizer) > rows:
            raise ModelError(
                say(
                    f"{place}: the tokenizer has {len(tokenizer)} tokens, the model only {rows}; take the tokenizer that belongs to it",
                    f"{place}: 토크나이저의 토큰은 {len(tokenizer)}개인데 모델에는 {rows}개뿐입니다. 모델에 맞는 토크나이저를 쓰세요",
                )
            )
        return cls(model, tokenizer, contract, name or place.name)

    @property
    def context(self) -> int | None:
        """Longest sequence that the model was made for, in tokens, virtual ones taken off; None where it does not say."""
        length = getattr(self.model.config.get_text_config(), "max_position_embeddings", None)
        virtual = getattr(getattr(self.model, "active_peft_config", None), "num_virtual_tokens", 0)
        return int(length) - virtual if length else None

    @cached_property
    def ignores_neighbours(self) -> bool:
        """Whether prompts may share a batch."""
        return ignores_neighbours(self.model)

    @property
    def dtype(self) -> torch.dtype:
        """Type that the weights are held in."""
        found: torch.dtype = next(p.dtype for p in self.model.parameters() if p.is_floating_point())
        return found

    def prompt_ids(self, messages: Messages) -> list[int]:
        """THE prompt of a conversation: what eval, ask, chat, batch and bench give to the model, as training saw it. Raises ModelError without a chat template."""
        return self.prompts([messages])[0]

    def prompts(self, conversations: Sequence[Messages]) -> list[list[int]]:
        """`prompt_ids` of many conversations."""
        return self.renderer.prompt_ids_batch([[dict(m) for m in messages] for messages in conversations])

    def prompt_text(self, messages: Messages) -> str:
        """The prompt as the template writes it."""
        return self.renderer.text([dict(m) for m in messages], add_generation_prompt=True)

    def room(self, prompt_tokens: int, max_new_tokens: int, number: int | None = None) -> int:
        """How many tokens may be generated after such a prompt. Raises ModelError where the context has no room left."""
        if self.context is None:
            return max_new_tokens
        if prompt_tokens >= self.context:
            which, korean = (f" of question {number}", f" {number}번 질문의") if number is not None else ("", "")
            raise ModelError(
                say(
                    f"{self.name}: the prompt{which} has {prompt_tokens} tokens, the model's context only {self.context}; shorten it",
                    f"{self.name}:{korean} 프롬프트가 {prompt_tokens}토큰인데 모델의 문맥은 {self.context}토큰뿐입니다. 줄이세요",
                )
            )
        return min(max_new_tokens, self.context - prompt_tokens)

    def replies(
        self,
        conversations: Sequence[Messages],
        *,
        max_new_tokens: int,
        batch_size: int = 16,
        temperature: float = 0.0,
        top_p: float = 1.0,
        seed: int = 0,
        reporter: Reporter | None = None,
    ) -> list[Reply]:
        """An answer to each conversation, in their order; greedy unless `temperature` is above 0."""
        prompts = self.prompts(conversations)
        rooms = [self.room(len(ids), max_new_tokens, number) for number, ids in enumerate(prompts, 1)]
        # Prompts of like length share a batch; those that the context cuts short share one with their equals only, so
        # that no answer depends on its neighbours.
        order = sorted(range(len(prompts)), key=lambda i: (-rooms[i], len(prompts[i])))
        report = reporter or Silent()
        found: dict[int, Reply] = {}
        if batch_size > 1 and len(prompts) > 1 and not self.ignores_neighbours:
            batch_size = 1
        with seeded(seed):
            for room, group in groupby(order, key=lambda i: rooms[i]):
                alike = list(group)
                size = batch_size if self._rotates_evenly(max(len(prompts[i]) for i in alike) + room) else 1
                for start in range(0, len(alike), size):
                    rows = alike[start : start + size]
                    made = self._batch([prompts[i] for i in rows], self.decoding(room, temperature, top_p))
                    found.update(zip(rows, made, strict=True))
                    seconds = max(sum(r.seconds for r in made), 1e-9)
                    report.advance(len(found), tokens_per_second=round(sum(r.new_tokens for r in made) / seconds, 1))
        return [found[i] for i in range(len(prompts))]

    def stream(
        self, messages: Messages, *, max_new_tokens: int, temperature: float = 0.0, top_p: float = 1.0, seed: int = 0
    ) -> ReplyStream:
        """The answer in pieces as it is made; `.reply` holds the whole once the pieces are through."""
        ids = self.prompt_ids(messages)
        config = self.decoding(self.room(len(ids), max_new_tokens), temperature, top_p)
        return ReplyStream(self, ids, config, seed)

    def continuation(
        self, text: str, *, max_new_tokens: int, temperature: float = 0.0, top_p: float = 1.0, seed: int = 0
    ) -> ReplyStream:
        """What follows plain text, in pieces, without any chat template: what a base model was trained for."""
        ids = self.renderer.plain(text).input_ids.tolist()
        if ids[-1] == self.tokenizer.eos_token_id:  # ends a sample in training
            ids = ids[:-1]
        config = self.decoding(self.room(len(ids), max_new_tokens), temperature, top_p)
        return ReplyStream(self, ids, config, seed)

    def decoding(self, max_new_tokens: int, temperature: float = 0.0, top_p: float = 1.0) -> GenerationConfig:
        """Settings of transformers' `generate`: greedy, or sampling when `temperature` is above 0."""
        stops = list(self.stop_ids)
        pad = self.tokenizer.pad_token_id
        config = GenerationConfig(
            max_new_tokens=max_new_tokens,
            do_sample=temperature > 0,
            eos_token_id=stops or None,
            pad_token_id=pad if pad is not None else stops[0] if stops else 0,
        )
        if temperature > 0:
            config.temperature, config.top_p, config.top_k = temperature, top_p, 0
        return config

    def answer_loss(
        self, conversations: Sequence[Messages], *, batch_size: int = 16, reporter: Reporter | None = None
    ) -> list[Loss]:
        """Likelihood of the last answer of each conversation, with its end token; the same for any batch size.

        Raises DadeumError for the first conversation that cannot be weighed.
        """
        found = []
        for loss in self.answer_losses(conversations, batch_size=batch_size, reporter=reporter):
            if isinstance(loss, DadeumError):
                raise loss
            found.append(loss)
        return found

    def answer_losses(
        self, conversations: Sequence[Messages], *, batch_size: int = 16, reporter: Reporter | None = None
    ) -> list[Loss | DadeumError]:
        """`answer_loss`, with the error in place of those that the template or the context does not admit."""
        plain = [[dict(m) for m in messages] for messages in conversations]
        results = [self._one(result) for result in self.renderer.samples_batch(plain, "last_assistant")]
        whole = [[result] for result in results if isinstance(result, Sample)]
        weighed = iter(losses(self.model, whole, batch_size=batch_size, reporter=reporter))
        return [next(weighed) if isinstance(result, Sample) else result for result in results]

    def text_loss(self, texts: Sequence[str], *, batch_size: int = 16, reporter: Reporter | None = None) -> list[Loss]:
        """Likelihood of plain texts. One longer than the context is read in pieces; each token is scored once."""
        return losses(
            self.model,
            [self._pieces(self.renderer.plain(text)) for text in texts],
            batch_size=batch_size,
            reporter=reporter,
        )

    def _rotates_evenly(self, length: int) -> bool:
        """Whether sequences up to this length may share a batch with shorter ones."""
        limit = rotation_limit(self.model.config)
        return limit is None or length <= limit

    def _one(self, rendered: list[Sample] | DadeumError) -> Sample | DadeumError:
        if isinstance(rendered, DadeumError):
            return rendered
        size = len(rendered[0].input_ids)
        if self.context is None or size <= self.context:
            return rendered[0]
        return ModelError(
            say(
                f"{self.name}: prompt and reference answer have {size} tokens, the model's context only {self.context}; lower data.max_length",
                f"{self.name}: 프롬프트와 기준 답이 {size}토큰인데 모델의 문맥은 {self.context}토큰뿐입니다. data.max_length를 낮추세요",
            )
        )

    def _pieces(self, sample: Sample) -> list[Sample]:
        size = self.context or len(sample.input_ids)
        # Pieces overlap by one token: the last of one is what the first of the next is predicted from.
        starts = range(0, max(1, len(sample.input_ids) - 1), max(1, size - 1))
        cuts = [slice(start, start + size) for start in starts]
        return [
            Sample(sample.input_ids[cut], sample.weights[cut], sample.answer_bytes if not cut.start else 0)
            for cut in cuts
        ]

    def _batch(self, prompts: list[list[int]], config: GenerationConfig) -> list[Reply]:
        width = max(len(ids) for ids in prompts)
        ids_BL = torch.full((len(prompts), width), int(config.pad_token_id))
        mask_BL = torch.zeros_like(ids_BL)
        for row, ids in enumerate(prompts):
            ids_BL[row, width - len(ids) :] = torch.tensor(ids)
            mask_BL[row, width - len(ids) :] = 1
        begun = time.perf_counter()
        out = self.generate(ids_BL, mask_BL, config)[:, width:].tolist()
        seconds = (time.perf_counter() - begun) / len(prompts)
        return [self.reply(len(ids), new, seconds) for ids, new in zip(prompts, out, strict=True)]

    def generate(
        self, ids_BL: torch.Tensor, mask_BL: torch.Tensor, config: GenerationConfig, **more: Any
    ) -> torch.Tensor:
        """transformers' `generate` on this model; returns prompts and new tokens (B, L + new)."""
        with torch.inference_mode():
            out: torch.Tensor = self.model.generate(
                input_ids=ids_BL.to(self.device),
                attention_mask=mask_BL.to(self.device),
                generation_config=config,
                **more,
            )
        return out

    def reply(self, prompt_tokens: int, new: Sequence[int], seconds: float) -> Reply:
        """New token ids, cut after the first one that ends an answer."""
        stops = set(self.stop_ids)
        end = next((place for place, token in enumerate(new) if token in stops), None)
        ids = tuple(new if end is None else new[:end])
        return Reply(
            text=decode(self.tokenizer, ids),
            ids=ids,
            prompt_tokens=prompt_tokens,
            new_tokens=len(ids) + (end is not None),
            cut=end is None,
            seconds=seconds,
        )
