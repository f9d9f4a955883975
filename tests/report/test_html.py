"""The page: one file that needs nothing, in reading order, with every text escaped and no secret on it."""

import re
from pathlib import Path

import pytest

from dadeum.report.blocks import Code, Document, Section, Text, Verdict
from dadeum.report.html import page
from dadeum.report.step import make
from tests.cli.test_check_page import Reader
from tests.evaluate.test_judge_table import FOUND, ONE
from tests.report.made_up import EVIL, comparison, evaluation, metric, whole


@pytest.fixture
def evil(tmp_path: Path) -> str:
    """A page on which everything that comes from outside wants to be more than text."""
    seeds = {"seeds": [EVIL], "metrics": {EVIL: {"sd": 0.1}}}
    task = {
        "task": EVIL,
        "metric": EVIL,
        "higher_is_better": True,
        "n": 1,
        "base": 1,
        "tuned": 2,
        "difference": 1,
        "interval": None,
        "verdict": "unknown",
    }
    rows = [metric(EVIL, 0.3, 0.5), metric("rougeL", 0.3, 0.5)]
    answers = evaluation(EVIL, confusion={EVIL: {"names": [EVIL], "counts": [[1]]}})
    for sample in answers["samples"]:
        sample |= {"question": EVIL, "reference": EVIL, "category": EVIL}
    place = whole(
        tmp_path,
        **{
            "evaluation/comparison.json": comparison(
                *rows, notes=[EVIL], seeds=seeds, tasks=[task], judge={**FOUND, "model": EVIL, "models": {EVIL: ONE}}
            ),
            "evaluation/base_model_evaluation.json": answers,
            "evaluation/finetuned_model_evaluation.json": answers,
            "metrics.jsonl": '{"step": 1, "loss": 2, "<img src=x onerror=alert(1)>": 2}\n{"step": 2, "loss": 1, "<img src=x onerror=alert(1)>": 2}\n',
            "config.yaml": f"# {EVIL}\n",
            "run_1.log": f"x WARNING {EVIL}\n",
        },
    )
    return page(make(place))


def test_nothing_on_it_is_more_than_text(evil: str) -> None:
    reader = Reader(re.sub(r"<(rect|path|use)([^>]*)/>", "", evil))  # parsed as HTML they have no end
    assert not {"img", "script", "iframe", "object", "link", "form"} & reader.tags
    assert not {name for name in reader.attributes if name.startswith("on")}
    assert evil.count("&lt;img src=x onerror=alert(1)&gt;") > 20
    assert "javascript:alert" in reader.text, "it is there, as text"
    assert not re.search(r'(href|src)="(?!#)[^"]', evil)


def test_it_needs_nothing(evil: str) -> None:
    assert "default-src 'none'" in evil and "<script" not in evil
    assert not re.search(r"url\((?!#)|@import", evil)


def test_ids_are_there_once_and_every_reference_leads_somewhere(evil: str) -> None:
    ids = re.findall(r' id="([^"]+)"', evil)
    assert len(ids) == len(set(ids)) > 5
    assert {a or b for a, b in re.findall(r'url\(#([^)"]+)\)|href="#([^"]+)"', evil)} <= set(ids)


def test_it_is_read_in_order(tmp_path: Path) -> None:
    text = page(make(whole(tmp_path)))
    heads = re.findall(r"<h2>([^<]+)</h2>", text)
    assert heads == [
        "What was done",
        "The data",
        "Training",
        "Scores on the test rows",
        "Answers side by side",
        "Exports",
        "Surroundings",
        "Do it again",
    ]
    assert text.index('class="verdict yes"') < text.index("<h2>")
    assert "dadeum reproduce 20260101-000000-abcdef" in text and "<code>dadeum run " in text


def test_korean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DADEUM_LANG", "ko")
    text = page(make(whole(tmp_path)))
    assert '<html lang="ko">' in text and "<h2>한 일</h2>" in text and "학습률" in text


def test_the_same_evidence_gives_the_same_bytes(tmp_path: Path) -> None:
    place = whole(tmp_path)
    assert page(make(place)) == page(make(place))


def test_secrets_are_taken_out_before_and_after_escaping(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "canary<&>'value'12345")
    found = page(
        Document(
            "x canary<&>'value'12345",
            "l",
            Verdict("yes", ("s",)),
            (Section("t", (Text("a canary<&>'value'12345 b"), Code("canary<&>'value'12345"))),),
        )
    )
    assert "canary" not in found


def test_damage_is_told_at_the_top() -> None:
    found = page(Document("t", "l", Verdict("open", ("s",)), (), ("comparison.json: cannot be read <b>",)))
    assert '<p class="look">comparison.json: cannot be read &lt;b&gt;</p>' in found
