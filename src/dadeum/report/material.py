"""The data in pictures: rows by part, lengths, how much is trained, where rows came from, what was dropped and why."""

from dataclasses import replace
from typing import Any

from dadeum.core.language import say
from dadeum.report import pictures
from dadeum.report.blocks import Block, Figure, Page, Section, Table, Text
from dadeum.report.evidence import Evidence, mapping
from dadeum.report.words import count, share

PARTS = ("train", "validation", "test")
MOST_SOURCES = 12
LOOKED_AT = 2000  # samples among which the one of middle length is painted


def part_word(part: str) -> str:
    """The part's name as people read it."""
    return say(part, {"train": "학습", "validation": "검증", "test": "시험"}.get(part, part))


def material(found: Evidence) -> Section:
    """Tables and pictures of what the data stages counted."""
    title = say("The data", "데이터")
    if found.statistics is None:
        gone = say(
            "The formatted rows of this run are no longer in data/processed, so nothing is shown of them.",
            "이 실행의 데이터가 data/processed에 없어서 보일 수 없습니다.",
        )
        return Section(title, (Text(gone, "note"),))
    blocks: list[Block] = [_parts(found.statistics)]
    blocks += [
        figure for figure in (_lengths(found), _trained(found.statistics), _sources(found)) if figure is not None
    ]
    blocks += _dropped(found)
    return Section(title, tuple(blocks))


def _parts(statistics: dict[str, Any]) -> Table:
    columns = (
        (say("part", "부분"), "left"),
        *((name, "right") for name in (say("rows", "행"), say("samples", "샘플"), say("tokens", "토큰"))),
        (say("trained", "학습"), "right"),
        (say("shortest", "최소"), "right"),
        (say("median", "중앙"), "right"),
        (say("longest", "최대"), "right"),
    )
    rows = []
    for part in PARTS:
        one = mapping(mapping(statistics.get("parts")).get(part))
        if not one.get("rows"):
            continue
        middle = mapping(one.get("length_quantiles")).get("0.5")
        share_ = one.get("trained_share")
        cells = (one["rows"], one.get("samples"), one.get("tokens"))
        ends = (one.get("shortest"), None if middle is None else round(middle), one.get("longest"))
        rows.append(
            (part_word(part), *map(_cell, cells), "–" if share_ is None else share(share_), *map(_cell, ends)),
        )
    return Table(columns, tuple(rows))  # type: ignore[arg-type]


def _cell(value: Any) -> str:
    return "–" if value is None else count(value)


def _lengths(found: Evidence) -> Figure | None:
    from dadeum.data.samples import Samples

    if found.formatted is None or not (found.formatted / "train.arrow").is_file():
        return None
    lengths = Samples.open(found.formatted / "train.arrow").lengths
    if not len(lengths):
        return None
    limit = mapping(found.statistics).get("max_length")
    title = say("How long the training samples are", "학습 샘플의 길이")
    return pictures.lengths("lengths", title, lengths, limit if isinstance(limit, int) else None)


def _trained(statistics: dict[str, Any]) -> Figure | None:
    rows = []
    for part in PARTS:
        one = mapping(mapping(statistics.get("parts")).get(part))
        if one.get("tokens") and one.get("trained_tokens") is not None:
            rows.append((part_word(part), one["trained_tokens"], one["tokens"] - one["trained_tokens"]))
    if not rows:
        return None
    title = say("Tokens: how many are targets", "토큰 가운데 목표인 것")
    kinds = (say("targets", "목표"), say("context only", "문맥으로만"))
    return pictures.stacked("targets", title, rows, kinds, lambda a, b: f"{a:,.0f} / {a + b:,.0f}")


def _sources(found: Evidence) -> Figure | None:
    sources = [one for one in mapping(found.data).get("sources") or [] if isinstance(one, dict)]
    if len(sources) < 2:
        return None
    rows = [(str(one.get("file", "?")), one.get("rows", 0), one.get("dropped", 0)) for one in sources]
    shown = sorted(rows, key=lambda row: -row[1])[:MOST_SOURCES]
    title = say("Rows by source", "출처별 행")
    if len(rows) > len(shown):
        title += say(f", the largest {len(shown)} of {len(rows)}", f", {len(rows)}개 가운데 큰 {len(shown)}개")
    kinds = (say("rows", "행"), say("dropped", "빠짐"))
    return pictures.stacked("sources", title, shown, kinds, lambda a, b: f"{a:,.0f}" + (f" − {b:,.0f}" if b else ""))


def _dropped(found: Evidence) -> list[Block]:
    data, statistics = mapping(found.data), mapping(found.statistics)
    why = [
        *((say("unfit rows", "쓸 수 없는 행"), kind, number) for kind, number in mapping(data.get("dropped")).items()),
        *(
            (say("after rendering", "렌더링 뒤"), kind, number)
            for kind, number in mapping(statistics.get("dropped")).items()
        ),
    ]
    overlong = mapping(statistics.get("overlong"))
    why += [(say("too long", "너무 긴 것"), kind, overlong[kind]) for kind in ("cut", "chopped") if overlong.get(kind)]
    rows = tuple((where, str(kind), counted(number)) for where, kind, number in why if number)
    if not rows:
        read = data.get("read", statistics.get("rows_read"))
        told = say(
            f"Nothing was dropped: all {_cell(read)} rows are used.",
            f"빠진 것이 없습니다: {_cell(read)}행을 모두 씁니다.",
        )
        return [Text(told, "hint")]
    columns = ((say("dropped or cut", "빠지거나 잘린 것"), "left"), (say("why", "이유"), "rest"), ("n", "right"))
    return [Table(columns, rows)]  # type: ignore[arg-type]


def counted(number: Any) -> str:
    """A count, also where it is told by kinds."""
    return count(sum(number.values()) if isinstance(number, dict) else number)


def painted(found: Evidence) -> Section | None:
    """One training sample, token by token, as `dadeum data show` paints it."""
    import numpy as np

    from dadeum.data.exhibit import Cabinet
    from dadeum.data.samples import Samples
    from dadeum.data.show_page import pieces

    settings, purpose = found.place.settings, found.place.purpose
    if found.formatted is None or found.preprocessed is None or settings is None or purpose is None:
        return None
    samples = Samples.open(found.formatted / "train.arrow")
    if not len(samples.lengths):
        return None
    few = samples.lengths[:LOOKED_AT]
    middle = int(np.argsort(few, kind="stable")[len(few) // 2])
    cabinet = Cabinet(settings.name, settings.data, purpose, found.preprocessed, found.formatted)
    exhibit = cabinet.row(str(samples.source_rows[middle]))
    why = say("a sample of middle length", "중간 길이의 샘플")
    exhibit = replace(exhibit, shown=[replace(shown, why=why) for shown in exhibit.shown])
    named = found.place.experiment
    more = Text(
        say(
            f"`dadeum data show {named}` paints more.",
            f"`dadeum data show {named}` 명령으로 더 볼 수 있습니다.",
        ),
        "hint",
    )
    return Section(say("What is trained of it", "그 가운데 학습하는 것"), (Page(pieces(exhibit)), more), kept=False)
