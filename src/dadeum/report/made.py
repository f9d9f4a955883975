"""What was done, in what surroundings, what came of it, and how to do it again."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from dadeum.core.language import say
from dadeum.export.words import word
from dadeum.report.blocks import Block, Code, Facts, Section, Table, Text
from dadeum.report.evidence import Evidence, changed, mapping
from dadeum.report.words import duration, score, setting, share, size

if TYPE_CHECKING:
    from dadeum.config.experiment import Experiment

SHORT = 12
LONGEST = 100  # characters of a setting


def what_was_done(found: Evidence) -> Section:
    """The experiment in words, and where it differs from the defaults."""
    facts = [*_model(found), *_learning(found), *_ended(found)]
    blocks: list[Block] = [Facts(tuple((name, value) for name, value in facts if value))]
    settings = found.place.settings
    if settings is not None:
        rows = tuple(
            (key, _short(value), _short(usual)) for key, value, usual in changed(settings) if _told(found, key, value)
        )
        if rows:
            blocks.append(
                Table(
                    (
                        (say("setting", "설정"), "left"),
                        (say("here", "이 실행"), "rest"),
                        (say("default", "기본값"), "rest"),
                    ),
                    rows,
                    say("What differs from the defaults", "기본값과 다른 설정"),
                )
            )
        else:
            blocks.append(Text(say("All other settings are the defaults.", "나머지 설정은 모두 기본값입니다."), "hint"))
    return Section(say("What was done", "한 일"), tuple(blocks))


def _told(found: Evidence, key: str, value: Any) -> bool:
    """A branch that was pinned to its commit was not set by anybody; `type` stands among the facts."""
    commits = {mapping(one).get("commit") for one in mapping(found.record.get("materials")).values()}
    return not (key.endswith("revision") and value in commits) and key not in (
        "data.sources",
        "head.type",
        "adapter.type",
    )


def _short(value: Any) -> str:
    text = setting(value)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _model(found: Evidence) -> list[tuple[str, str]]:
    stats, settings = found.stats or {}, found.place.settings
    model = mapping(mapping(found.record.get("materials")).get("model"))
    name = str(stats.get("model") or model.get("name") or (_named(settings) if settings else ""))
    commit = model.get("commit")
    parameters = stats.get("parameters")
    size_told = say(f"{parameters:,} parameters", f"매개변수 {parameters:,}개") if parameters else ""
    base = " · ".join(part for part in (name, f"@{str(commit)[:SHORT]}" if commit else "", size_told) if part)
    facts = [(say("base model", "기본 모델"), base)]
    adapter = stats.get("adapter") or (settings.adapter.model_dump(mode="json") if settings else {})
    if adapter:
        told = str(adapter.get("type", ""))
        told += "".join(f", {key} {adapter[key]:g}" for key in ("r", "lora_alpha") if adapter.get(key) is not None)
        trained = stats.get("trainable_parameters")
        if trained and parameters:
            told += (
                say(f" · trains {trained:,} weights", f" · 가중치 {trained:,}개 학습")
                + f" ({share(trained / parameters)})"
            )
        facts.append((say("adapter", "어댑터"), told))
    if settings is not None:
        if found.headed:
            facts.append((say("head", "헤드"), settings.head.type))
        purpose = found.place.purpose
        facts.append((say("objective", "목적 함수"), purpose.objective if purpose else settings.train.objective.type))
    return facts


def _named(settings: "Experiment") -> str:
    kind = (settings.model.config or {}).get("model_type", "")
    return settings.model.name_or_path or say(f"random {kind}", f"새로 만든 {kind}").strip()


def _learning(found: Evidence) -> list[tuple[str, str]]:
    stats, settings = found.stats or {}, found.place.settings
    facts: list[tuple[str, str]] = []
    if settings is not None:
        facts.append((say("data", "데이터"), ", ".join(_source(source) for source in settings.data.sources)))
    if stats.get("rows") is not None:
        rows, validation = stats["rows"], stats.get("validation_rows") or 0
        facts.append(
            (
                say("samples", "샘플"),
                say(f"{rows:,} trained, {validation:,} to validate", f"학습 {rows:,}, 검증 {validation:,}"),
            )
        )
    if stats.get("optimizer_steps") is not None:
        steps, epochs = stats["optimizer_steps"], stats.get("epochs")
        told = say(f"{steps:,} steps", f"{steps:,}단계")
        told += say(f" = {epochs:.3g} epochs", f" = {epochs:.3g}에포크") if epochs else ""
        total, each = stats.get("total_train_batch_size"), stats.get("per_device_train_batch_size")
        told += say(f" of {total} samples", f", 단계마다 샘플 {total}개") if total else ""
        told += say(f" (at most {each} at once)", f"(한 번에 최대 {each}개)") if each else ""
        facts.append((say("training", "학습"), told))
    if settings is not None:
        train = settings.train
        facts.append(
            (say("learning rate", "학습률"), f"{train.learning_rate:g}, {train.lr_scheduler_type}, {train.optim.type}")
        )
        seeds = tuple(getattr(settings, "seeds", ()) or ())
        facts.append((say("seed", "씨앗"), ", ".join(map(str, seeds or (train.seed,)))))
    return facts


def _source(source: Any) -> str:
    name = getattr(source, "path", None) or getattr(source, "name", None) or source.type
    part = getattr(source, "part", None)
    return f"{name}" + (f" ({part})" if part else "")


def _ended(found: Evidence) -> list[tuple[str, str]]:
    stats = found.stats or {}
    facts = [(say("status", "상태"), _status(found))]
    if stats.get("seconds"):
        speed = stats.get("tokens_per_second")
        told = duration(stats["seconds"])
        told += say(f" · {speed:,.0f} tokens/s", f" · 초당 {speed:,.0f}토큰") if speed else ""
        peak = stats.get("peak_memory_bytes")
        told += say(f" · at most {size(peak)} of memory", f" · 메모리 최대 {size(peak)}") if peak else ""
        facts.append((say("took", "걸린 시간"), told))
    if stats.get("device"):
        facts.append((say("on", "장치"), f"{stats['device']}, {stats.get('precision', '')}".rstrip(", ")))
    return facts


def _status(found: Evidence) -> str:
    words = {
        "finished": say("finished", "끝남"),
        "failed": say("failed", "실패"),
        "stopped": say("stopped", "멈춤"),
        "started": say("begun", "시작됨"),
    }
    return words.get(found.status, found.status)


def exports(found: Evidence) -> Section | None:
    """What was made of the result, and how it was proved to be the same."""
    made = mapping(found.record.get("export"))
    if not made:
        return None
    rows = []
    for name, facts in made.items():
        folder = _relative(str(mapping(facts).get("folder", "")), found.place.root)
        proof = ", ".join(
            f"{word(key)} {score(value) if isinstance(value, float) else setting(value)}"
            for key, value in mapping(facts).items()
            if key not in ("type", "folder")
        )
        rows.append((str(name), folder, proof))
    columns = ((say("export", "내보내기"), "left"), (say("folder", "폴더"), "left"), (say("proof", "증명"), "rest"))
    return Section(say("Exports", "내보낸 것"), (Table(columns, tuple(rows)),))  # type: ignore[arg-type]


def _relative(path: str, root: Path) -> str:
    place = Path(path)
    return place.relative_to(root).as_posix() if place.is_relative_to(root) else path


def surroundings(found: Evidence) -> Section:
    """Versions, device, fingerprints, warnings."""
    stats = found.stats or {}
    versions = mapping(stats.get("versions"))
    tuned = mapping(mapping(found.evaluations.get("tuned")).get("environment"))
    pairs = [(say("versions", "버전"), ", ".join(f"{name} {version}" for name, version in versions.items()))]
    if tuned.get("python"):
        pairs.append(("Python", str(tuned["python"])))
    if stats.get("device"):
        pairs.append(
            (say("device", "장치"), str(stats["device"]) + (f" × {n}" if (n := stats.get("processes", 1)) != 1 else ""))
        )
    marks = {"run": found.record.get("fingerprint"), **mapping(stats.get("fingerprints"))}
    names = {
        "run": say("training", "학습"),
        "data": say("samples", "샘플"),
        "weights": say("final weights", "학습한 가중치"),
    }
    pairs += [
        (say(f"fingerprint: {names.get(key, key)}", f"지문: {names.get(key, key)}"), str(mark)[:SHORT])
        for key, mark in marks.items()
        if mark
    ]
    for name, digest in mapping(mapping(found.record.get("materials")).get("data")).items():
        pairs.append((str(name), digest[:SHORT] if isinstance(digest, str) else setting(digest)))
    blocks: list[Block] = [Facts(tuple((name, value) for name, value in pairs if value))]
    if found.warnings:
        blocks.append(
            Table(
                ((say("warned of in the run", "실행 중에 나온 경고"), "rest"),), tuple((one,) for one in found.warnings)
            )
        )
    return Section(say("Surroundings", "환경"), tuple(blocks))


def again(found: Evidence) -> Section:
    """The command that reproduces it, and the experiment word for word."""
    blocks: list[Block] = [Code(f"dadeum reproduce {found.place.run}", kind="sh")]
    where = found.place.evidence
    named = where.relative_to(found.place.root).as_posix() if where.is_relative_to(found.place.root) else str(where)
    if found.config:
        blocks.append(
            Text(
                say(
                    f"or elsewhere, with the same files: `dadeum run {named}/config.yaml`",
                    f"다른 곳에서 같은 파일로: `dadeum run {named}/config.yaml`",
                ),
                "hint",
            )
        )
        blocks.append(Code(found.config, say("The experiment as it ran", "실행한 그대로의 실험"), "yaml"))
    else:
        blocks.append(Text(say("The run's config.yaml is not there.", "실행의 config.yaml이 없습니다."), "note"))
    return Section(say("Do it again", "다시 하기"), tuple(blocks))
