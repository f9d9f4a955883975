"""The page for docs/: headers, tables, pictures beside it; nothing of models or data is Markdown or HTML."""

import re
from pathlib import Path

import pytest

from dadeum.report.blocks import Code, Document, Facts, Page, Section, Side, Table, Text, Verdict
from dadeum.report.markdown import escaped, markdown
from dadeum.report.step import make
from tests.report.made_up import EVIL, whole


def written(*blocks: object) -> str:
    section = Section("t", tuple(blocks))  # type: ignore[arg-type]
    return markdown(Document("x", "l", Verdict("yes", ("s",)), (section,)), "p")[0]


def test_headers_tables_pictures(tmp_path: Path) -> None:
    text, files = markdown(make(whole(tmp_path)), "pictures")
    heads = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert heads[:3] == ["Result", "What was done", "The data"] and "Scores on the test rows" in heads
    assert "| rougeL ↑ | better | 0.3 | 0.5 | 0.15 | +0.2 | \\[+0.15, +0.25\\] | 0.004 | 7/2/1 |" in text
    assert set(files) == {
        f"{n}.svg" for n in ("loss", "learning_rate", "grad_norm", "tokens_per_second", "memory", "scores", "moved")
    }
    assert all(f"](<pictures/{name}>)" in text and svg.startswith("<?xml") for name, svg in files.items())
    assert "```sh\ndadeum reproduce 20260101-000000-abcdef\n```" in text and "```yaml\nname: 실험\n```" in text


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("<img onerror=x>", "&lt;img onerror=x&gt;"),
        ("[a](javascript:b)", "\\[a\\](javascript:b)"),
        ("https://x.y www.x.y", "https:\\//x.y www\\.x.y"),
        ("a|b `c` $d$ *e* ~f~", "a\\|b \\`c\\` \\$d\\$ \\*e\\* \\~f\\~"),
        ("data/civil_law_qa.csv", "data/civil_law_qa.csv"),
        ("_a_ __b__ 한_글", "\\_a\\_ \\_\\_b\\_\\_ 한_글"),
        ("# head", "\\# head"),
        ("- item", "\\- item"),
        ("12. item", "12\\. item"),
        ("0.05", "0.05"),
        ("two\n# lines", "two # lines"),
        ("&amp; =cmd()", "&amp;amp; =cmd()"),
        ("\x1b[31m", None),
    ],
)
def test_marks_are_text(text: str, safe: str | None) -> None:
    told = escaped(text)
    assert "\x1b" not in told if safe is None else told == safe


def test_answers_stand_in_indented_blocks() -> None:
    text = written(Side(EVIL, ((EVIL, "x\n# y\n</pre>"),), (("tuned", ""),)))
    assert "\n    # y\n    </pre>\n" in text and "    (nothing)" in text
    assert "<img" not in text.replace("    ", "")


def test_a_fence_is_longer_than_any_inside() -> None:
    assert "````yaml\na\n```\nb\n````" in written(Code("a\n```\nb\n", "file", "yaml"))


def test_what_only_a_page_can_show_is_left_out() -> None:
    text = written(
        Page("<b>painted</b>"),
        Facts((("# k", "- v"),)),
        Table((("a", "left"), ("n", "right")), (("|", "-1"),)),
        Text("see `x`", "hint"),
    )
    assert "painted" not in text
    assert "- \\# k: - v" in text and "| \\| | -1 |" in text and "| --- | ---: |" in text and "see `x`" in text


def test_secrets_are_taken_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "canary*value_12345")
    assert "canary" not in written(Text("canary*value_12345"), Code("canary*value_12345"))
