"""What the gate says: its findings judged, in words that name the first row, how many there are, and the cure.

Where something can be made again it is: rows are asked as the saved prompt folder asks, and a text whose control strings may
have become tokens is rendered without them.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np

from dadeum.config.data import Condition
from dadeum.core.errors import DadeumError, DataError
from dadeum.core.language import say
from dadeum.core.progress import Reporter
from dadeum.data.contract import PromptContract, open_prompt
from dadeum.data.gate import Gate, Places
from dadeum.data.render import Renderer, TrainOn
from dadeum.data.seen import Found, Hashes, Ints, Suspect
from dadeum.data.split import PRECEDENCE

CONDITIONS: tuple[str, ...] = get_args(Condition)
SHOWN = 60  # letters of a text in a message


@dataclass(frozen=True)
class Finding:
    """A condition that was found: in how many rows, in which first, what it is, and what cures it."""

    condition: str
    rows: int
    where: str
    text: str
    cure: str
    allowed: bool

    def __str__(self) -> str:
        taken = "" if self.allowed else _allow(self.condition)
        return f"{self.condition}: {self.text}; {self.cure}{taken}"


def _allow(condition: str) -> str:
    return say(
        f"; data.allow=[{condition}] goes on as it is", f". 그대로 진행하려면 data.allow=[{condition}]을(를) 쓰세요"
    )


def judge(gate: Gate, renderer: Renderer, places: Places, prompt: Path | None) -> list[Finding]:
    """All that was found, the gravest first."""
    found = [*_noted(gate, renderer), *_control(gate, renderer), *_asked(gate, prompt), *_twins(gate, places)]
    found += _constant(gate)
    return sorted(found, key=lambda finding: CONDITIONS.index(finding.condition))


def pass_or_refuse(gate: Gate, findings: list[Finding], reporter: Reporter) -> dict[str, Any]:
    """What the artifact says; allowed findings are warned of. Raises DataError with the others, a line each."""
    refused = [finding for finding in findings if not finding.allowed]
    if refused:
        raise DataError("\n".join(map(str, refused)))
    for finding in findings:
        reporter.warn(say(f"allowed: {finding}", f"허용됨: {finding}"))
    facts = facts_of(gate, findings)
    reporter.note(line(facts))
    return facts


def facts_of(gate: Gate, findings: list[Finding]) -> dict[str, Any]:
    """The gate in the artifact."""
    return {
        "rows": gate.seen.rows,
        "samples": gate.seen.samples,
        "answers": gate.seen.answers,
        "lost_answers": gate.seen.lost,
        "asked_again": len(gate.seen.asked),
        "found": {f.condition: {"rows": f.rows, "first": f.where, "text": str(f)} for f in findings},
    }


def line(facts: Mapping[str, Any]) -> str:
    """The gate in one line."""
    samples, found = facts["samples"], facts["found"]
    names = ", ".join(f"{name} ({entry['rows']:,})" for name, entry in found.items())
    if names:
        return say(f"gate: {samples:,} samples, allowed: {names}", f"관문: 샘플 {samples:,}개, 허용: {names}")
    return say(f"gate: {samples:,} samples, nothing found", f"관문: 샘플 {samples:,}개, 걸린 것 없음")


def _finding(gate: Gate, condition: Condition, rows: int, where: str, text: str, cure: str) -> Finding:
    dropped = condition == "nothing_trained" and gate.data.faulty_rows == "drop"
    return Finding(condition, rows, where, text, cure, dropped or condition in gate.data.allow)


def _of_rows(gate: Gate, found: Found) -> tuple[str, str, str, str]:
    """How many rows and which first, in both languages; the place, and the detail."""
    assert found.first is not None
    where, detail = found.first.where, found.first.detail
    return (
        f"{found.rows:,} of {gate.seen.rows:,} rows, first {where}",
        f"{gate.seen.rows:,}행 중 {found.rows:,}행, 첫 행 {where}",
        where,
        detail,
    )


def _noted(gate: Gate, renderer: Renderer) -> Iterator[Finding]:
    judges = {
        "nothing_trained": _nothing_trained,
        "no_prefix_rendering": _no_prefix,
        "untrained_end_token": _untrained_end,
        "doubled_bos": _doubled_bos,
        "cut_answers": _cut_answers,
    }
    for condition, found in gate.seen.found.items():
        finding = judges[condition](gate, found, renderer)
        if finding is not None:
            yield finding


def _nothing_trained(gate: Gate, found: Found, _: Renderer) -> Finding:
    en, ko, where, detail = _of_rows(gate, found)
    detail = detail or say("no token of it would be trained", "학습할 토큰이 없습니다")
    cure = say(
        "correct them, or leave them out with data.faulty_rows=drop", "고치거나 data.faulty_rows=drop으로 빼세요"
    )
    return _finding(gate, "nothing_trained", found.rows, where, say(f"{en}: {detail}", f"{ko}: {detail}"), cure)


def _no_prefix(gate: Gate, found: Found, _: Renderer) -> Finding:
    en, ko, where, detail = _of_rows(gate, found)  # the sentence of the template's refusal ends with its cure
    cure = say("or leave these rows out", "또는 이 행을 빼세요")
    return _finding(gate, "no_prefix_rendering", found.rows, where, say(f"{en}: {detail}", f"{ko}: {detail}"), cure)


def _untrained_end(gate: Gate, found: Found, renderer: Renderer) -> Finding:
    en, ko, where, detail = _of_rows(gate, found)
    stops = ", ".join(f"'{renderer.tokenizer.convert_ids_to_tokens(i)}'" for i in gate.marks.stops)
    if not detail.isdecimal():
        text, cure = say(f"{en}: {detail}", f"{ko}: {detail}"), say("or leave these rows out", "또는 이 행을 빼세요")
    elif not stops or (gate.pretrain and renderer.tokenizer.eos_token_id is None):
        text = say(
            f"{en}: the tokenizer has no eos_token, nothing ends a text, and the model never learns to stop",
            f"{ko}: 토크나이저에 eos_token이 없어 글을 끝내는 것이 없고 모델이 멈추는 법을 배우지 못합니다",
        )
        cure = say("name one in tokenizer_config.json", "tokenizer_config.json에 적으세요")
    else:
        end = renderer.tokenizer.convert_ids_to_tokens(int(detail))
        text = say(
            f"{en}: what is trained ends with '{end}', and an answer is stopped by {stops} only",
            f"{ko}: 학습하는 글이 '{end}'(으)로 끝나는데 답은 {stops}에서만 멈춥니다",
        )
        cure = say(
            "let the template end every answer with the same token (tokenizer.chat_template), or make it the eos_token",
            "모든 답을 같은 토큰으로 끝내는 템플릿을 쓰거나(tokenizer.chat_template) 그 토큰을 eos_token으로 정하세요",
        )
    return _finding(gate, "untrained_end_token", found.rows, where, text, cure)


def _doubled_bos(gate: Gate, found: Found, renderer: Renderer) -> Finding:
    en, ko, where, _ = _of_rows(gate, found)
    bos = renderer.tokenizer.bos_token
    return _finding(
        gate,
        "doubled_bos",
        found.rows,
        where,
        say(f"{en}: '{bos}' stands twice in a row", f"{ko}: '{bos}'이(가) 잇따라 두 번 있습니다"),
        say(
            "the template or the tokenizer writes one too many: take it out of tokenizer.chat_template",
            "템플릿이나 토크나이저가 하나를 더 씁니다. tokenizer.chat_template에서 빼세요",
        ),
    )


def _cut_answers(gate: Gate, found: Found, _: Renderer) -> Finding | None:
    lost, everything, data = gate.seen.lost, gate.seen.answers + gate.seen.lost, gate.data
    if lost <= data.cut_answers * everything:
        return None
    en, ko, where, _detail = _of_rows(gate, found)
    share = f"{lost / everything:.0%}"
    return _finding(
        gate,
        "cut_answers",
        found.rows,
        where,
        say(
            f"{en}: {lost:,} of {everything:,} answers ({share}) are lost to data.max_length={data.max_length}, "
            f"more than data.cut_answers={data.cut_answers:g}",
            f"{ko}: data.max_length={data.max_length} 때문에 답 {everything:,}개 중 {lost:,}개({share})를 잃습니다"
            f"(한도 data.cut_answers={data.cut_answers:g})",
        ),
        say(
            f"set data.max_length={gate.seen.longest} for all of them, or a higher data.cut_answers",
            f"모두 쓰려면 data.max_length={gate.seen.longest}(으)로 늘리거나 data.cut_answers를 높이세요",
        ),
    )


def _constant(gate: Gate) -> Iterator[Finding]:
    """A head to which all training rows say the same learns to say that."""
    for head, value in gate.labels.constant if gate.labels is not None else ():
        yield _finding(
            gate,
            "constant_labels",
            gate.seen.rows,
            "",
            say(
                f"every training row says '{value}' to head '{head}', which has nothing to tell apart",
                f"학습할 모든 행의 라벨이 '{value}'이어서 '{head}' 헤드가 구별할 것이 없습니다",
            ),
            say(
                "choose another column (head.column), or add rows with other labels",
                "다른 열을 고르거나(head.column) 다른 라벨의 행을 더하세요",
            ),
        )


def _control(gate: Gate, renderer: Renderer) -> Iterator[Finding]:
    guilty = [s for s in gate.seen.suspects.values() if _made_by_text(gate, s, renderer)]
    if not guilty:
        return
    worst = min(guilty, key=lambda s: s.first.source_row)
    found = Found(sum(s.rows for s in guilty), worst.first)
    en, ko, where, _ = _of_rows(gate, found)
    made = ", ".join(f"'{renderer.tokenizer.convert_ids_to_tokens(i)}'" for i in _made_by_text(gate, worst, renderer))
    yield _finding(
        gate,
        "special_tokens_in_text",
        found.rows,
        where,
        say(
            f"{en}: the text of the row itself makes control tokens ({made}), so that it can end or begin a turn",
            f"{ko}: 행의 글이 제어 토큰({made})을 만들어 차례를 끝내거나 시작할 수 있습니다",
        ),
        say(
            'mark them as special in tokenizer.json ("special": true), or take them out of the rows',
            '그 토큰을 tokenizer.json에서 특수 토큰으로 표시하거나("special": true) 행에서 빼세요',
        ),
    )


def _made_by_text(gate: Gate, suspect: Suspect, renderer: Renderer) -> list[int]:
    """Control ids of which the row has more than the same row without control strings in its text."""
    row = _neutral(suspect.row, gate)
    last = gate.compares or row["part"] == "test"
    train_on: TrainOn = "all" if gate.pretrain else "last_assistant" if last else gate.data.train_on
    talks = [talk for talk in (row["messages"], row.get("rejected")) if talk]
    try:
        samples = [sample for talk in talks for sample in renderer.samples(talk, train_on)]
        samples = samples or [renderer.plain(row["text"])]
    except DataError:
        return []
    ids = np.concatenate([sample.input_ids for sample in samples])
    expected = Counter(ids.tolist())
    return [i for i, count in suspect.control.items() if count > expected[i]]


def _neutral(value: Any, gate: Gate) -> Any:
    """The same with every control string replaced by a letter; roles are words already."""
    if isinstance(value, str):
        return gate.marks.control.sub("x", value)
    if isinstance(value, Mapping):
        return {key: item if key in ("role", "part") else _neutral(item, gate) for key, item in value.items()}
    return [_neutral(item, gate) for item in value] if isinstance(value, list | tuple) else value


def _asked(gate: Gate, prompt: Path | None) -> Iterator[Finding]:
    """Rows asked again with what was saved: the model is to see the very ids that it was trained after."""
    if prompt is None or not gate.seen.asked:
        return
    tokenizer, contract = open_prompt(prompt, known=True)  # its ids are compared below
    renderer = contract.renderer(tokenizer)
    found = Found()
    for asked in gate.seen.asked:
        if not _same_prompt(asked.row, asked.ids.tolist(), renderer):
            found.add(1, asked.first)
    if found.rows:
        _, _, where, _ = _of_rows(gate, found)
        count, of = f"{found.rows:,}", f"{len(gate.seen.asked):,}"
        text = say(
            f"{count} of {of} rows that were asked again, first {where}: the saved tokenizer and template make another prompt "
            "of it than the one that is trained",
            f"다시 물어본 {of}행 중 {count}행, 첫 행 {where}: 저장한 토크나이저와 템플릿이 학습하는 것과 다른 프롬프트를 만듭니다",
        )
        cure = say(
            "use a model folder with a tokenizer.json of its own, or another tokenizer.chat_template",
            "tokenizer.json이 있는 모델 폴더나 다른 tokenizer.chat_template을 쓰세요",
        )
        yield _finding(gate, "prompt_mismatch", found.rows, where, text, cure)
    else:
        yield from other_head(gate, contract)


def _same_prompt(row: Mapping[str, Any], ids: list[int], renderer: Renderer) -> bool:
    if not row["messages"]:
        return bool(renderer.plain(row["text"]).input_ids.tolist() == ids)
    prompt = renderer.prompt_ids(row["messages"][:-1])
    return ids[: len(prompt)] == prompt


def other_head(gate: Gate, contract: PromptContract) -> Iterator[Finding]:
    """All training rows begin with one and the same system message, and a question would be asked with another, or none."""
    try:
        opening = contract.messages("?")[0]
    except DadeumError:  # such a model is asked with rows, not with a question
        return
    asked = opening["content"] if opening["role"] == "system" else None
    if gate.pretrain or len(gate.seen.heads) != 1 or asked in gate.seen.heads:
        return
    ((trained, first),) = gate.seen.heads.items()
    where = first.where
    yield _finding(
        gate,
        "prompt_mismatch",
        gate.seen.talks,
        where,
        say(
            f"all {gate.seen.talks:,} training rows, first {where}, begin with the system message {_quoted(trained)}, and a question "
            f"would be asked with {_quoted(asked)}",
            f"학습할 {gate.seen.talks:,}행 모두(첫 행 {where}) 시스템 메시지가 {_quoted(trained)}인데, 물을 때는 {_quoted(asked)}(으)로 묻게 됩니다",
        ),
        say(
            "let data.system_prompt be the message of the rows",
            "data.system_prompt에 행의 메시지를 적으세요",
        ),
    )


def _quoted(text: str | None) -> str:
    if text is None:
        return say("none", "없음")
    line = " ".join(text.split())
    return f"'{line if len(line) <= SHOWN else line[: SHOWN - 1] + '…'}'"


def _twins(gate: Gate, places: Places) -> Iterator[Finding]:
    """Rows of two parts that are asked with the very same ids; messages that differ may be rendered alike."""
    seen: list[tuple[str, Hashes, Ints]] = []
    found: set[int] = set()
    first, pair = (0, 0), ("", "")
    for part in PRECEDENCE:
        kept = gate.seen.prompts[part]
        if not kept:
            continue
        hashes = np.concatenate([hashes for hashes, _ in kept])
        rows = np.concatenate([numbers for _, numbers in kept])
        for owner, others, owners in seen:
            twin = np.flatnonzero(np.isin(hashes, others))
            if not len(twin):
                continue
            if not found:
                at = int(twin[np.argmin(rows[twin])])
                first = (int(rows[at]), int(owners[np.argmax(others == hashes[at])]))
                pair = (part, owner)
            found.update(rows[twin].tolist())
        seen.append((part, hashes, rows))
    if not found:
        return
    where = places(set(first))
    here, there = (where.get(row, str(row)) for row in first)
    count, (lesser, greater) = len(found), pair
    yield _finding(
        gate,
        "twins_across_splits",
        count,
        here,
        say(
            f"{count:,} of {gate.seen.rows:,} rows, first {here} of {lesser} = {there} of {greater}: the template makes the same prompt of "
            "both, so that a part that measures was seen in training",
            f"{gate.seen.rows:,}행 중 {count:,}행, 첫 행 {here}({lesser}) = {there}({greater}): 템플릿이 둘에서 같은 프롬프트를 만들어, "
            "재는 데 쓸 것을 학습에서 보게 됩니다",
        ),
        say(
            "take one of the two out, or choose a tokenizer.chat_template that shows what tells them apart",
            "둘 중 하나를 빼거나 둘의 차이를 보여 주는 tokenizer.chat_template을 고르세요",
        ),
    )
