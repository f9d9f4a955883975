"""Every template of the data folder: what the rule admits is trained exactly, what it refuses is named."""

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from dadeum.core.errors import DataError
from dadeum.data.render import DEFAULT_TODAY, Renderer
from scripts.render_fuzz import small
from scripts.template_table import fitted, templates
from tests.data.chats import Messages, freeze_date, reference_prompt, talk, trained

ROWS = [
    talk("나스닥이 뭐야?", "  미국의 증권 시장이에요. 😀\n기술주가 많지요. "),
    talk("code?", "\ndef f(x):\n\treturn x ** 2\n"),
    talk("뭐라고?", "ㅋㅋ 그럼 5,000원이에요.", system="짧게 답하세요."),
    talk("하나?", "첫째.", "둘?", " 둘째! "),
]


@lru_cache(maxsize=2)
def rendering(tokenizer: Any, name: str, key: str = "", value: bool = False) -> Renderer:
    """One for all rows of a template, as in a stage."""
    return Renderer(tokenizer, template_name=name, kwargs={key: value} if key else {})


def check(tokenizer: Any, name: str, row: Messages) -> str:
    """`admitted`, or why not; what is admitted is compared with the render as text, and with transformers' ids."""
    renderer = rendering(tokenizer, name)
    try:
        samples = renderer.samples(row, "assistant")
    except DataError as error:
        cure = re.search(r"\{(\w+): (true|false)\}", str(error))
        if cure is None:
            return str(error)
        renderer = rendering(tokenizer, name, cure[1], cure[2] == "true")
        samples = renderer.samples(row, "assistant")
    answers = [i for i, m in enumerate(row) if m["role"] == "assistant"]
    # A SentencePiece decoder writes the underlines of `<｜end▁of▁sentence｜>` as spaces, another does not.
    texts = [t.replace("▁", " ") for s in samples for t in trained(tokenizer, s)]
    assert len(texts) == len(answers)
    for i, text in zip(answers, texts, strict=True):
        prompt, full = (
            tokenizer.apply_chat_template(m, tokenize=False, add_generation_prompt=p, **renderer.kwargs)
            for m, p in ((row[:i], True), (row[: i + 1], False))
        )
        rest = full.removeprefix(prompt).replace("▁", " ")
        names = sorted((n.replace("▁", " ") for n in specials(tokenizer)), key=len, reverse=True)
        end = next(n for n in names if text.endswith(n))
        answer = text[: -len(end)]
        if answer.strip() == row[i]["content"].strip():
            # The whole answer as it stands in the render, with the blanks that the template keeps, and no more.
            assert rest.count(answer.strip()) == 1
            head, _, tail = rest.partition(answer.strip())
            assert answer.startswith(answer.strip()) or head.endswith(answer[: -len(answer.lstrip())])
            assert tail.startswith(answer[len(answer.rstrip()) :] + end) or end == tokenizer.eos_token.replace("▁", " ")
        else:  # template text between the answer and its end token belongs to the target
            assert answer.strip().startswith(row[i]["content"].strip())
            assert text in rest
    first = reference_prompt(tokenizer, row[: answers[0]], **renderer.kwargs)
    assert samples[0].input_ids[: len(first)].tolist() == first
    assert renderer.prompt_ids(row[: answers[0]]) == first
    return "admitted"


def specials(tokenizer: Any) -> list[str]:
    return [t.content for t in tokenizer.added_tokens_decoder.values() if t.special]


def test_at_least_four_of_five_are_admitted(material: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    freeze_date(monkeypatch, DEFAULT_TODAY)
    found = templates(material)
    assert len(found) >= 108
    refused = {}
    for name, text in found.items():
        tokenizer = small(text)
        verdict = check(tokenizer, name, ROWS[0])
        if verdict != "admitted":
            refused[name] = verdict
            assert name in verdict, "a refusal names the template"
            continue
        for row in ROWS[1:]:
            verdict = check(tokenizer, name, row)
            # A template may refuse a system message or a second turn, by name; it may not train them wrongly.
            assert verdict == "admitted" or name in verdict
    assert len(refused) <= 0.2 * len(found), refused


@pytest.mark.slow
@pytest.mark.parametrize("base", ["bora-ko-32k", "smollm2"])
def test_on_real_tokenizers(base: str, material: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    freeze_date(monkeypatch, DEFAULT_TODAY)
    found = templates(material)
    for name, text in found.items():
        tokenizer = fitted(material, text, base=base)
        verdicts = [check(tokenizer, name, row) for row in ROWS]
        assert all(v == "admitted" or name in v for v in verdicts)
