"""What `dadeum data check` makes of what it saw: findings, each with what to do, and all figures for machines.

`stop` would stop a run under these settings, `look` would not but costs quality or surprises, `note` is good to know.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from dadeum.core.language import say
from dadeum.data.check import Check
from dadeum.data.label_check import Told
from dadeum.data.lengths import LIMITS, Ints, Rule, fitted, fitted_pairs, forecast, packed_rows
from dadeum.data.mixture import said
from dadeum.data.sources import PARTS
from dadeum.data.split import number

Level = Literal["stop", "look", "note"]
LEVELS: tuple[Level, ...] = ("stop", "look", "note")
# An answer that so many rows give, and so large a share of them, is told.
OFTEN, OFTEN_SHARE = 10, 0.01


@dataclass(frozen=True)
class Finding:
    """One thing that was found. `places` are lines of the rows that show it."""

    level: Level
    kind: str
    text: str
    places: tuple[str, ...] = ()


@dataclass(frozen=True)
class Report:
    """All of it: the findings, worst first, and the figures."""

    findings: tuple[Finding, ...]
    facts: dict[str, Any]

    @property
    def trainable(self) -> bool:
        """Whether nothing would stop a run."""
        return not any(finding.level == "stop" for finding in self.findings)

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        told = [{"level": f.level, "kind": f.kind, "text": f.text, "places": list(f.places)} for f in self.findings]
        return {"trainable": self.trainable, "findings": told, **self.facts}


def report(check: Check) -> Report:
    """What is told of a check that has read everything."""
    compared = check.compared.facts(check.data, check.origins)
    facts: dict[str, Any] = {
        "objective": check.purpose.objective if check.purpose is not None else None,
        "rows": {
            "read": check.read_rows,
            "usable": check.kept,
            "faulty": sum(found.count for found in check.faults.values()),
            "left_out": check.left_out,
            "filtered": check.filtered,
            "not_drawn": compared["not_drawn"],
            "not_for_this_objective": check.refused,
            "not_understood": check.not_understood,
        },
        "faulty": {
            kind: {"rows": found.count, "first": [{"where": w, "reason": r} for w, r in found.first]}
            for kind, found in sorted(check.faults.items(), key=lambda item: -item[1].count)
        },
        "filters": {
            "dropped": dict(check.filters.dropped) if check.filters else {},
            "masked": dict(check.filters.masked) if check.filters else {},
            "not_applied": check.filters.waiting if check.filters else [],
        },
        "formats": dict(check.kinds),
        "files": check.files,
        "columns": check.columns.facts(),
        "nfc_changed": check.cleaner.changes.nfc,
        "line_ends_changed": check.cleaner.changes.line_ends,
        "damaged_letters": check.damaged_letters,
        "characters": {
            name: lengths.facts()
            for name, lengths in (("whole", check.whole), ("question", check.questions), ("answer", check.answers))
        },
        **compared,
        "tokens": _tokens(check),
    }
    labels = [one.finish() for one in check.labels if check.kept]
    if labels:
        facts["labels"] = {one.head: {**one.facts, "line": one.line} for one in labels}
    found = [*_stops(check, facts), *_looks(check, facts), *_notes(facts)]
    found += [_of_labels(check, told) for one in labels for told in one.told]
    found.sort(key=lambda finding: LEVELS.index(finding.level))
    return Report(tuple(found), facts)


def _of_labels(check: Check, told: Told) -> Finding:
    """What settings take does not stop a run."""
    level, kind, text, places = told
    taken = kind in check.data.allow or (kind == "unknown label" and check.data.faulty_rows == "drop")
    return Finding("look" if taken else level, kind, text, places)


def rule_of(check: Check) -> Rule:
    """What a run does with samples that are too long; where it stops, they count as cut."""
    if check.purpose is not None and check.purpose.pretrain:
        return "chop"
    return "drop" if check.data.overlong == "drop" else "cut"


def _tokens(check: Check) -> dict[str, Any] | None:
    measure = check.measure
    if measure is None or not len(measure.lengths):
        return None
    limit, rule = check.data.max_length, rule_of(check)
    values = measure.lengths.values
    rows = measure.rows[check.compared.parts[measure.rows] == number("train")]
    train = values[check.compared.parts[measure.rows] == number("train")]
    times, pair = check.compared.times[rows], check.purpose is not None and check.purpose.takes == "pair"
    epoch: Ints = fitted_pairs(train, times, limit, rule) if pair else fitted(train.repeat(times), limit, rule)
    packed, tokens = packed_rows(epoch, limit), int(epoch.sum())
    return {
        **measure.facts(),
        "max_length": limit,
        "rule": rule,
        "longer": int((values > limit).sum()),
        "limits": forecast(values, sorted({*LIMITS, limit}), rule),
        "epoch": {
            "samples": len(epoch) // 2 if pair else len(epoch),
            "tokens": tokens,
            "packed_rows": packed,
            "filled": round(tokens / (packed * limit), 4) if packed else 0.0,
            "longest": int(epoch.max()) if len(epoch) else 0,
        },
    }


def _stops(check: Check, facts: dict[str, Any]) -> Iterator[Finding]:
    mend = say(
        "mend this file, or take it out; all else was read", "이 파일을 고치거나 빼세요. 나머지는 모두 읽었습니다"
    )
    for trouble in check.troubles:
        yield Finding("stop", trouble.kind, trouble.text, (mend,) if trouble.kind == "damaged file" else ())
    if check.filtered and not len(check.compared):
        names = ", ".join(facts["filters"]["dropped"])
        text = say(
            f"data.filters ({names}) drop all {check.filtered:,} rows that reach them; loosen them or take them out",
            f"data.filters({names})가 {check.filtered:,}행을 모두 뺍니다. 조건을 늦추거나 지우세요",
        )
        yield Finding("stop", "filters", text)
    if check.compared.undrawable is not None:
        yield Finding("stop", "mixture", check.compared.undrawable)
    measure, talks = check.measure, bool(len(check.answers))
    if measure is not None and measure.refusal is not None and talks:
        yield Finding("stop", "template", measure.refusal)
    yield from _faulty(check, facts)
    tokens = facts["tokens"]
    if tokens is None or (check.purpose is not None and check.purpose.pretrain):
        return
    count, limit, longest = tokens["longer"], tokens["max_length"], tokens["lengths"]["longest"]
    if count and check.data.overlong == "error":
        text = say(
            f"{_many(count, 'sample is', 'samples are')} longer than data.max_length={limit}, the longest has {longest:,} tokens; "
            f"set data.max_length={longest}, or data.overlong=drop{'' if check.labels else ' or keep_answer'}",
            f"샘플 {count:,}개가 data.max_length={limit}보다 깁니다. 가장 긴 것은 {longest:,}토큰입니다. "
            f"data.max_length={longest}(으)로 늘리거나 data.overlong=drop{'' if check.labels else ' 또는 keep_answer'}를 쓰세요",
        )
        yield Finding("stop", "overlong", text)
    elif count:
        what = (
            say("left out", "뺍니다")
            if check.data.overlong == "drop"
            else say("cut at the front of the prompt", "프롬프트 앞을 자릅니다")
        )
        text = say(
            f"{_many(count, 'sample is', 'samples are')} longer than data.max_length={limit} and {what} (data.overlong={check.data.overlong}); "
            f"data.max_length={longest} would take them whole",
            f"샘플 {count:,}개가 data.max_length={limit}보다 길어 {what}(data.overlong={check.data.overlong}). "
            f"data.max_length={longest}이면 모두 들어갑니다",
        )
        yield Finding("look", "overlong", text)
    if not tokens["epoch"]["samples"]:
        said = say(
            "no sample is left to train; raise data.max_length, or lower the shares of data.split",
            "학습할 샘플이 남지 않습니다. data.max_length를 늘리거나 data.split의 비율을 줄이세요",
        )
        yield Finding("stop", "nothing to train", said)


def _faulty(check: Check, facts: dict[str, Any]) -> Iterator[Finding]:
    read, stops = check.read_rows, check.data.faulty_rows == "error" or not check.kept
    for kind, found in facts["faulty"].items():
        cure = (
            say(
                "correct them, or leave them out with data.faulty_rows=drop",
                "고치거나 data.faulty_rows=drop으로 빼세요",
            )
            if stops and check.kept
            else say("correct them", "고치세요")
            if stops
            else say("they are left out (data.faulty_rows=drop)", "뺍니다(data.faulty_rows=drop)")
        )
        text = say(
            f"{found['rows']:,} of {read:,} rows cannot be used ({kind}); {cure}",
            f"{read:,}행 중 {found['rows']:,}행을 쓸 수 없습니다({kind}). {cure}",
        )
        places = tuple(f"{first['where']}: {first['reason']}" for first in found["first"])
        yield Finding("stop" if stops else "look", kind, text, places)


def _looks(check: Check, facts: dict[str, Any]) -> Iterator[Finding]:
    yield from _alike(check, facts)
    yield from _answers(facts)
    for (pair, count), twin in zip(facts["leaks"].items(), facts["examples"]["leaks"], strict=True):
        lesser, _, owner = pair.partition(" in ")
        text = say(
            f"{_many(count, 'row', 'rows')} of the part {lesser} asked what a row of {owner} asks; such rows are left out of {lesser}, so that "
            f"{owner} stays unseen; correct the sources where {lesser} is meant to have them",
            f"{lesser} 부분의 {count:,}행이 {owner} 부분의 행과 질문이 같습니다. {owner}을(를) 미리 보지 않도록 {lesser}에서 뺍니다. "
            f"{lesser}에 있어야 하는 행이면 데이터를 고치세요",
        )
        yield Finding("look", "leak", text, tuple(_places([twin])))
    for name in check.tables:
        text = say(
            f"{name}: each line holds as many tabs, so it looks like a table and not like plain text; let its name end in .tsv, "
            f"or read it as {{type: csv, path: {name}}} in data.sources",
            f"{name}: 줄마다 탭 수가 같아 글이 아니라 표로 보입니다. 이름을 .tsv로 끝내거나 data.sources에 {{type: csv, path: {name}}}로 적으세요",
        )
        yield Finding("look", "table", text)
    if facts["damaged_letters"]:
        count = facts["damaged_letters"]
        text = say(
            f"{_many(count, 'row holds', 'rows hold')} the sign for a letter that was lost (U+FFFD); make the file anew from its source, in the right encoding",
            f"{count:,}행에 깨진 글자 표시(U+FFFD)가 있습니다. 원본에서 올바른 인코딩으로 다시 만드세요",
        )
        yield Finding("look", "lost letters", text)
    if facts["empty_parts"] and check.kept:
        names = ", ".join(facts["empty_parts"])
        if facts["pinned"] == len(check.compared):
            text = say(
                f"no rows for {names}: the sources give all theirs to other parts; name a source with part: {facts['empty_parts'][0]}, "
                "or leave `part` out where the split may draw",
                f"{names} 부분에 행이 없습니다. 데이터가 모든 행을 다른 부분에 두었습니다. part: {facts['empty_parts'][0]}인 데이터를 더하거나, "
                "나누기가 뽑아도 되는 데이터에서 `part`를 빼세요",
            )
        else:
            text = say(
                f"{_many(check.kept, 'row is', 'rows are')} too few for the parts asked for; without rows: {names}; raise data.split, or add rows",
                f"{check.kept:,}행은 나누기에 너무 적습니다. 빈 부분: {names}. data.split을 늘리거나 행을 더하세요",
            )
        yield Finding("look", "empty parts", text)
    encodings = {entry["encoding"] for entry in facts["files"] if entry["encoding"]}
    if len(encodings) > 1:
        names = ", ".join(sorted(encodings))
        text = say(
            f"the files are written in several encodings ({names}); each is read in its own, nothing needs to be done",
            f"파일마다 인코딩이 다릅니다({names}). 각각 제 인코딩으로 읽으므로 그대로 두어도 됩니다",
        )
        yield Finding("note", "encodings", text)


def _alike(check: Check, facts: dict[str, Any]) -> Iterator[Finding]:
    counts, examples = facts["duplicates"], facts["examples"]
    loose, exact = counts["normalised"], counts["exact"]
    if loose:
        dropped = facts["dropped_duplicates"]
        cure = (
            say(
                f"{dropped:,} are left out (data.duplicates={check.data.duplicates})",
                f"{dropped:,}행을 뺍니다(data.duplicates={check.data.duplicates})",
            )
            if dropped
            else say(
                "leave them out with data.duplicates=drop_normalised",
                "data.duplicates=drop_normalised로 뺄 수 있습니다",
            )
        )
        text = say(
            f"{_many(loose, 'row says', 'rows say')} what another row says ({exact:,} to the letter, {loose - exact:,} but for case and blanks); {cure}",
            f"{loose:,}행이 다른 행과 같습니다(글자까지 {exact:,}, 대소문자와 공백만 다른 것 {loose - exact:,}). {cure}",
        )
        yield Finding("look", "duplicates", text, tuple(_places(examples["duplicates"])))
    if counts["ids"]:
        text = say(
            f"{_many(counts['ids'], 'row has', 'rows have')} an id that another row has; ids are not used in training, correct them where you rely on them",
            f"{counts['ids']:,}행의 id가 다른 행과 같습니다. 학습에는 쓰지 않으니 id가 필요한 곳이 있으면 고치세요",
        )
        yield Finding("note", "ids", text, tuple(_places(examples["ids"])))


def _answers(facts: dict[str, Any]) -> Iterator[Finding]:
    several, examples = facts["several_answers"], facts["examples"]
    if several["questions"]:
        count, rows = several["questions"], several["rows"]
        if several["labels"]:
            text = say(
                f"{_many(count, 'text has', 'texts have')} different labels in different rows ({rows:,} rows); decide on one label each",
                f"같은 글 {count:,}개에 서로 다른 라벨이 있습니다({rows:,}행). 하나로 정하세요",
            )
        else:
            text = say(
                f"{_many(count, 'question has', 'questions have')} several answers ({rows:,} rows), and the model learns to answer at random between them; "
                "keep one answer each where only one is right",
                f"질문 {count:,}개에 답이 여럿입니다({rows:,}행). 모델은 그중 아무 답이나 하게 됩니다. "
                "맞는 답이 하나라면 하나만 남기세요",
            )
        places = [
            f"{_where(group)}: {group[0]['question']} → {' / '.join(row['answer'] for row in group)}"
            for group in examples["several_answers"]
        ]
        yield Finding("look", "several answers", text, tuple(places))
    again = facts["repeated_answers"]
    usable = facts["rows"]["usable"]
    if again["most"] >= OFTEN and usable and again["most"] >= OFTEN_SHARE * usable:
        text = say(
            f"one answer stands in {again['most']:,} rows ({again['most'] / usable:.1%}); a model that hears it so often gives it everywhere: "
            "leave most of them out",
            f"같은 답이 {again['most']:,}행에 있습니다({again['most'] / usable:.1%}). 너무 자주 보면 아무 데나 그 답을 합니다. 대부분을 빼세요",
        )
        places = [f"{_where(group)}: {group[0]['answer']}" for group in examples["repeated_answers"][:1]]
        yield Finding("look", "repeated answer", text, tuple(places))


def _notes(facts: dict[str, Any]) -> Iterator[Finding]:
    if facts["mixture"]:
        told = said(facts["mixture"])
        text = say(f"the sources give, as the settings ask: {told}", f"설정대로 데이터마다 가져오는 행: {told}")
        yield Finding("note", "mixture", text)
    if facts["nfc_changed"]:
        text = say(
            f"{_many(facts['nfc_changed'], 'row holds', 'rows hold')} letters in parts (ㅎ+ㅏ+ㄴ, as macOS writes them); they are composed, nothing needs to be done",
            f"{facts['nfc_changed']:,}행에 자모가 나뉜 글자(macOS 방식)가 있습니다. 합쳐서 읽으므로 그대로 두어도 됩니다",
        )
        yield Finding("note", "composed", text)
    if facts["line_ends_changed"]:
        text = say(
            f"{_many(facts['line_ends_changed'], 'row holds', 'rows hold')} Windows line ends; they are read as plain ones, nothing needs to be done",
            f"{facts['line_ends_changed']:,}행에 Windows 줄바꿈이 있습니다. 보통 줄바꿈으로 읽으므로 그대로 두어도 됩니다",
        )
        yield Finding("note", "line ends", text)
    if facts["filters"]["not_applied"]:
        names = ", ".join(facts["filters"]["not_applied"])
        text = say(
            f"data.filters from here on are not applied in a check ({names}): the figures are of the rows before them",
            f"data.filters 가운데 {names}은(는) 점검에서 적용하지 않았습니다. 수치는 그 앞의 행에서 센 것입니다",
        )
        yield Finding("note", "filters", text)
    if facts["rows"]["left_out"]:
        text = say(
            f"{_many(facts['rows']['left_out'], 'row is', 'rows are')} left out as the settings ask (data.preference=chosen)",
            f"{facts['rows']['left_out']:,}행은 설정대로 뺍니다(data.preference=chosen)",
        )
        yield Finding("note", "left out", text)


def _many(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"


def _where(group: Sequence[dict[str, str]]) -> str:
    """`rows.csv:3 = 7`: places in the same file share its name."""
    first, *others = (row["where"] for row in group)
    file, colon, _ = first.partition(":")
    return " = ".join([first, *(other.removeprefix(file + colon) for other in others)])


def _places(groups: Sequence[Sequence[dict[str, str]]]) -> Iterator[str]:
    for group in groups:
        yield f"{_where(group)}: {group[0]['question']}"


def parts_of(facts: Mapping[str, Any]) -> str:
    """How many rows go to which part, in words."""
    named = {part: say(part, {"train": "학습", "validation": "검증", "test": "시험"}[part]) for part in PARTS}
    return " · ".join(f"{named[part]} {facts['parts'][part]:,}" for part in PARTS)
