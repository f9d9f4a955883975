"""A whole evaluation: the file that users open, its numbers against hand-made ones."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
from sacrebleu.metrics import CHRF

from dadeum.core.errors import ModelError
from dadeum.core.progress import Silent
from dadeum.evaluate.few_shot import FewShot
from dadeum.evaluate.measuring import others
from dadeum.evaluate.result import EvaluationResult
from dadeum.evaluate.rows import AskedRow
from dadeum.evaluate.score import evaluate
from dadeum.generate.engine import Engine, Reply
from tests.evaluate.support import evaluated, rows_in, settings
from tests.generate.support import QUESTIONS, opened, save_small, user


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return opened(save_small(tmp_path_factory.mktemp("small")), name="작은 모델")


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[AskedRow]:
    return rows_in(tmp_path_factory.mktemp("rows"))


def test_the_file_holds_what_its_users_look_for(engine: Engine, rows: list[AskedRow], tmp_path: Path) -> None:
    result = evaluated(engine, rows)
    values = json.loads(result.write(tmp_path / "base_model_evaluation.json").read_text(encoding="utf-8"))
    assert values["model"] == "작은 모델"
    assert values["dataset"] == "test"
    assert set(values["metrics"]) == {"perplexity", "bits_per_byte", "chrf", "exact_match"}
    for metric in values["metrics"].values():
        assert {"value", "signature", "higher_is_better", "n"} <= set(metric)
        assert metric["n"] == 8
        assert metric["interval"][0] <= metric["value"] <= metric["interval"][1]
    for sample, row in zip(values["samples"], rows, strict=True):
        assert sample["prompt"] == engine.renderer.text(row.messages, add_generation_prompt=True)
        assert sample["reference"] == row.reference
        assert isinstance(sample["prediction"], str)
        assert sample["source_row"] == row.source_row
    environment = values["environment"]
    assert environment["template_sha256"] == engine.contract.template_sha256
    assert environment["decoding"] == {"max_new_tokens": 8, "do_sample": False, "num_beams": 1}
    assert {"versions", "seed", "prompts_sha256", "targets_sha256", "questions_sha256", "tokenizer_sha256"} <= set(
        environment
    )
    assert EvaluationResult.read(tmp_path / "base_model_evaluation.json") == EvaluationResult(**values)


def test_values_by_hand(engine: Engine, rows: list[AskedRow]) -> None:
    result = evaluated(engine, rows)
    losses = engine.answer_loss([[*r.messages, {"role": "assistant", "content": r.reference}] for r in rows])
    nll = sum(loss.nll for loss in losses)
    assert result.metrics["perplexity"]["value"] == pytest.approx(math.exp(nll / sum(loss.tokens for loss in losses)))
    size = sum(len((r.reference or "").encode()) for r in rows)
    assert result.metrics["bits_per_byte"]["value"] == pytest.approx(nll / math.log(2) / size)
    replies = engine.replies([r.messages for r in rows], max_new_tokens=8)
    assert [s["prediction"] for s in result.samples] == [r.text.strip() for r in replies]
    references = [r.reference or "" for r in rows]
    direct = CHRF().corpus_score([r.text.strip() for r in replies], [references])
    assert result.metrics["chrf"]["value"] == pytest.approx(direct.score)
    shifted = CHRF().corpus_score([r.text.strip() for r in replies], [[references[i] for i in others(len(references))]])
    assert result.metrics["chrf"]["floor"] == pytest.approx(shifted.score)


class _Parrot:
    """An engine whose answers are given."""

    def __init__(self, engine: Engine, answers: list[str], cut: list[bool]) -> None:
        self._engine, self._answers, self._cut = engine, answers, cut

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def replies(self, conversations: Any, **_: Any) -> list[Reply]:
        return [Reply(t, (1,), 3, 1, c, 0.1) for t, c in zip(self._answers, self._cut, strict=True)]


def test_reasoning_is_removed_and_counted_and_cuts_are_reported(engine: Engine) -> None:
    rows = [AskedRow(messages=tuple(user(q)), reference="답", asked=q) for q in QUESTIONS[:4]]
    parrot: Any = _Parrot(engine, ["<think>음</think>\n답", "답", "<think>끝없이", ""], [False, False, True, False])
    result = evaluated(parrot, rows, metrics=["exact_match"])
    assert result.metrics["exact_match"]["value"] == 0.5
    assert [s["prediction"] for s in result.samples] == ["답", "답", "", ""]
    assert result.samples[0]["generated"] == "<think>음</think>\n답"
    assert result.shares == {"stopped": 0.75, "cut": 0.25, "reasoning": 0.5, "empty": 0.5}


def test_plain_text_is_read_not_answered(engine: Engine) -> None:
    rows = [AskedRow(text="the quick brown fox", asked="1"), AskedRow(text="질문과 답변입니다", asked="2")]
    result = evaluated(engine, rows)
    assert set(result.metrics) == {"perplexity", "bits_per_byte"}
    losses = engine.text_loss([r.text or "" for r in rows])
    nll, size = sum(loss.nll for loss in losses), sum(loss.bytes for loss in losses)
    assert result.metrics["bits_per_byte"]["value"] == pytest.approx(nll / math.log(2) / size)
    assert any("plain text" in note for note in result.notes)
    assert result.shares == {}


def test_questions_without_references_are_answered_and_not_scored(engine: Engine) -> None:
    rows = [
        AskedRow(messages=tuple(user("hi")), asked="1"),
        AskedRow(messages=tuple(user("질문")), reference="답", asked="2"),
    ]
    result = evaluated(engine, rows)
    assert result.metrics["chrf"]["n"] == 1
    assert result.samples[0]["prediction"] is not None
    assert result.samples[0]["statistics"] == {}


def test_few_shot_changes_the_prompt_and_says_how_many(engine: Engine, rows: list[AskedRow]) -> None:
    shown = FewShot(((*user("물음"), {"role": "assistant", "content": "대답"}),))
    result = evaluate(engine, rows, settings(), dataset="test", reporter=Silent(), few_shot=shown)
    plain = evaluated(engine, rows)
    assert result.environment["few_shot"] == {"asked": 1, "rows": {"1": 8}}
    assert "대답" in result.samples[0]["prompt"] and "대답" not in plain.samples[0]["prompt"]
    assert result.environment["questions_sha256"] == plain.environment["questions_sha256"]
    assert result.environment["prompts_sha256"] != plain.environment["prompts_sha256"]


def test_weights_that_are_not_numbers_are_no_score(tmp_path: Path, rows: list[AskedRow]) -> None:
    import torch

    engine = opened(save_small(tmp_path))
    with torch.no_grad():
        engine.model.get_input_embeddings().weight.fill_(float("nan"))
    with pytest.raises(ModelError, match="likelihood of test row 10 is not a number"):
        evaluated(engine, rows, metrics=["perplexity"])


def test_a_reference_that_cannot_be_weighed_is_counted(engine: Engine) -> None:
    good = AskedRow(messages=tuple(user("hi")), reference="답", asked="1")
    empty = AskedRow(messages=tuple(user("질문")), reference=" ", asked="2")
    long = AskedRow(messages=tuple(user("질문")), reference="길다 " * 300, asked="3")
    result = evaluated(engine, [good, empty, long], metrics=["perplexity"])
    assert result.metrics["perplexity"]["n"] == 1
    assert "reference answers of 2 rows could not be weighed" in result.notes[0]
    with pytest.raises(ModelError, match=r"lower data\.max_length"):
        evaluated(engine, [long], metrics=["perplexity"])


def test_a_blank_reference_is_told_and_one_bad_metric_costs_no_other(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dadeum.evaluate.metrics import METRICS

    rows = [
        AskedRow(messages=tuple(user("hi")), reference="답", asked="1", source_row=70),
        AskedRow(messages=tuple(user("질문")), reference=" ", asked="2", source_row=71),
        AskedRow(messages=tuple(user("물음")), reference="폭탄", asked="3", source_row=72),
    ]
    exact = METRICS.member("exact_match")
    whole = exact.score

    def fragile(settings: Any, samples: Any) -> Any:
        if any(one.reference == "폭탄" for one in samples):
            raise RuntimeError("the library gives up")
        return whole(settings, samples)

    monkeypatch.setattr(exact, "score", fragile)
    result = evaluated(engine, rows, metrics=["chrf", "exact_match"])
    assert result.metrics["chrf"]["n"] == 2 and result.metrics["exact_match"]["n"] == 1
    assert any("1 rows are blank" in note for note in result.notes)
    assert any("test row 72" in note and "the library gives up" in note for note in result.notes)
    assert [set(sample["statistics"]) for sample in result.samples] == [{"chrf", "exact_match"}, set(), {"chrf"}]


def test_a_metric_with_nothing_to_measure_is_told(engine: Engine) -> None:
    result = evaluated(engine, [AskedRow(messages=tuple(user("hi")), asked="1")], metrics=["chrf", "exact_match"])
    assert result.metrics == {}
    assert any(note.startswith("chrf, exact_match: no test row has what is measured") for note in result.notes)


def test_a_metric_hears_the_question_and_whether_the_answer_ended(engine: Engine) -> None:
    from dadeum.evaluate.score import _sample

    row = AskedRow(messages=tuple(user("질문")), reference="답", asked="1")
    _, scored = _sample(engine, row, row.messages, Reply("네", (1,), 3, 2, True, 0.1), None)
    assert (scored.question, scored.stopped, scored.new_tokens) == ("질문", False, 2)


def test_the_best_of_several_right_answers_counts_and_all_are_part_of_the_terms(engine: Engine) -> None:
    def asked(*references: str) -> list[AskedRow]:
        return [AskedRow(messages=tuple(user("누구?")), reference="임수경", references=references, asked="1")]

    parrot: Any = _Parrot(engine, ["수경"], [False])
    one, several = (evaluated(parrot, asked(*texts), metrics=["korquad"]) for texts in ((), ("임수경", "수경")))
    assert (one.metrics["korquad_em"]["value"], several.metrics["korquad_em"]["value"]) == (0, 100)
    assert several.samples[0]["references"] == ["임수경", "수경"] and "references" not in one.samples[0]
    assert one.environment["targets_sha256"] != several.environment["targets_sha256"]
