"""What `dadeum data check` tells, in words and cells: the same on a terminal and on a page."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dadeum.core.language import say

if TYPE_CHECKING:
    from dadeum.data.findings import Report

MOST_FILES, MOST_COLUMNS = 12, 30
QUANTILES = ("0.1", "0.5", "0.9", "0.99")
Facts = Mapping[str, Any]


@dataclass(frozen=True)
class Sheet:
    """A table: columns with a name and `left`, `right`, or `rest` (what is left of the width); `more` rows are not shown."""

    columns: Sequence[tuple[str, str]]
    rows: Sequence[Sequence[str]]
    more: int = 0


def dots(parts: Sequence[str]) -> str:
    """Things side by side."""
    return " · ".join(parts)


def levels() -> dict[str, str]:
    """What a finding is."""
    return {"stop": say("stops", "멈춤"), "look": say("warning", "주의"), "note": say("note", "참고")}


def verdict(report: "Report") -> str:
    """Whether it can be trained."""
    stops = sum(finding.level == "stop" for finding in report.findings)
    if not stops:
        return say("can be trained as it is", "이대로 학습할 수 있습니다")
    return say(
        f"cannot be trained as it is: {stops} thing{'s' * (stops > 1)} would stop a run",
        f"이대로는 학습할 수 없습니다: 실행을 멈출 것이 {stops}가지 있습니다",
    )


def row_facts(facts: Facts) -> list[tuple[str, str]]:
    """Rows, their kind, their parts."""
    rows = facts["rows"]
    named = {
        "read": say("read", "읽음"),
        "usable": say("usable", "쓸 수 있음"),
        "faulty": say("faulty", "쓸 수 없음"),
        "left_out": say("left out", "뺌"),
        "filtered": say("filtered", "거름"),
        "not_drawn": say("not drawn", "뽑지 않음"),
        "not_for_this_objective": say("not for this objective", "이 목적에는 안 맞음"),
        "not_understood": say("not understood", "알 수 없음"),
    }
    always = ("read", "usable", "faulty")
    counts = [f"{named[key]} {value:,}" for key, value in rows.items() if value or key in always]
    told: list[tuple[str, str]] = [(say("rows", "행"), dots(counts))]
    if len(facts["files"]) == 1 and facts["files"][0]["encoding"]:
        told.append((say("encoding", "인코딩"), facts["files"][0]["encoding"]))
    if facts["formats"]:
        kinds = ", ".join(facts["formats"])
        told.append((say("kind", "종류"), f"{kinds}  (train.objective={facts['objective']})"))
    if rows["usable"]:
        from dadeum.data.findings import parts_of

        pinned = say("  (some as the sources say)", "  (데이터가 정한 부분이 있음)") if facts["pinned"] else ""
        told.append((say("parts", "나누기"), parts_of(facts) + pinned))
    if facts["formats"]:
        told.append((say("repeated", "되풀이"), dots(_again(facts))))
    for head, labels in facts.get("labels", {}).items():
        told.append((say(f"labels of {head}", f"{head} 라벨"), labels["line"]))
    return told


def _again(facts: Facts) -> list[str]:
    counts = facts["duplicates"]
    said = [
        (say("rows", "행"), counts["normalised"]),
        (say("questions", "질문"), facts["repeated_questions"]),
        (say("answers", "답"), facts["repeated_answers"]["rows"]),
        ("ids", counts["ids"]),
    ]
    return [f"{name} {count:,}" for name, count in said]


def files(entries: Sequence[Facts]) -> Sheet | None:
    """Where there are several; one file is told among the rows."""
    if len(entries) < 2:
        return None
    stem = os.path.commonpath([os.path.dirname(entry["file"]) for entry in entries])
    rows = [[*_file(entry), os.path.relpath(entry["file"], stem or ".")] for entry in entries[:MOST_FILES]]
    columns = [
        (say("rows", "행"), "right"),
        (say("encoding", "인코딩"), "left"),
        (say("kind", "종류"), "left"),
        (say("file", "파일"), "rest"),
    ]
    return Sheet(columns, rows, max(0, len(entries) - MOST_FILES))


def _file(entry: Facts) -> list[str]:
    kind = say("damaged", "손상") if entry["damaged"] else entry["format"] or say("not known", "모름")
    return [f"{entry['rows']:,}", entry["encoding"] or "", kind]


def kinds_of_cells() -> dict[str, str]:
    """Kinds of columns in the reader's language."""
    return {
        "text": say("text", "글"),
        "number": say("number", "수"),
        "bool": say("true/false", "참/거짓"),
        "list": say("list", "목록"),
        "object": say("object", "객체"),
        "mixed": say("mixed", "섞임"),
        "empty": say("empty", "비었음"),
        "class": say("class", "분류"),
    }


def columns(entries: Sequence[Facts]) -> Sheet | None:
    """Of each column what is in it."""
    if not entries:
        return None
    names = kinds_of_cells()
    rows = []
    for column in entries[:MOST_COLUMNS]:
        kind = "class" if column["values"] and column["kind"] in ("text", "number", "bool") else column["kind"]
        shown = [f"{_quoted(v['value'])} ({v['count']:,})" for v in column["values"]] or [
            f'"{example}"' if kind == "text" else example for example in column["examples"]
        ]
        rows.append([column["name"], names.get(kind, kind), _share(column["empty_share"]), dots(shown)])
    heads = [
        (say("column", "열"), "left"),
        (say("kind", "종류"), "left"),
        (say("empty", "빈칸"), "right"),
        (say("examples, or how often", "보기 또는 횟수"), "rest"),
    ]
    return Sheet(heads, rows, max(0, len(entries) - MOST_COLUMNS))


