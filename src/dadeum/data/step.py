"""The data stages: download, preprocess (rows to conversations), format (conversations to samples). No torch.

    preprocessed-<fingerprint>/   processed_conversations.json  report.json  faulty_rows.jsonl  masked_rows.jsonl
    formatted-<fingerprint>/      train|validation|test.arrow  test.jsonl  prompt/  statistics.json  faulty_rows.jsonl

What both were made from, and so their fingerprint, is the caller's to say: `inputs` gives this stage's share of it.
"""

import contextlib
import json
import shutil
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from dadeum.config.data import DataSettings
from dadeum.config.purpose import Purpose
from dadeum.core import artifact, faults
from dadeum.core.errors import DataError
from dadeum.core.fingerprint import SHORT, sha256_file
from dadeum.core.language import say
from dadeum.core.progress import Reporter
from dadeum.core.workspace import Workspace
from dadeum.data.cells import FaultyRow
from dadeum.data.conversations import NAME, conversation_lines, places_of, read_conversations, write_conversations
from dadeum.data.files import label
from dadeum.data.filters import FILTERS, Tools
from dadeum.data.formats import Conversation
from dadeum.data.prompt import load_prompt, prompt_file
from dadeum.data.sources import PARTS, SOURCES
from dadeum.data.turns import unweighed

# Raised when the meaning of these stages changes, so that what older code made is made again.
CODE_VERSION = 4
GATE_VERSION = 1  # the same for the gate: what an older one let through is looked at again
CONVERSATIONS = NAME
REPORT = "report.json"
FAULTY = "faulty_rows.jsonl"
MASKED = "masked_rows.jsonl"
FILTER = "filter: "  # and its type: the kind of a row that a filter drops
STATISTICS = "statistics.json"
QUESTIONS = "test.jsonl"
PROMPT = "prompt"


def inputs(data: DataSettings, workspace: Workspace) -> dict[str, str | None]:
    """SHA-256 of each file that the stages read, of a Hub source the commit; None while it has to be fetched first.

    Raises DataError for files that are missing, empty, or folders.
    """
    found: dict[str, str | None] = {}
    for source in data.sources:
        member = SOURCES.of(source)
        if hasattr(member, "commit"):
            found[member.title(source)] = member.commit(source, workspace)
        elif hasattr(member, "waits") and member.waits(source, workspace):
            found[label(workspace, workspace.at(str(getattr(source, "path", ""))))] = None
        else:
            found |= {label(workspace, path): sha256_file(path) for path in member.files(source, workspace)}
    for chosen in data.filters:
        member = FILTERS.of(chosen)
        if hasattr(member, "inputs"):
            found |= member.inputs(chosen, workspace)
    prompt = prompt_file(data.prompt, workspace)
    if prompt is not None:
        found["data.prompt"] = sha256_file(prompt)
    return found


def download(data: DataSettings, workspace: Workspace, reporter: Reporter) -> list[Path]:
    """Fetch the Hub sources to `data/raw/`, write files that are missing from their fallback; returns what was asked for.

    What is there already is not fetched again.
    """
    folders: list[Path] = []
    for source in data.sources:
        member = SOURCES.of(source)
        if hasattr(member, "download"):
            reporter.note(say(f"data set {member.title(source)}", f"데이터 {member.title(source)}"))
            folders.append(member.download(source, workspace))
        elif hasattr(member, "fill"):
            folders += member.fill(source, workspace, reporter)
    return folders


