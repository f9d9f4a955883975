"""Try every chat template of the data folder against the one rule, and write docs/results/templates.md.

    DADEUM_DATA=/folder/of/the/data python scripts/template_table.py

Each template is given to a real tokenizer, with the control tokens that stand in its text added as special tokens.
"""

import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dadeum.core.errors import DataError
from dadeum.data.render import Refusal, Renderer
from dadeum.tokenizer.load import load_tokenizer

PAGE = Path(__file__).parents[1] / "docs" / "results" / "templates.md"
# How the templates of the data folder write control tokens.
CONTROL = re.compile(
    r"<\|[^|<>\s'\"{}]{1,48}\|>|<\|[a-z_]{1,24}>|<[a-z_]{1,24}\|>|<｜[^｜<>'\"{}]{1,48}｜>|</?(?:s|bos|eos|start_of_turn|end_of_turn)>"
    r"|\[/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_RESULTS|TOOL_CALLS|MODEL_SETTINGS|THINK)\]|\[e~\[|\]~b\]|<SPECIAL_\d+>"
    r"|<(?:seed|role_sep|message_sep)[^<>'\"{}]{0,24}>|<end_of_utterance>"
)
# Ends of a turn, the likeliest first; the first that stands in a template is the eos of its model.
ENDS = (
    *(
        "<|im_end|>",
        "<|eot_id|>",
        "<end_of_turn>",
        "<turn|>",
        "<|return|>",
        "<｜end▁of▁sentence｜>",
        "<|END_OF_TURN_TOKEN|>",
    ),
    *("<|end|>", "<|end_of_text|>", "<|role_end|>", "<|assistant_end|>", "<end_of_utterance>", "<|user|>", "</s>"),
)
QUESTION = {"role": "user", "content": "나스닥이 뭐야?"}
ANSWER = {"role": "assistant", "content": "  미국의 증권 시장이에요. 😀\n기술주가 많지요. "}
SECOND = [{"role": "user", "content": "고마워"}, {"role": "assistant", "content": "천만에요!"}]


def templates(data: Path) -> dict[str, str]:
    """Name and text of every template of the data folder."""
    files = sorted((data / "chat_templates").rglob("*.jinja"))
    return {f"{f.parent.name}/{f.stem}": f.read_text(encoding="utf-8") for f in files}


def fitted(data: Path, template: str, *, base: str = "bora-ko-32k") -> Any:
    """A real tokenizer with the template and its control tokens."""
    from tokenizers import AddedToken

    tokenizer = load_tokenizer(data / "tokenizers" / base, known=True)
    found = dict.fromkeys(CONTROL.findall(template))
    eos = next((e for e in ENDS if e in template), "</s>")
    names = [*found, eos, "<s>"]
    tokenizer.add_tokens([AddedToken(n, special=True, normalized=False) for n in names], special_tokens=True)
    tokenizer.eos_token = eos
    tokenizer.bos_token = next(
        (b for b in ("<|begin_of_text|>", "<bos>", "<｜begin▁of▁sentence｜>") if b in template), "<s>"
    )
    tokenizer.chat_template = template
    return tokenizer


@dataclass(frozen=True)
class Verdict:
    """What the rule says of one template."""

    admitted: bool
    reason: str = ""
    cure: str = ""
    ends: str = ""
    before: str = ""
    apart: bool | None = None
    marks: bool | None = None


def judge(data: Path, name: str, template: str) -> Verdict:
    """Admitted or refused on one turn, as it is or with the variable that the refusal names."""
    tokenizer = fitted(data, template)
    renderer = Renderer(tokenizer, template_name=name)
    try:
        return _admitted(renderer, tokenizer)
    except DataError as error:
        reason = str(error)
    if cure := re.search(r"\{(\w+): (true|false)\}", reason):
        value = cure[2] == "true"
        try:
            renderer = Renderer(tokenizer, template_name=name, kwargs={cure[1]: value})
            found = _admitted(renderer, tokenizer)
        except DataError as error:
            return Verdict(False, str(error))
        return Verdict(True, cure=f"{cure[1]}: {cure[2]}", ends=found.ends, before=found.before, apart=found.apart)
    return Verdict(False, reason)


def _admitted(renderer: Renderer, tokenizer: Any) -> Verdict:
    (sample,) = renderer.samples([QUESTION, ANSWER], "assistant")
    trained = sample.input_ids[sample.weights > 0]
    first = int((sample.weights > 0).argmax())
    prompt = len(renderer.prompt_ids([QUESTION]))
    try:
        apart = len(renderer.samples([QUESTION, ANSWER, *SECOND], "assistant")) > 1
    except Refusal:
        raise
    except DataError:
        apart = None
    return Verdict(
        True,
        ends=tokenizer.convert_ids_to_tokens(int(trained[-1])),
        before=tokenizer.decode(sample.input_ids[prompt:first]),
        apart=apart,
        marks=renderer.marks_agree([QUESTION, ANSWER]),
    )


def main() -> int:
    """Write the page; its numbers are printed too."""
    place = os.environ.get("DADEUM_DATA")
    if not place:
        print("set DADEUM_DATA to the folder of the real data", file=sys.stderr)
        return 2
    verdicts = {name: judge(Path(place), name, text) for name, text in templates(Path(place)).items()}
    plain = sum(v.admitted and not v.cure for v in verdicts.values())
    admitted = sum(v.admitted for v in verdicts.values())
    head = (
        f"Of {len(verdicts)} real templates {plain} are admitted on one turn as they are and {admitted - plain} more with the "
        f"variable that the refusal names; {len(verdicts) - admitted} are refused."
    )
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(_page(head, verdicts), encoding="utf-8")
    print(head)
    return 0


def _page(head: str, verdicts: dict[str, Verdict]) -> str:
    lines = [
        "# Chat templates under the one rule",
        "",
        "Made by `DADEUM_DATA=… python scripts/template_table.py` (see `src/dadeum/data/spans.py` for the rule).",
        "",
        head,
        "",
        "Each is given to a Korean tokenizer (bora-ko-32k) with the control tokens of its text added. *Before*: template text in front of "
        "the answer that weighs 0. *Turns*: whether a conversation of two answers is one sample, or one for each answer, because "
        "the template rewrites earlier turns or ends none. *Marks*: whether the template's own generation marks agree.",
        "",
        "| template | verdict | end token | before | turns | marks |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name, v in verdicts.items():
        if not v.admitted:
            lines.append(f"| {name} | refused: {_cell(v.reason)} | | | | |")
            continue
        verdict = f"with `{v.cure}`" if v.cure else "admitted"
        turns = {None: "refused", True: "apart", False: "together"}[v.apart]
        marks = {None: "", True: "agree", False: "differ"}[v.marks]
        before = f"`{_cell(repr(v.before)[1:-1])}`" if v.before else ""
        lines.append(f"| {name} | {verdict} | `{_cell(v.ends)}` | {before} | {turns} | {marks} |")
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    sys.exit(main())
