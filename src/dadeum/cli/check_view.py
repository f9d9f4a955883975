"""How `dadeum data check` looks: what is wrong first, then what is there."""

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.table import Table
from rich.text import Text

from dadeum.core.language import say
from dadeum.tokenizer.readable import visible

if TYPE_CHECKING:
    from dadeum.data.findings import Finding, Report

MOST_FILES, MOST_COLUMNS, MOST_PLACES = 12, 30, 3
STYLES = {"stop": "bold red", "look": "yellow", "note": "dim"}
BETWEEN, LEAST = "  ", 20
BAR = 32  # cells of the longest bar
EIGHTHS = " ▏▎▍▌▋▊▉█"
ASCII = str.maketrans({"·": "|", "…": "...", "–": "-", "→": "->", "▸": ">"})
QUANTILES = ("0.1", "0.5", "0.9", "0.99")


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


class CheckView:
    """Writes a report."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.ascii = console.options.ascii_only

    def show(self, name: str, report: "Report", tokens_with: str) -> None:
        """All of it. `tokens_with` says how tokens would be counted, where they are not."""
        self._verdict(name, report)
        for finding in report.findings:
            self._finding(finding)
        self._rows(report.facts)
        self._files(report.facts["files"])
        self._columns(report.facts["columns"])
        self._lengths(report.facts, tokens_with)

    def _print(self, what: Any) -> None:
        # A table is laid out for the width; a line of text that goes to a file stays whole.
        self.console.print(what, soft_wrap=isinstance(what, Text) and not self.console.is_terminal)

    def _head(self, title: str) -> None:
        self._print(Text(""))
        self._print(Text(title, style="bold"))

    def _sign(self, sign: str, plain: str) -> str:
        return plain if self.ascii else sign

    def _dots(self, parts: Sequence[str]) -> str:
        return " · ".join(parts)

    def _verdict(self, name: str, report: "Report") -> None:
        self._print(Text(visible(name), style="bold"))
        stops = sum(finding.level == "stop" for finding in report.findings)
        if stops:
            said = say(
                f"cannot be trained as it is: {stops} thing{'s' * (stops > 1)} would stop a run",
                f"이대로는 학습할 수 없습니다: 실행을 멈출 것이 {stops}가지 있습니다",
            )
            self._print(Text(f"  {self._sign('✗', 'x')} {said}", style="bold red"))
        else:
            said = say("can be trained as it is", "이대로 학습할 수 있습니다")
            self._print(Text(f"  {self._sign('✓', '+')} {said}", style="bold green"))

    def _finding(self, finding: "Finding") -> None:
        words = {"stop": say("stops", "멈춤"), "look": say("warning", "주의"), "note": say("note", "참고")}
        style = STYLES[finding.level]
        if not self.console.is_terminal:
            self._print(Text(f"{words[finding.level]}: {self._plain(finding.text)}"))
            for place in finding.places[:MOST_PLACES]:
                self._print(Text(f"    {self._plain(place)}"))
            return
        grid = Table.grid(padding=(0, 1))
        grid.add_column(no_wrap=True, min_width=2 + max(map(cell_len, words.values())))
        grid.add_column(overflow="fold")
        grid.add_row(Text(f"  {words[finding.level]}", style=style), Text(self._plain(finding.text)))
        for place in finding.places[:MOST_PLACES]:
            grid.add_row("", Text(self._plain(place), style="dim", overflow="ellipsis", no_wrap=True))
        self._print(Text(""))
        self._print(grid)

    def _rows(self, facts: Mapping[str, Any]) -> None:
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
        self._head(say("Rows", "행"))
        always = ("read", "usable", "faulty")
        counts = [f"{named[key]} {value:,}" for key, value in rows.items() if value or key in always]
        facts_of: list[tuple[str, str]] = [(say("rows", "행"), self._dots(counts))]
        if len(facts["files"]) == 1 and facts["files"][0]["encoding"]:
            facts_of.append((say("encoding", "인코딩"), facts["files"][0]["encoding"]))
        if facts["formats"]:
            kinds = ", ".join(facts["formats"])
            facts_of.append((say("kind", "종류"), f"{kinds}  (train.objective={facts['objective']})"))
        if rows["usable"]:
            from dadeum.data.findings import parts_of

            pinned = say("  (some as the sources say)", "  (데이터가 정한 부분이 있음)") if facts["pinned"] else ""
            facts_of.append((say("parts", "나누기"), parts_of(facts) + pinned))
        if facts["formats"]:
            facts_of.append((say("repeated", "되풀이"), self._dots(_again(facts))))
        self._facts(facts_of)

    def _facts(self, facts: Sequence[tuple[str, str]]) -> None:
        grid = Table.grid(padding=(0, 2))
        grid.add_column(no_wrap=True)
        grid.add_column(overflow="fold")
        for key, value in facts:
            grid.add_row(Text(f"  {key}", style="dim"), Text(self._plain(value)))
        self._print(grid)

    def _plain(self, text: str) -> str:
        """A text of ours or of a row, shown on any terminal."""
        shown = visible(text)
        return shown.translate(ASCII) if self.ascii else shown

    def _table(self, columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[str]]) -> None:
        """Columns with a name and `left`, `right`, or `rest`: that one is cut so that all fit on the screen."""
        rows = [[self._plain(cell) for cell in row] for row in rows]
        heads = [self._plain(name) for name, _ in columns]
        widths = [max(map(cell_len, cells)) for cells in zip(heads, *rows, strict=True)]
        rest = next((at for at, (_, how) in enumerate(columns) if how == "rest"), None)
        if rest is not None:
            taken = sum(width + len(BETWEEN) for at, width in enumerate(widths) if at != rest)
            widths[rest] = max(LEAST, self.console.width - taken - len(BETWEEN))
        for number, row in enumerate([heads, *rows]):
            cells = [
                _cut(cell, width, "..." if self.ascii else "…", right=how == "right")
                for cell, width, (_, how) in zip(row, widths, columns, strict=True)
            ]
            line = Text(BETWEEN + BETWEEN.join(cells).rstrip(), style="" if number else "dim")
            self.console.print(line, soft_wrap=True)

    def _files(self, files: Sequence[Mapping[str, Any]]) -> None:
        """One file is told among the rows."""
        if len(files) < 2:
            return
        self._head(say("Files", "파일"))
        shown = files[:MOST_FILES]
        stem = os.path.commonpath([os.path.dirname(entry["file"]) for entry in files])
        rows = [[*_file(entry), os.path.relpath(entry["file"], stem or ".")] for entry in shown]
        columns = [
            (say("rows", "행"), "right"),
            (say("encoding", "인코딩"), "left"),
            (say("kind", "종류"), "left"),
            (say("file", "파일"), "rest"),
        ]
        self._table(columns, rows)
        self._rest(len(files) - MOST_FILES)

    def _rest(self, more: int) -> None:
        if more > 0:
            self._print(Text(self._plain(say(f"  … {more} more", f"  … {more}개 더")), style="dim"))

    def _columns(self, columns: Sequence[Mapping[str, Any]]) -> None:
        if not columns:
            return
        self._head(say("Columns", "열"))
        names = kinds_of_cells()
        rows = []
        for column in columns[:MOST_COLUMNS]:
            kind = "class" if column["values"] and column["kind"] in ("text", "number", "bool") else column["kind"]
            shown = [f"{_quoted(v['value'])} ({v['count']:,})" for v in column["values"]] or [
                f'"{example}"' if kind == "text" else example for example in column["examples"]
            ]
            rows.append([column["name"], names.get(kind, kind), _share(column["empty_share"]), self._dots(shown)])
        self._table(
            [
                (say("column", "열"), "left"),
                (say("kind", "종류"), "left"),
                (say("empty", "빈칸"), "right"),
                (say("examples, or how often", "보기 또는 횟수"), "rest"),
            ],
            rows,
        )
        self._rest(len(columns) - MOST_COLUMNS)

    def _lengths(self, facts: Mapping[str, Any], tokens_with: str) -> None:
        found = [(name, lengths) for name, lengths in facts["characters"].items() if lengths]
        tokens = facts["tokens"]
        if not found:
            return
        self._head(say("Lengths", "길이"))
        whole, question, answer = say("whole", "전체"), say("before the answer", "답 앞까지"), say("answer", "답")
        named = {"whole": whole, "question": question, "answer": answer}
        letters, cells = say("characters", "글자 수"), []
        if tokens:
            cells.append([say("tokens a sample", "샘플의 토큰"), *_spread(tokens["lengths"])])
        cells += [[f"{letters}: {named[name]}", *_spread(lengths)] for name, lengths in found]
        heads = [say("shortest", "최소"), "10 %", say("median", "중앙"), "90 %", "99 %", say("longest", "최대")]
        self._table([("", "left"), *((head, "right") for head in heads)], cells)
        self._print(Text(""))
        self._histogram(
            say("tokens a sample", "샘플의 토큰") if tokens else say("characters a row", "행의 글자 수"),
            tokens["lengths"]["histogram"] if tokens else facts["characters"]["whole"]["histogram"],
        )
        if tokens:
            self._tokens(tokens)
        else:
            self._print(Text(self._plain(f"  {tokens_with}"), style="dim"))

    def _histogram(self, title: str, bins: Sequence[Mapping[str, Any]]) -> None:
        most = max(entry["count"] for entry in bins)
        labels = [
            f"{entry['from']:,} –"
            if entry["to"] is None
            else f"{entry['from']:,} – {entry['to']:,}"
            if entry["to"] > entry["from"]
            else f"{entry['from']:,}"
            for entry in bins
        ]
        bars = [self._bar(entry["count"] / most) for entry in bins]
        rows = [[label, f"{entry['count']:,}", bar] for label, entry, bar in zip(labels, bins, bars, strict=True)]
        self._table([(title, "right"), (say("count", "개수"), "right"), ("", "left")], rows)

    def _bar(self, share: float) -> str:
        """What there is is never drawn as nothing."""
        if self.ascii:
            return "#" * max(1 if share else 0, round(share * BAR))
        eighths = max(1 if share else 0, round(share * BAR * 8))
        return "█" * (eighths // 8) + EIGHTHS[eighths % 8].strip()

    def _tokens(self, tokens: Mapping[str, Any]) -> None:
        chopped = tokens["rule"] == "chop"
        self._head(say("What a limit would do", "길이 한도에 따라"))
        lost = say("tokens lost", "잃는 토큰")
        columns = [
            ("data.max_length", "right"),
            (say("longer", "더 긴 샘플"), "right"),
            (say("of all", "비율"), "right"),
            *(() if chopped else ((lost, "right"),)),
            (say("packed rows", "채운 행"), "right"),
            (say("filled", "채움"), "right"),
        ]
        rows = []
        for entry in tokens["limits"]:
            mark = "▸ " if entry["max_length"] == tokens["max_length"] else ""
            cells = [f"{mark}{entry['max_length']:,}", f"{entry['longer']:,}", _share(entry["share"])]
            cells += [] if chopped else [f"{entry['lost_tokens']:,}"]
            rows.append([*cells, f"{entry['packed_rows']:,}", f"{entry['filled']:.0%}"])
        self._table(columns, rows)
        rule = {
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
        self._print(Text(self._plain(f"  {rule}"), style="dim"))
        self._head(say("Tokens", "토큰"))
        epoch, share = tokens["epoch"], tokens["trained_tokens"] / max(1, tokens["lengths"]["total"])
        template = "" if tokens["with_template"] else say(" (texts alone: no template)", " (템플릿 없이 글만)")
        facts = [
            (say("tokenizer", "토크나이저"), tokens["tokenizer"] + template),
            (
                say("an epoch", "에폭 하나"),
                self._dots(
                    [
                        say(f"{epoch['tokens']:,} tokens", f"토큰 {epoch['tokens']:,}"),
                        say(f"{epoch['samples']:,} samples", f"샘플 {epoch['samples']:,}"),
                    ]
                    + ([say(f"{share:.0%} trained", f"학습 {share:.0%}")] if tokens["with_template"] else [])
                ),
            ),
            (
                say("packed", "채우면"),
                say(
                    f"about {epoch['packed_rows']:,} rows of {tokens['max_length']:,} tokens, {epoch['filled']:.0%} filled",
                    f"{tokens['max_length']:,}토큰짜리 약 {epoch['packed_rows']:,}행, {epoch['filled']:.0%} 채움",
                ),
            ),
        ]
        if tokens["tokens_per_hangul"] is not None:
            each, counted = tokens["tokens_per_hangul"], tokens["hangul_counted"]
            facts.append(
                (
                    say("a Korean letter", "한글 한 자"),
                    say(
                        f"{each:.2f} tokens (counted on {counted:,} letters of {tokens['hangul_rows']:,} rows)",
                        f"{each:.2f}토큰 ({tokens['hangul_rows']:,}행의 {counted:,}자에서 셈)",
                    ),
                )
            )
        self._facts(facts)


def _file(entry: Mapping[str, Any]) -> list[str]:
    kind = say("damaged", "손상") if entry["damaged"] else entry["format"] or say("not known", "모름")
    return [f"{entry['rows']:,}", entry["encoding"] or "", kind]


def _quoted(value: str) -> str:
    """A class; in quotes where blanks stand around it."""
    return value if value == value.strip() else f'"{value}"'


def _cut(text: str, width: int, dots: str, *, right: bool) -> str:
    """The text in so many cells."""
    if cell_len(text) > width:
        return set_cell_size(text, width - len(dots)).rstrip() + dots
    blanks = " " * (width - cell_len(text))
    return blanks + text if right else text + blanks


def _again(facts: Mapping[str, Any]) -> list[str]:
    counts = facts["duplicates"]
    said = [
        (say("rows", "행"), counts["normalised"]),
        (say("questions", "질문"), facts["repeated_questions"]),
        (say("answers", "답"), facts["repeated_answers"]["rows"]),
        ("ids", counts["ids"]),
    ]
    return [f"{name} {count:,}" for name, count in said]


def _share(share: float) -> str:
    if not share:
        return "0"
    return f"{share:.1%}" if share >= 0.001 else "<0.1%"


def _spread(lengths: Mapping[str, Any]) -> list[str]:
    return [
        f"{value:,}"
        for value in (lengths["shortest"], *(lengths["quantiles"][q] for q in QUANTILES), lengths["longest"])
    ]