def preprocess(
    data: DataSettings,
    *,
    tokenizer_place: Path,
    chat_template: str | None,
    purpose: Purpose,
    workspace: Workspace,
    fingerprint: str,
    reporter: Reporter,
    new_tokens: tuple[str, ...] = (),
) -> Path:
    """Rows to conversations, each with the text that the template makes of it and its part.

    Raises DataError for what cannot be read, and for faulty rows unless `data.faulty_rows` is `drop`.
    """
    folder = workspace.processed / f"preprocessed-{fingerprint[:SHORT]}"
    if _whole(folder, fingerprint, reporter):
        return folder
    from dadeum.data.account import Account
    from dadeum.data.bench import Bench, at_bench
    from dadeum.data.prepare import RowReader, conversations, part_rows, refuse_empty, report
    from dadeum.data.sift import Sifter

    made_from = {"data": data.model_dump(mode="json"), "inputs": inputs(data, workspace), "purpose": purpose}
    listing = _listing(workspace, fingerprint)
    facts: dict[str, Any] = {}
    with artifact.writing(
        folder, kind="preprocessed", fingerprint=fingerprint, made_from=made_from, facts=facts, points="preprocess"
    ) as aside:
        with contextlib.ExitStack() as files:
            wanted = Bench(data, purpose, tokenizer_place, chat_template, workspace, new_tokens)
            bench = files.enter_context(at_bench(wanted, last=False))
            account = files.enter_context(Account(aside / "kept.jsonl", aside / FAULTY, data.split.seed))
            tools = Tools(workspace, *_counters(bench.renderer), account.places)
            sifter = files.enter_context(Sifter(data.filters, tools, account, bench.text, reporter))
            RowReader(workspace, reporter, bench.maker, account, sifter).read(data.sources)
            _refuse_rows(account, sifter, data, listing)
            refuse_empty(account)
            parted = part_rows(account, data, sifter)
            _refuse_rows(account, sifter, data, listing)
            listing.unlink(missing_ok=True)
            write_conversations(aside / CONVERSATIONS, conversations(account, parted))
        account.spool.unlink()
        facts |= report(account, parted) | {"filters": sifter.report()}
        artifact.write_json(aside / REPORT, facts)
        _tell(facts, reporter)
    return folder


def _refuse_rows(account: Any, sifter: Any, data: DataSettings, listing: Path) -> None:
    """Raises DataError for faulty rows that nobody said to drop, and for a filter that leaves none; then all are listed."""
    from dadeum.data.prepare import refuse_faulty

    faulty = account.faulty and (data.faulty_rows == "error" or account.faulty == account.read)
    if not faulty and sifter.emptied is None:
        return
    account.close_reading()
    shutil.copyfile(account.listing, listing)
    if faulty:
        refuse_faulty(account, listing)
    sifter.refuse_emptied(listing)


def _counters(renderer: Any) -> tuple[Callable[[Conversation], int], Callable[[str], int]]:
    """Tokens of a row as the chat template writes it, and of a text."""
    from dadeum.data.render import Refusal

    def of_row(conversation: Conversation) -> int:
        if conversation.text is not None:
            return len(renderer.plain(conversation.text).input_ids)
        try:
            return max(len(s.input_ids) for s in renderer.samples(unweighed(conversation.messages), "all"))
        except Refusal:
            raise
        except DataError as error:
            raise FaultyRow("not rendered", str(error)) from None

    def of_text(text: str) -> int:
        return len(renderer.tokenizer.encode(text, add_special_tokens=False))

    return of_row, of_text