def _quoted(value: str) -> str:
    """A class; in quotes where blanks stand around it."""
    return value if value == value.strip() else f'"{value}"'


def _share(share: float) -> str:
    if not share:
        return "0"
    return f"{share:.1%}" if share >= 0.001 else "<0.1%"


def lengths(facts: Facts) -> Sheet | None:
    """Quantiles of tokens and characters; None where no row is."""
    found = [(name, lengths) for name, lengths in facts["characters"].items() if lengths]
    if not found:
        return None
    whole, question, answer = say("whole", "전체"), say("before the answer", "답 앞까지"), say("answer", "답")
    named = {"whole": whole, "question": question, "answer": answer}
    letters, cells = say("characters", "글자 수"), []
    if facts["tokens"]:
        cells.append([say("tokens a sample", "샘플의 토큰"), *_spread(facts["tokens"]["lengths"])])
    cells += [[f"{letters}: {named[name]}", *_spread(lengths)] for name, lengths in found]
    heads = [say("shortest", "최소"), "10 %", say("median", "중앙"), "90 %", "99 %", say("longest", "최대")]
    return Sheet([("", "left"), *((head, "right") for head in heads)], cells)


def _spread(lengths: Facts) -> list[str]:
    return [
        f"{value:,}"
        for value in (lengths["shortest"], *(lengths["quantiles"][q] for q in QUANTILES), lengths["longest"])
    ]


def histogram(facts: Facts) -> tuple[str, list[tuple[str, int]]]:
    """What is counted, and of each bin its name and how many."""
    tokens = facts["tokens"]
    bins = tokens["lengths"]["histogram"] if tokens else facts["characters"]["whole"]["histogram"]
    title = say("tokens a sample", "샘플의 토큰") if tokens else say("characters a row", "행의 글자 수")
    return title, [(_bin(entry), entry["count"]) for entry in bins]


def _bin(entry: Facts) -> str:
    if entry["to"] is None:
        return f"{entry['from']:,} –"
    return f"{entry['from']:,} – {entry['to']:,}" if entry["to"] > entry["from"] else f"{entry['from']:,}"


def limits(tokens: Facts) -> Sheet:
    """What a limit would do."""
    chopped = tokens["rule"] == "chop"
    heads = [
        ("data.max_length", "right"),
        (say("longer", "더 긴 샘플"), "right"),
        (say("of all", "비율"), "right"),
        *(() if chopped else ((say("tokens lost", "잃는 토큰"), "right"),)),
        (say("packed rows", "채운 행"), "right"),
        (say("filled", "채움"), "right"),
    ]
    rows = []
    for entry in tokens["limits"]:
        mark = "▸ " if entry["max_length"] == tokens["max_length"] else ""
        cells = [f"{mark}{entry['max_length']:,}", f"{entry['longer']:,}", _share(entry["share"])]
        cells += [] if chopped else [f"{entry['lost_tokens']:,}"]
        rows.append([*cells, f"{entry['packed_rows']:,}", f"{entry['filled']:.0%}"])
    return Sheet(heads, rows)


def rule(tokens: Facts) -> str:
    """What becomes of a sample that is too long."""
    return {
        "chop": say(
            "longer texts are cut into several samples, nothing is lost",
            "긴 글은 여러 샘플로 나뉘며 잃는 것이 없습니다",
        ),
        "drop": say("longer samples are dropped (data.overlong=drop)", "긴 샘플은 뺍니다 (data.overlong=drop)"),
        "cut": say(
            "longer samples counted as cut at the front (data.overlong=keep_answer)",
            "긴 샘플은 앞을 자르는 것으로 셈 (data.overlong=keep_answer)",
        ),
    }[tokens["rule"]]


def token_facts(tokens: Facts) -> list[tuple[str, str]]:
    """The tokenizer, an epoch, what Korean costs."""
    epoch, share = tokens["epoch"], tokens["trained_tokens"] / max(1, tokens["lengths"]["total"])
    template = "" if tokens["with_template"] else say(" (texts alone: no template)", " (템플릿 없이 글만)")
    counted = [
        say(f"{epoch['tokens']:,} tokens", f"토큰 {epoch['tokens']:,}"),
        say(f"{epoch['samples']:,} samples", f"샘플 {epoch['samples']:,}"),
    ]
    if tokens["with_template"]:
        counted.append(say(f"{share:.0%} trained", f"학습 {share:.0%}"))
    packed = say(
        f"about {epoch['packed_rows']:,} rows of {tokens['max_length']:,} tokens, {epoch['filled']:.0%} filled",
        f"{tokens['max_length']:,}토큰짜리 약 {epoch['packed_rows']:,}행, {epoch['filled']:.0%} 채움",
    )
    facts = [
        (say("tokenizer", "토크나이저"), tokens["tokenizer"] + template),
        (say("an epoch", "에폭 하나"), dots(counted)),
        (say("packed", "채우면"), packed),
    ]
    if tokens["tokens_per_hangul"] is not None:
        each, letters = tokens["tokens_per_hangul"], tokens["hangul_counted"]
        said = say(
            f"{each:.2f} tokens (counted on {letters:,} letters of {tokens['hangul_rows']:,} rows)",
            f"{each:.2f}토큰 ({tokens['hangul_rows']:,}행의 {letters:,}자에서 셈)",
        )
        facts.append((say("a Korean letter", "한글 한 자"), said))
    return facts
