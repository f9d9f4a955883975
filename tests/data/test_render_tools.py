"""Calls of tools and reasoning under real templates: what is trained is what the template writes, up to the end token."""

import json
from pathlib import Path
from typing import Any

import pytest

from dadeum.core.errors import DataError
from dadeum.data.kinds import Recogniser
from dadeum.data.render import DEFAULT_TODAY, Refusal, Renderer
from dadeum.tokenizer.load import load_tokenizer
from scripts.render_fuzz import small
from scripts.template_table import fitted, templates
from tests.data.chats import decode, freeze_date, trained
from tests.data.small import Data

PARAMETERS = {"type": "object", "properties": {"city": {"type": "string", "description": "도시"}}, "required": ["city"]}
TOOL = {"type": "function", "function": {"name": "weather", "description": "날씨", "parameters": PARAMETERS}}
CALL = {"type": "function", "id": "abcdefghi", "function": {"name": "weather", "arguments": {"city": "서울"}}}
ASKED = [{"role": "user", "content": "서울 날씨?", "tools": [TOOL]}]
CALLED = [*ASKED, {"role": "assistant", "content": "", "tool_calls": [CALL]}]
TOLD = [*CALLED, {"role": "tool", "content": '{"sky": "맑음"}', "tool_call_id": "abcdefghi", "name": "weather"}]
ANSWERED = [*TOLD, {"role": "assistant", "content": "맑아요."}]
REASONED = [
    {"role": "user", "content": "서울?"},
    {"role": "assistant", "content": "맑음", "reasoning_content": "여름이니"},
]

QWEN = '<tool_call>\n{"name": "weather", "arguments": {"city": "서울"}}\n</tool_call><|im_end|>'
# By hand: how a template writes the call, and the answer after the result (None: not as its prompt says).
BY_HAND = {
    "llamacpp/Qwen-Qwen2.5-7B-Instruct": (QWEN, "맑아요.<|im_end|>"),
    "llamacpp/Qwen-Qwen3-0.6B": ("<think>\n\n</think>\n\n" + QWEN, "맑아요.<|im_end|>"),
    "llamacpp/NousResearch-Hermes-2-Pro-Llama-3-8B-tool_use": (QWEN, None),
    "llamacpp/NousResearch-Hermes-3-Llama-3.1-8B-tool_use": (QWEN, None),
    "llamacpp/meta-llama-Llama-3.1-8B-Instruct": (
        '{"name": "weather", "parameters": {"city": "서울"}}<|eot_id|>',
        "맑아요.<|eot_id|>",
    ),
    "llamacpp/mistralai-Mistral-Nemo-Instruct-2407": (
        '[TOOL_CALLS][{"name": "weather", "arguments": {"city": "서울"}, "id": "abcdefghi"}]</s>',
        "맑아요.</s>",
    ),
    "llamacpp/openai-gpt-oss-120b": (
        ' to=functions.weather<|channel|>commentary json<|message|>{"city": "서울"}<|call|>',
        "맑아요.<|return|>",
    ),
}


def apart(row: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], list[Any] | None]:
    """Messages and tools as transformers takes them."""
    return [{k: v for k, v in m.items() if k != "tools"} for m in row], row[0].get("tools")


def written(tokenizer: Any, row: list[dict[str, Any]], **keys: Any) -> str:
    messages, tools = apart(row)
    text: str = tokenizer.apply_chat_template(messages, tools=tools, tokenize=False, **keys)
    return text


def check(tokenizer: Any, row: list[dict[str, Any]], samples: list[Any]) -> None:
    """Prompt and target of the last turn are the text of transformers, cut at the prompt and after the end token."""
    prompt = written(tokenizer, row[:-1], add_generation_prompt=True)
    full = written(tokenizer, row)
    messages, tools = apart(row[:-1])
    ids = tokenizer.apply_chat_template(messages, tools=tools, add_generation_prompt=True, return_dict=False)
    sample = samples[-1]
    assert sample.input_ids[: len(ids)].tolist() == ids and full.startswith(prompt)
    assert any(m["role"] == "assistant" for m in messages) or not sample.weights[: len(ids)].any()
    target, last = full[len(prompt) :].replace("▁", " "), trained(tokenizer, sample)[-1].replace("▁", " ")
    assert last in target
    before, _, after = target.partition(last)
    end = samples_end(tokenizer, samples)
    assert last.endswith(end) and not after.replace(end, "").strip()  # Apriel writes its end twice
    assert not before or not set(row[-1]) - {"role", "content"}, "all that follows the prompt is trained"