def format_(
    data: DataSettings,
    *,
    preprocessed: Path,
    tokenizer_place: Path,
    chat_template: str | None,
    purpose: Purpose,
    workspace: Workspace,
    fingerprint: str,
    reporter: Reporter,
    new_tokens: tuple[str, ...] = (),
) -> Path:
    """Conversations to ids and weights, with tokenizer, template and prompt contract beside them.

    Raises DataError for samples that are too long (unless `data.overlong` says what to do), for rows that cannot be
    rendered (unless `data.faulty_rows` is `drop`), and where nothing is left to train.
    """
    folder = workspace.processed / f"formatted-{fingerprint[:SHORT]}"
    if _whole(folder, fingerprint, reporter):
        return folder
    from dadeum.data.bench import Bench, at_bench
    from dadeum.data.contract import PromptContract, save_prompt
    from dadeum.data.format import Formatter
    from dadeum.data.journal import Journal
    from dadeum.data.samples import SampleWriter

    before = artifact.verified(preprocessed)
    rows = int(before.facts["kept"])
    reporter.start(say("formatting rows", "행을 토큰으로 바꾸는 중"), rows, say("rows", "행"))
    facts: dict[str, Any] = {}
    made_from = {"preprocessed": before.fingerprint, "data": data.model_dump(mode="json"), "purpose": purpose}
    journal = Journal(workspace.processed, fingerprint[:SHORT])
    with (
        journal.until_done(),
        artifact.writing(
            folder, kind="formatted", fingerprint=fingerprint, made_from=made_from, facts=facts, points="format"
        ) as aside,
    ):
        with contextlib.ExitStack() as files:
            more = purpose.takes not in ("messages", "plain")
            writers = {part: files.enter_context(SampleWriter(aside / f"{part}.arrow", more=more)) for part in PARTS}
            questions = files.enter_context((aside / QUESTIONS).open("w", encoding="utf-8", newline="\n"))
            faulty = files.enter_context((aside / FAULTY).open("w", encoding="utf-8", newline="\n"))
            wanted = Bench(data, purpose, tokenizer_place, chat_template, workspace, new_tokens)
            bench = files.enter_context(at_bench(wanted, last=True))
            labels = bench.survey(read_conversations(preprocessed / CONVERSATIONS))
            formatter = Formatter(data, purpose, reporter, labels)
            for shaped in _shaped(bench.shaper, preprocessed / CONVERSATIONS, journal):
                for part, block in shaped.blocks.items():
                    writers[part].add(block)
                questions.writelines(f"{line}\n" for line in shaped.questions)
                faulty.writelines(json.dumps(entry, ensure_ascii=False) + "\n" for entry in shaped.dropped)
                formatter.take(shaped)
            faults.point("format.written")
        _refuse_format(formatter, rows, aside / FAULTY, _listing(workspace, fingerprint))
        said = load_prompt(data.prompt, workspace)
        prompt = _composed(said.model_dump(mode="json")) if said else None
        renderer = bench.renderer
        contract = PromptContract.of(renderer, system_prompt=_composed(data.system_prompt), prompt=prompt)
        save_prompt(aside / PROMPT, renderer.tokenizer, contract)
        if labels is not None:
            labels.save(aside / PROMPT)
        gate = bench.shaper.gate
        gate.merge(formatter.seen)
        seen = gate.refuse(renderer, partial(places_of, preprocessed), reporter, aside / PROMPT)
        facts |= formatter.statistics(before.facts) | {"gate": seen}
        for warning in formatter.balance.unseen() if formatter.balance is not None else ():
            reporter.warn(warning)
        artifact.write_json(aside / STATISTICS, facts)
    return folder


def _shaped(shaper: Any, conversations: Path, journal: Any) -> Iterator[Any]:
    """What becomes of all chunks: what was made before a stop, and then the rest."""
    from dadeum.data.crew import Crew
    from dadeum.data.format import tasks

    todo = tasks(conversation_lines(conversations))
    for done in journal.stored():
        next(todo)
        yield done
    for _, made in Crew(shaper).work(todo):
        journal.add(made)
        yield made


def _refuse_format(formatter: Any, rows: int, faulty: Path, listing: Path) -> None:
    first = formatter.first_faulty
    if first is not None and formatter.data.faulty_rows == "error":
        shutil.copyfile(faulty, listing)
        count = formatter.dropped["not rendered"]
        raise DataError(
            say(
                f"{count} of {rows} rows cannot be trained, first {first['where']}: {first['reason']}; all are listed in "
                f"{listing}; correct them, or leave them out with data.faulty_rows=drop",
                f"{rows}행 중 {count}행을 학습할 수 없습니다. 첫 행 {first['where']}: {first['reason']}. 전체 목록: {listing}. "
                "고치거나 data.faulty_rows=drop으로 빼세요",
            )
        )
    formatter.refuse_overlong()
    listing.unlink(missing_ok=True)
    if not formatter.tallies["train"].lengths:
        reasons = dict(sorted(formatter.dropped.items()))
        raise DataError(
            say(
                f"nothing_trained: nothing is left to train of {rows} rows (left out: {reasons}); raise data.max_length, or correct the rows",
                f"nothing_trained: {rows}행 중 학습할 것이 없습니다 (뺀 것: {reasons}). data.max_length를 늘리거나 행을 고치세요",
            )
        )


