"""The engine against transformers' `generate` one at a time, and against hand-made likelihoods."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import GenerationConfig

from dadeum.core.errors import ModelError
from dadeum.data.contract import PromptContract
from dadeum.generate.engine import Engine
from dadeum.generate.stream import decode
from dadeum.model.save import save_model
from tests.data.small import make_tokenizer
from tests.generate.support import QUESTIONS, opened, save_adapter, save_small, user
from tests.model.tiny import longrope, tiny


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_small(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="module")
def engine(small: Path) -> Engine:
    return opened(small)


def alone(engine: Engine, messages: Any, new: int) -> list[int]:
    """transformers' greedy answer to one prompt, cut at the first stop token."""
    ids = torch.tensor([engine.prompt_ids(messages)])
    config = GenerationConfig(max_new_tokens=new, do_sample=False, eos_token_id=list(engine.stop_ids), pad_token_id=0)
    out = engine.model.generate(ids, attention_mask=torch.ones_like(ids), generation_config=config)[
        0, ids.shape[1] :
    ].tolist()
    return out[: next((i for i, token in enumerate(out) if token in engine.stop_ids), len(out))]


def test_replies_are_those_of_transformers(engine: Engine) -> None:
    conversations = [user(q) for q in QUESTIONS]
    replies = engine.replies(conversations, max_new_tokens=12, batch_size=3)
    for messages, reply in zip(conversations, replies, strict=True):
        assert list(reply.ids) == alone(engine, messages, 12)
        assert reply.prompt_tokens == len(engine.prompt_ids(messages))
        assert reply.text == decode(engine.tokenizer, reply.ids)
        assert reply.cut == (reply.new_tokens == len(reply.ids))


def test_rotations_that_change_with_the_length_of_a_batch_change_no_answer(tmp_path: Path) -> None:
    """Phi-3 128k: a prompt past the original length would turn those beside it."""
    asked = [user(q) for q in QUESTIONS]
    lengths = sorted(len(ids) for ids in opened(save_small(tmp_path / "plain")).prompts(asked))
    for limit in (lengths[4], lengths[-1] + 6):  # between prompts; and reached by answers alone
        engine = opened(save_small(tmp_path / str(limit), "phi3", **longrope(limit)))
        together = engine.replies(asked, max_new_tokens=12, batch_size=8)
        assert [list(r.ids) for r in together] == [alone(engine, one, 12) for one in asked]


def test_an_answer_that_stops_by_itself_is_not_cut(small: Path) -> None:
    engine = opened(small)
    first = engine.replies([user("hi")], max_new_tokens=6)[0].ids
    engine.stop_ids = (first[3],)
    place = first.index(first[3])
    reply = engine.replies([user("hi")], max_new_tokens=6)[0]
    assert (reply.ids, reply.new_tokens, reply.cut) == (first[:place], place + 1, False)
    stream = engine.stream(user("hi"), max_new_tokens=6)
    assert "".join(stream) == reply.text
    assert stream.reply is not None
    assert (stream.reply.ids, stream.reply.cut) == (reply.ids, False)


def test_settings_saved_with_a_model_do_not_change_the_measurement(tmp_path: Path) -> None:
    folder = save_small(tmp_path / "m")
    plain = opened(folder).replies([user("hi")], max_new_tokens=20)[0]
    GenerationConfig(do_sample=True, temperature=5.0, repetition_penalty=9.0, no_repeat_ngram_size=1).save_pretrained(
        folder
    )
    assert opened(folder).replies([user("hi")], max_new_tokens=20)[0].ids == plain.ids


def test_sampling_is_seeded_and_leaves_the_random_state(engine: Engine) -> None:
    torch.manual_seed(7)
    before = torch.random.get_rng_state()
    draws = [engine.replies([user("hi")], max_new_tokens=12, temperature=3.0, seed=s)[0].ids for s in (1, 1, 2)]
    streamed = engine.stream(user("hi"), max_new_tokens=12, temperature=3.0, seed=1)
    list(streamed)
    assert draws[0] == draws[1] != draws[2]
    assert streamed.reply is not None and streamed.reply.ids == draws[0]
    assert torch.equal(torch.random.get_rng_state(), before)


def test_the_context_shortens_answers_and_refuses_prompts(tmp_path: Path) -> None:
    engine = opened(save_small(tmp_path / "m", max_position_embeddings=64))
    tokens = len(engine.prompt_ids(user("hi")))
    assert engine.replies([user("hi")], max_new_tokens=500)[0].new_tokens == 64 - tokens
    # A long neighbour in the batch takes nothing from a short one.
    long = user("hi " * 13)
    pair = engine.replies([user("hi"), long], max_new_tokens=20, batch_size=2)
    assert pair[0].ids == engine.replies([user("hi")], max_new_tokens=20)[0].ids
    assert pair[1].new_tokens == 64 - len(engine.prompt_ids(long)) < 20
    with pytest.raises(ModelError, match=r"the prompt of question 2 has \d+ tokens, the model's context only 64"):
        engine.replies([user("hi"), user("hi " * 80)], max_new_tokens=5)
    with pytest.raises(ModelError, match=r"lower data\.max_length"):
        engine.answer_loss([[*user("hi"), {"role": "assistant", "content": "hi " * 80}]])


