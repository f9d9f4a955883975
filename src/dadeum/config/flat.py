"""Flat files: the keys of `transformers.TrainingArguments` and `peft.LoraConfig`, sorted into our sections.

A file is flat when it has none of our sections and at least one such key (`aliases.FLAT`, `aliases.FIXED`). Which key
goes where stands there; here is what takes more than a name: precision, batch size, strategies.
See `docs/decisions/0005-flat-files.md`.
"""

from collections.abc import Callable
from typing import Any

from dadeum.config.aliases import FIXED, FLAT, FLAT_MEMBERS
from dadeum.config.experiment import Experiment
from dadeum.config.problems import shown
from dadeum.config.yaml import Document, Problem
from dadeum.core.language import say
from dadeum.core.near import hint, nearest

ACCUMULATION, PER_DEVICE = "gradient_accumulation_steps", "per_device_train_batch_size"
PRECISIONS = ("bf16", "fp16")
STRATEGIES = {"save_strategy": "save_steps", "eval_strategy": "eval_steps", "evaluation_strategy": "eval_steps"}
TRACKERS = "report_to"
NOWHERE: tuple[Any, ...] = ("none", ["none"], [], None)
KNOWN = {*FLAT, *FIXED, *PRECISIONS, *STRATEGIES, ACCUMULATION, TRACKERS}
SECTIONS = {"extends", *Experiment.model_fields} - {*FLAT}
Wrong = Callable[[str, str], None]


def sort(document: Document) -> None:
    """Move the keys of a flat file into sections; any other file is left as it is. Faults become problems."""
    flat: dict[str, Any] = document.value
    if SECTIONS & flat.keys() or not (KNOWN - {"output_dir"}) & flat.keys():
        return

    def wrong(key: str, text: str) -> None:
        where, line = document.lines.get((key,), ("", 0))
        document.problems.append(Problem(where, line, key, text))

    settings = [*_derived(flat, wrong), *_named(flat, wrong)]
    lines, document.lines, document.value = document.lines, {}, {}
    for key, setting, value in settings:
        section, _, name = setting.partition(".")
        if name:
            document.value.setdefault(section, {})[name] = value
            document.lines.setdefault((section,), lines[(key,)])
        else:
            document.value[section] = value
        place = (section, name) if name else (section,)
        document.lines |= {(*place, *known[1:]): at for known, at in lines.items() if known[:1] == (key,)}


def _named(flat: dict[str, Any], wrong: Wrong) -> list[tuple[str, str, Any]]:
    """(key, setting, value) of the keys that only have another place here."""
    found = []
    for key, value in flat.items():
        if key in FIXED:
            if not any(type(value) is type(fine) and value == fine for fine in FIXED[key]):
                fine = say(" or ", " 또는 ").join(
                    shown(v) if not isinstance(v, list | dict) else str(v) for v in FIXED[key]
                )
                wrong(
                    key,
                    say(
                        f"found {shown(value)}, expected {fine}: dadeum has no setting for anything else",
                        f"{shown(value)}은(는) 쓸 수 없습니다. {fine}만 됩니다(다른 값에 맞는 설정이 없음)",
                    ),
                )
        elif key in FLAT:
            if not (key == "max_steps" and value == -1):  # TrainingArguments' word for "by epochs"
                found.append((key, FLAT[key], value))
        elif key not in KNOWN:
            near = hint(nearest(key, KNOWN))
            wrong(
                key,
                say(
                    f"found an unknown key, expected one of TrainingArguments or LoraConfig that dadeum knows{near}",
                    f"모르는 키입니다. TrainingArguments나 LoraConfig의 키 가운데 dadeum이 아는 것이어야 합니다{near}",
                ),
            )
    filled = {setting.partition(".")[0]: key for key, setting, _ in found}
    if "peft_type" in flat:
        filled.setdefault("adapter", "peft_type")
    return [(filled[s], f"{s}.type", kind) for s, kind in FLAT_MEMBERS.items() if s in filled] + found


def _derived(flat: dict[str, Any], wrong: Wrong) -> list[tuple[str, str, Any]]:
    """(key, setting, value) of what several keys say together."""
    found: list[tuple[str, str, Any]] = []
    for key in PRECISIONS:
        if not isinstance(flat.get(key, False), bool):
            wrong(
                key,
                say(
                    f"found {shown(flat[key])}, expected true or false",
                    f"{shown(flat[key])} 대신 true나 false를 쓰세요",
                ),
            )
    on = [key for key in PRECISIONS if flat.get(key) is True]
    if len(on) > 1:
        wrong("fp16", say("found true beside 'bf16: true', expected one of them", "'bf16: true'와 함께 쓸 수 없습니다"))
    elif any(key in flat for key in PRECISIONS):
        key = on[0] if on else next(key for key in PRECISIONS if key in flat)
        found.append((key, "train.precision", key if on else "fp32"))
    found += _batch(flat, wrong)
    if TRACKERS in flat:
        named = flat[TRACKERS]
        found.append((TRACKERS, "track", [] if named in NOWHERE else [named] if isinstance(named, str) else named))
    for key, steps in STRATEGIES.items():
        if key in flat and flat[key] != (fits := "steps" if flat.get(steps) is not None else "epoch"):
            wrong(
                key,
                say(
                    f"found {shown(flat[key])}, expected '{fits}': with '{steps}' it is done by steps, without at each epoch's end",
                    f"{shown(flat[key])} 대신 '{fits}'여야 합니다. '{steps}'이 있으면 단계마다, 없으면 에포크 끝마다 합니다",
                ),
            )
    return found


def _batch(flat: dict[str, Any], wrong: Wrong) -> list[tuple[str, str, Any]]:
    """Samples of one step on one device: per device × accumulation."""
    per_device, times = flat.get(PER_DEVICE), flat.get(ACCUMULATION, 1)
    if type(times) is not int or times < 1:
        wrong(
            ACCUMULATION,
            say(f"found {shown(times)}, expected a whole number from 1", f"{shown(times)} 대신 1 이상의 정수를 쓰세요"),
        )
    elif type(per_device) is int:
        key = ACCUMULATION if ACCUMULATION in flat else PER_DEVICE
        return [(key, "train.total_train_batch_size", per_device * times)]
    elif ACCUMULATION in flat:
        wrong(
            ACCUMULATION,
            say(
                f"found without a number in '{PER_DEVICE}', expected both: their product is the batch of one step",
                f"'{PER_DEVICE}'의 수와 함께 써야 합니다. 둘의 곱이 한 단계의 배치입니다",
            ),
        )
    return []
