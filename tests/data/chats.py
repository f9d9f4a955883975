"""Real conversations, tokenizers with real templates, and oracles that know nothing of how spans are found."""

import copy
import csv
import datetime
import functools
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from dadeum.data.render import Sample
from dadeum.tokenizer.load import load_tokenizer

Messages = list[dict[str, str]]
PEOPLE = {"human": "user", "gpt": "assistant", "system": "system"}


def talk(*texts: str, system: str | None = None) -> Messages:
    """User and assistant in turn."""
    head = [{"role": "system", "content": system}] if system is not None else []
    return head + [{"role": ("user", "assistant")[i % 2], "content": t} for i, t in enumerate(texts)]


def real_conversations(data: Path) -> dict[str, list[Messages]]:
    """Three real sets: two of single questions, one of several turns."""
    found: dict[str, list[Messages]] = {}
    for name, question, answer in (("ChatbotData", "Q", "A"), ("civil_law_qa_dataset", "question", "answer")):
        with (data / "ko_qa" / f"{name}.csv").open(encoding="utf-8-sig", newline="") as file:
            found[name] = [talk(row[question], row[answer]) for row in csv.DictReader(file)]
    fastchat = json.loads((data / "peer_fixtures/fastchat/dummy_conversation.json").read_text(encoding="utf-8"))
    found["fastchat"] = [
        [{"role": PEOPLE[m["from"]], "content": m["value"]} for m in row["conversations"]] for row in fastchat
    ]
    return found


@functools.cache
def _read_once(folder: Path) -> Any:
    """A large tokenizer takes a second to read and half of one to copy."""
    return load_tokenizer(folder)


def with_template(data: Path, base: str, template: str, *, eos: str, specials: Sequence[str] = ()) -> Any:
    """A real tokenizer with a template of the data folder (`trl/gemma3`) and that model's control tokens."""
    from tokenizers import AddedToken

    tokenizer = copy.deepcopy(_read_once(data / "tokenizers" / base))
    names = dict.fromkeys([*specials, eos])
    tokenizer.add_tokens([AddedToken(n, special=True, normalized=False) for n in names], special_tokens=True)
    tokenizer.eos_token = eos
    tokenizer.chat_template = (data / "chat_templates" / f"{template}.jinja").read_text(encoding="utf-8")
    return tokenizer


class Family:
    """A template, and by hand how it writes an answer: what it trims, and what ends it."""

    def __init__(
        self,
        template: str,
        base: str,
        eos: str,
        specials: Sequence[str],
        writes: Callable[[str], str],
        before: str = "",
    ) -> None:
        self.template, self.base, self.eos, self.specials = template, base, eos, specials
        self.writes, self.before = writes, before

    def shared(self, data: Path) -> Any:
        """The same tokenizer for everybody who does not change it."""
        return _shared(self, data)

    def tokenizer(self, data: Path) -> Any:
        """One of one's own."""
        made = with_template(data, self.base, self.template, eos=self.eos, specials=self.specials)
        made.bos_token = next((s for s in self.specials if "begin" in s or "bos" in s), None)
        return made


@functools.cache
def _shared(family: Family, data: Path) -> Any:
    return family.tokenizer(data)


CHATML = ("<|im_start|>", "<|im_end|>")
LLAMA = ("<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>")
FAMILIES = {
    "qwen2.5": Family("trl/qwen2_5", "qwen2.5-0.5b-instruct", "<|im_end|>", CHATML, lambda c: c),
    "llama3.2": Family("llamacpp/meta-llama-Llama-3.2-3B-Instruct", "smollm2", "<|eot_id|>", LLAMA, str.strip),
    "gemma3": Family(
        "trl/gemma3", "bora-ko-32k", "<end_of_turn>", ("<bos>", "<start_of_turn>", "<end_of_turn>"), str.strip
    ),
    "qwen3": Family(
        "llamacpp/Qwen-Qwen3-0.6B",
        "qwen2.5-0.5b-instruct",
        "<|im_end|>",
        CHATML,
        lambda c: c.lstrip("\n"),
        before="<think>\n\n</think>\n\n",
    ),
}


def decode(tokenizer: Any, ids: Any) -> str:
    """The text of ids, control tokens too, nothing cleaned."""
    text: str = tokenizer.decode(list(map(int, ids)), skip_special_tokens=False, clean_up_tokenization_spaces=False)
    return text


def trained(tokenizer: Any, sample: Sample) -> list[str]:
    """The text of each unbroken run of trained tokens: what it adds to the text before it."""
    found, start = [], None
    weighted = [bool(w) for w in sample.weights] + [False]
    for i, now in enumerate(weighted):
        if now and start is None:
            start = i
        elif not now and start is not None:
            before = decode(tokenizer, sample.input_ids[:start])
            whole = decode(tokenizer, sample.input_ids[:i])
            assert whole.startswith(before)
            found.append(whole[len(before) :])
            start = None
    return found


def reference_prompt(tokenizer: Any, messages: Messages, **kwargs: Any) -> list[int]:
    """The prompt's ids as transformers makes them."""
    ids: list[int] = tokenizer.apply_chat_template(
        messages, add_generation_prompt=True, tokenize=True, return_dict=False, **kwargs
    )
    return ids


def freeze_date(monkeypatch: pytest.MonkeyPatch, day: str) -> None:
    """Let transformers' own templates believe that it is `day`."""

    class Frozen(datetime.datetime):
        @classmethod
        def now(cls, tz: Any = None) -> "Frozen":
            return cls.fromisoformat(day)

    monkeypatch.setattr("transformers.utils.chat_template_utils.datetime", Frozen)
    from transformers.utils.chat_template_utils import _compile_jinja_template

    _compile_jinja_template.cache_clear()