def test_answer_loss_is_the_hand_loop(engine: Engine) -> None:
    answer = "답변입니다"
    messages = [*user("질문?"), {"role": "assistant", "content": answer}]
    prompt = engine.prompt_ids(user("질문?"))
    target = [*engine.tokenizer(answer, add_special_tokens=False)["input_ids"], engine.stop_ids[0]]
    ids = torch.tensor([[*prompt, *target]])
    with torch.no_grad():
        logs = engine.model(ids).logits[0].double().log_softmax(-1)
    by_hand = -sum(float(logs[len(prompt) + i - 1, token]) for i, token in enumerate(target))
    loss = engine.answer_loss([messages])[0]
    assert loss.nll == pytest.approx(by_hand, rel=1e-6)
    assert (loss.tokens, loss.bytes) == (len(target), len(answer.encode()))


def test_plain_text_longer_than_the_context_scores_each_token_once(tmp_path: Path) -> None:
    engine = opened(save_small(tmp_path / "m", max_position_embeddings=16))
    text = "the quick brown fox answers a question 질문과 답변입니다. " * 3
    sample = engine.renderer.plain(text)
    ids = sample.input_ids.tolist()
    loss = engine.text_loss([text, "hi"])[0]
    assert (loss.tokens, loss.bytes) == (len(ids) - 1, len(text.encode()))
    by_hand, start = 0.0, 0
    while start < len(ids) - 1:
        piece = torch.tensor([ids[start : start + 16]])
        with torch.no_grad():
            logs = engine.model(piece).logits[0].double().log_softmax(-1)
        by_hand -= float(logs[:-1].gather(-1, piece[0, 1:, None]).sum())
        start += 15
    assert loss.nll == pytest.approx(by_hand, rel=1e-5)


def test_a_model_without_a_chat_template_can_be_read_but_not_asked(tmp_path: Path) -> None:
    from dadeum.model.save import save_model

    folder = make_tokenizer(tmp_path / "m", template=None)
    save_model(tiny("llama", vocab_size=400), folder)
    engine = opened(folder)
    assert np.isfinite(engine.text_loss(["hello"])[0].nll)
    with pytest.raises(ModelError, match=r"tokenizer\.chat_template"):
        engine.replies([user("hi")], max_new_tokens=2)


def test_a_tokenizer_larger_than_the_model_is_refused(tmp_path: Path, small: Path) -> None:
    from dadeum.model.save import save_model

    save_model(tiny("llama", vocab_size=100), tmp_path)
    with pytest.raises(ModelError, match="the model only 100"):
        opened(tmp_path, prompt=small)


def test_an_adapter_answers_unlike_its_base(tmp_path: Path, small: Path) -> None:
    adapter = save_adapter(tmp_path / "adapter", small)
    tuned = opened(adapter, base=small)
    base = opened(small)
    ids = torch.tensor([base.prompt_ids(user("hi"))])
    with torch.no_grad():
        assert not torch.allclose(tuned.model(ids).logits, base.model(ids).logits, atol=1e-2)
    assert tuned.replies([user("hi")], max_new_tokens=5)[0].new_tokens > 0
    (adapter / "tokenizer.json").unlink()
    (adapter / "dadeum_prompt.json").unlink()
    assert opened(adapter).contract == PromptContract.of(base.renderer)


def test_stories_tells_a_story(material: Path) -> None:
    """A real model: plain greedy text of llama2.c's test."""
    from dadeum.generate.place import open_contract

    place = material / "weights" / "stories260K" / "hf"
    tokenizer, _ = open_contract(place)
    engine = opened(place)
    ids = torch.tensor([tokenizer("Once upon a time")["input_ids"]])
    out = engine.generate(ids, torch.ones_like(ids), engine.decoding(40))[0].tolist()
    assert decode(tokenizer, out).startswith("Once upon a time, there was a little girl named Lily.")


@pytest.mark.parametrize("kind", ["prompt_tuning", "prefix_tuning"])
def test_virtual_tokens_stand_before_every_prompt(kind: str, tmp_path: Path, small: Path) -> None:
    """In a batch as alone, as a forward pass without a cache has it; the context is shorter by them."""
    from dadeum.model.adapters import ADAPTERS
    from dadeum.model.load import load_for_inference

    settings = ADAPTERS.validate({"type": kind, "num_virtual_tokens": 6})
    torch.manual_seed(1)
    model: Any = ADAPTERS.of(settings).apply(settings, load_for_inference(small))
    save_model(model, tmp_path / "adapter")
    engine = opened(tmp_path / "adapter", base=small, prompt=small)
    assert engine.context == 250
    conversations = [user(text) for text in QUESTIONS[:4]]
    replies = engine.replies(conversations, max_new_tokens=6, batch_size=4)
    for conversation, reply in zip(conversations, replies, strict=True):
        ids = engine.prompt_ids(conversation)
        made: list[int] = []
        while len(made) < 6:
            text = torch.tensor([[*ids, *made]])
            with torch.inference_mode():
                logits = model.eval()(input_ids=text, attention_mask=torch.ones_like(text), use_cache=False).logits
            made.append(int(logits[0, -1].argmax()))
            if made[-1] in engine.stop_ids:
                made.pop()
                break
        assert list(reply.ids) == made
    assert [r.ids for r in replies] != [r.ids for r in opened(small).replies(conversations, max_new_tokens=6)]