def _whole(folder: Path, fingerprint: str, reporter: Reporter) -> bool:
    """Whether the artifact is there with the right bytes; a damaged one is cleared away to be made again."""
    artifact.sweep(folder.parent)
    if not folder.is_dir() or folder.is_symlink():
        return False
    manifest = artifact.read_manifest(folder)
    broken = artifact.damage(folder, manifest) if manifest else artifact.MANIFEST
    if manifest is not None and manifest.fingerprint == fingerprint and broken is None:
        return True
    reporter.warn(
        say(f"{folder}: '{broken}' is damaged; made again", f"{folder}: '{broken}' 파일이 손상되어 다시 만듭니다")
    )
    shutil.rmtree(folder)
    return False


def _tell(facts: Mapping[str, Any], reporter: Reporter) -> None:
    from dadeum.data.mixture import NOT_DRAWN, said

    for work in facts["filters"]:
        _tell_filter(work, facts, reporter)
    if "mixture" in facts:
        told = said(facts["mixture"])
        reporter.note(say(f"mixture: {told}", f"데이터 비율: {told}"))
    for kind, count in facts["dropped"].items():
        if kind.startswith(FILTER) or kind == NOT_DRAWN:
            continue
        reporter.warn(
            say(
                f"{count} rows left out: {kind} (listed in {FAULTY})", f"{count}행을 뺐습니다: {kind} ({FAULTY}에 목록)"
            )
        )
    double = facts["duplicates"]["normalised"] - facts["dropped"].get("duplicate", 0)
    if double:
        reporter.note(
            say(
                f"{double} rows say what another row says; data.duplicates=drop_normalised leaves them out",
                f"{double}행이 다른 행과 같습니다. data.duplicates=drop_normalised로 뺄 수 있습니다",
            )
        )
    if facts["empty_parts"]:
        names = ", ".join(facts["empty_parts"])
        reporter.warn(
            say(
                f"{facts['kept']} rows are too few for the parts asked for; without rows: {names}",
                f"{facts['kept']}행은 나누기에 너무 적습니다. 빈 부분: {names}",
            )
        )


def _tell_filter(work: Mapping[str, Any], facts: Mapping[str, Any], reporter: Reporter) -> None:
    name, rows = work["type"], work["rows"]
    if work["dropped"]:
        count = work["dropped"]
        reporter.note(
            say(
                f"filter {name}: {count} of {rows} rows left out (listed in {FAULTY})",
                f"필터 {name}: {rows}행 중 {count}행을 뺐습니다 ({FAULTY}에 목록)",
            )
        )
    if work["masked"]:
        hidden = ", ".join(f"{kind} {count}" for kind, count in work["hidden"].items())
        reporter.note(
            say(
                f"filter {name}: {work['masked']} of {rows} rows masked: {hidden} (listed in {MASKED})",
                f"필터 {name}: {rows}행 중 {work['masked']}행을 가렸습니다: {hidden} ({MASKED}에 목록)",
            )
        )


def _composed(value: Any) -> Any:
    """Settings as the rows were cleaned: NFC."""
    return json.loads(unicodedata.normalize("NFC", json.dumps(value, ensure_ascii=False)))


def _listing(workspace: Workspace, fingerprint: str) -> Path:
    """Lists the faulty rows of a stage that failed because of them."""
    return workspace.processed / f"faulty-{fingerprint[:SHORT]}.jsonl"