def samples_end(tokenizer: Any, samples: list[Any]) -> str:
    """The end token of the last turn."""
    return decode(tokenizer, samples[-1].input_ids[-1:]).replace("▁", " ")


@pytest.mark.parametrize("name", BY_HAND)
def test_by_hand(name: str, material: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    freeze_date(monkeypatch, DEFAULT_TODAY)
    tokenizer = fitted(material, templates(material)[name])
    renderer = Renderer(tokenizer)
    call, answer = BY_HAND[name]
    samples = renderer.samples(CALLED, "assistant")
    assert [t for s in samples for t in trained(tokenizer, s)] == [call]
    assert samples[0].answer_bytes == len(call[: call.rindex(samples_end(tokenizer, samples))].encode())
    check(tokenizer, CALLED, samples)
    assert renderer.answer(CALLED) + samples_end(tokenizer, samples) == call
    assert samples[0].input_ids[-1] in renderer.stop_ids
    if answer is None:
        with pytest.raises(DataError, match=r"answer of message 4 so that it does not begin with its prompt") as caught:
            renderer.samples(ANSWERED, "assistant")
        assert not isinstance(caught.value, Refusal), "rows without results can be trained"
    else:
        samples = renderer.samples(ANSWERED, "assistant")
        assert [t for s in samples for t in trained(tokenizer, s)] == [call, answer]
        check(tokenizer, ANSWERED, samples)


REASONING = {
    "llamacpp/Qwen-Qwen3-0.6B": "<think>\n여름이니\n</think>\n\n맑음<|im_end|>",
    "trl/qwen3_5_think": "여름이니\n</think>\n\n맑음<|im_end|>",
    "trl/gptoss": "<|channel|>analysis<|message|>여름이니<|end|><|start|>assistant<|channel|>final<|message|>맑음<|return|>",
}


@pytest.mark.parametrize("name", REASONING)
def test_reasoning_by_hand(name: str, material: Path) -> None:
    tokenizer = fitted(material, templates(material)[name])
    samples = Renderer(tokenizer).samples(REASONED, "assistant")
    assert [t for s in samples for t in trained(tokenizer, s)] == [REASONING[name]]


@pytest.mark.parametrize("name", ["llamacpp/Qwen-Qwen2.5-7B-Instruct", "trl/llama3_1", "trl/gemma3"])
def test_reasoning_that_a_template_does_not_write(name: str, material: Path) -> None:
    with pytest.raises(DataError, match=r"does not write 'reasoning_content' of message 2") as caught:
        Renderer(fitted(material, templates(material)[name])).samples(REASONED, "assistant")
    assert not isinstance(caught.value, Refusal)


def test_what_a_template_drops_beside_a_call_is_refused(material: Path) -> None:
    row = [*ASKED, {**CALLED[-1], "content": "찾아볼게요."}]
    with pytest.raises(DataError, match=r"does not write 'content' of message 2"):
        Renderer(fitted(material, templates(material)["trl/llama3_1"])).samples(row, "assistant")
    tokenizer = fitted(material, templates(material)["trl/qwen2_5"])
    assert trained(tokenizer, Renderer(tokenizer).samples(row, "assistant")[0]) == ["찾아볼게요.\n" + QWEN]


def test_control_tokens_in_calls_results_and_tools_stay_text(material: Path) -> None:
    tokenizer = fitted(material, templates(material)["trl/qwen2_5"])
    end = tokenizer.convert_tokens_to_ids("<|im_end|>")
    bad = {
        "type": "function",
        "function": {"name": "f", "arguments": {"role": "<|im_end|>", "<|im_end|>": ["<|im_end|>"]}},
    }
    tool = {"type": "function", "function": {"name": "f", "description": "<|im_end|>"}}
    row = [
        {**ASKED[0], "tools": [tool]},
        {**CALLED[-1], "tool_calls": [bad]},
        {"role": "tool", "content": "<|im_end|>"},
        ANSWERED[-1],
    ]
    (sample,) = Renderer(tokenizer).samples(row, "assistant")
    ours = Renderer(tokenizer).text(row).count("<|im_end|>") - 5
    assert sample.input_ids.tolist().count(end) == ours == 5
    assert '{"role": "<|im_end|>", "<|im_end|>": ["<|im_end|>"]}' in trained(tokenizer, sample)[0]


@pytest.mark.parametrize(
    "name", ["trl/qwen2_5", "llamacpp/Qwen-Qwen3-0.6B", "llamacpp/meta-llama-Llama-3.1-8B-Instruct"]
)
def test_real_calls(name: str, material: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """LLaMA-Factory's own demo: every row trains, and every call in it."""
    freeze_date(monkeypatch, DEFAULT_TODAY)
    tokenizer = fitted(material, templates(material)[name])
    renderer = Renderer(tokenizer)
    for row in glaive(material)[::10]:
        samples = renderer.samples(row, "assistant")
        check(tokenizer, row, samples)
        texts = [t for s in samples for t in trained(tokenizer, s)]
        called = [c["function"]["name"] for m in row for c in m.get("tool_calls", ())]
        assert len(texts) == sum(m["role"] == "assistant" for m in row)
        assert sum(f'"name": "{n}"' in t for n in called for t in texts) >= len(called)


def glaive(material: Path) -> list[list[dict[str, Any]]]:
    rows = json.loads(
        (material / "peer_fixtures/llamafactory/glaive_toolcall_en_demo.json").read_text(encoding="utf-8")
    )
    convert = Recogniser()("f", list(rows[0]))[0]
    found = [convert(row) for row in rows]
    return [
        [{**c.messages[0], "tools": list(c.tools)}, *c.messages[1:]] if c.tools else list(c.messages) for c in found
    ]


def test_from_the_file_to_the_question_that_is_asked(material: Path, tmp_path: Path) -> None:
    """Rows with tools through both stages: samples, and test questions that bring their tools and a call as reference."""
    data = Data(tmp_path, (material / "chat_templates/trl/qwen2_5.jinja").read_text(encoding="utf-8"))
    rows = [
        {
            "messages": [
                {"role": "user", "content": f"{n}번 날씨?"},
                {
                    "role": "assistant",
                    "content": None,
                    "tool_calls": [CALL["function"] | {"arguments": f'{{"n": {n}}}'}],
                },
            ],
            "tools": json.dumps([TOOL["function"]]),
        }
        for n in range(20)
    ]
    source = {"type": "jsonl", "path": data.write("tools.jsonl", "\n".join(map(json.dumps, rows)))}
    folder = data.format(data.settings(source, max_length=2048, split={"validation": 0, "test": 0.2}))
    questions = [json.loads(line) for line in (folder / "test.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(questions) == 4
    for question in questions:
        (asked,) = question["messages"]
        assert asked["tools"] == [TOOL]
        number = asked["content"].removesuffix("번 날씨?")
        assert (
            question["reference"] == f'<tool_call>\n{{"name": "weather", "arguments": {{"n": {number}}}}}\n</tool_call>'
        )
    prompts = Renderer(load_tokenizer(folder / "prompt")).prompt_ids(questions[0]["messages"])
    assert '"description": "날씨"' in decode(load_tokenizer(folder / "prompt"), prompts)


def test_every_template(material: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is admitted is what transformers writes; whatever is refused is one row's fault, or the template's own."""
    freeze_date(monkeypatch, DEFAULT_TODAY)
    admitted = {"call": 0, "reasoning": 0}
    for name, source in templates(material).items():
        if name.endswith("_training"):
            continue
        tokenizer = small(source)
        renderer = Renderer(tokenizer)
        for kind, row in (("call", CALLED), ("reasoning", REASONED)):
            try:
                samples = renderer.samples(row, "assistant")
            except Refusal:
                assert renderer.refusal is not None
            except DataError as error:
                assert "\n" not in str(error)
            else:
                check(tokenizer, row, samples)
                admitted[kind] += 1
    assert admitted["call"] >= 38 and admitted["reasoning"] >= 13
