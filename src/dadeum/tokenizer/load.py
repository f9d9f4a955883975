"""One way to a tokenizer: from a local folder, without torch, with the ids that its `tokenizer.json` gives.

`AutoTokenizer` imports torch and rebuilds some tokenizers by their class name (a RoBERTa-named Korean WordPiece loses all
Hangul that way), so `tokenizer.json` is read as it is. Knows nothing of the Hub: folders are fetched before.
"""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dadeum.core.errors import ModelError
from dadeum.core.language import say
from dadeum.core.near import hint, nearest
from dadeum.tokenizer.added import add_tokens

TEMPLATES = Path(__file__).parent / "templates"
# Korean, English, code, blanks and an emoji: what a tokenizer that was rebuilt wrongly gets wrong.
PROBE = "한국어 문장을 다듬는다. The quick brown fox's 2nd try!\n\n  def f(x):\n\treturn x**2  # 주석 😀 ㄱㄴ\n"
_HUB_FOLDER = re.compile(r"models--(.+?)--(.+)")


def load_tokenizer(
    place: str | Path, *, chat_template: str | None = None, known: bool = False, new_tokens: Sequence[str] = ()
) -> Any:
    """The tokenizer in the local folder `place`, a `PreTrainedTokenizerFast` without padding or truncation.

    `known`: its ids were compared with those of `tokenizer.json` before, or will be with others; that costs a second reading.
    `chat_template` is the name of a shipped template (`chatml`, `plain`) or a Jinja file; default the folder's own.
    `new_tokens` are added, as `tokenizer/added.py` says. Raises ModelError when the folder or the template is absent or damaged.
    """
    folder = Path(place)
    if not folder.is_dir():
        raise ModelError(
            say(
                f"{place}: no such folder, expected one with tokenizer.json",
                f"{place}: 그런 폴더가 없습니다. tokenizer.json이 있는 폴더여야 합니다",
            )
        )
    tokenizer = _from_json(folder, known) if (folder / "tokenizer.json").is_file() else _from_vocabulary(folder)
    tokenizer.backend_tokenizer.no_padding()
    tokenizer.backend_tokenizer.no_truncation()
    _set_template(tokenizer, chat_template)
    if new_tokens:
        add_tokens(tokenizer, new_tokens)
    return tokenizer


def template_name(tokenizer: Any) -> str:
    """What to call the tokenizer's chat template in a message: a shipped name, a file, or the model it came with."""
    given = getattr(tokenizer, "_dadeum_template_name", None)
    if given:
        return str(given)
    place = Path(str(getattr(tokenizer, "name_or_path", "") or "tokenizer"))
    for part in place.parts:
        if match := _HUB_FOLDER.fullmatch(part):
            return f"{match[1]}/{match[2]}"
    return place.name


def shipped_templates() -> tuple[str, ...]:
    """Names of the templates that come with dadeum."""
    return tuple(sorted(f.stem for f in TEMPLATES.glob("*.jinja")))


def _damaged(folder: Path, error: Exception) -> ModelError:
    reason = " ".join(str(error).split())[:200]
    return ModelError(
        say(
            f"{folder}: the tokenizer cannot be read ({reason}); copy the folder again, with its tokenizer.json",
            f"{folder}: 토크나이저를 읽을 수 없습니다 ({reason}). tokenizer.json이 있는 폴더를 다시 받으세요",
        )
    )


def _from_json(folder: Path, known: bool) -> Any:
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

    try:
        tokenizer = PreTrainedTokenizerFast.from_pretrained(str(folder), local_files_only=True)
        if known:
            return tokenizer
        raw = Tokenizer.from_file(str(folder / "tokenizer.json"))
    except Exception as error:  # the file is the user's: whatever the reader raises says that it is damaged
        raise _damaged(folder, error) from None
    raw.no_padding()
    raw.no_truncation()
    found = tokenizer.backend_tokenizer.encode(PROBE, add_special_tokens=False).ids
    expected = raw.encode(PROBE, add_special_tokens=False).ids
    # Padding or truncation saved in tokenizer.json is still on in `found`; what counts is the ids before it.
    if found[: len(expected)] != expected[: len(found)]:
        raise ModelError(
            say(
                f"{folder}: tokenizer_config.json changes the ids that tokenizer.json gives; correct or remove it",
                f"{folder}: tokenizer_config.json이 tokenizer.json의 토큰 번호를 바꿉니다. 고치거나 지우세요",
            )
        )
    return tokenizer


def _from_vocabulary(folder: Path) -> Any:
    """From `vocab.json` + `merges.txt` or a SentencePiece model: the class that the folder names makes the backend."""
    known = [n for n in ("vocab.json", "tokenizer.model", "spiece.model", "vocab.txt") if (folder / n).is_file()]
    if not known:
        raise ModelError(
            say(
                f"{folder}: found no tokenizer, expected tokenizer.json, vocab.json with merges.txt, or tokenizer.model",
                f"{folder}: 토크나이저가 없습니다. tokenizer.json, vocab.json과 merges.txt, 또는 tokenizer.model이 있어야 합니다",
            )
        )
    import transformers

    try:
        config = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        config = {}
    name = str(config.get("tokenizer_class", ""))
    try:
        named = (
            getattr(transformers, name, None) if name.isidentifier() and name.endswith(("Tokenizer", "Fast")) else None
        )
        # AutoTokenizer is the last resort: it imports torch.
        source = named if named is not None and name != "PreTrainedTokenizerFast" else transformers.AutoTokenizer
        made = source.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
        if not made.is_fast:
            raise ValueError("no fast tokenizer")
        return _as_fast(made)
    except Exception as error:
        if known[0].endswith(".model"):
            raise ModelError(
                say(
                    f"{folder}: only a SentencePiece model ('{known[0]}') was found and it cannot be converted here; "
                    "install sentencepiece and protobuf, or add the model's tokenizer.json",
                    f"{folder}: SentencePiece 모델('{known[0]}')뿐이고 변환할 수 없습니다. "
                    "sentencepiece와 protobuf를 설치하거나 tokenizer.json을 넣으세요",
                )
            ) from None
        raise _damaged(folder, error) from None


def _as_fast(made: Any) -> Any:
    """The same backend and special tokens as a plain fast tokenizer, which saves and loads under one name."""
    from transformers import PreTrainedTokenizerFast

    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=made.backend_tokenizer,
        model_max_length=made.model_max_length,
        clean_up_tokenization_spaces=False,
        name_or_path=made.name_or_path,
        **made.special_tokens_map,
    )
    tokenizer.chat_template = made.chat_template
    return tokenizer


def _set_template(tokenizer: Any, wanted: str | None) -> None:
    if wanted is None:
        own = tokenizer.chat_template
        if isinstance(own, dict):  # several named templates: `default` is the one for conversations
            own = own.get("default")
        tokenizer.chat_template = _unix(own) if own else None
        return
    shipped = TEMPLATES / f"{wanted}.jinja"
    try:
        if wanted in shipped_templates():
            text = _unix(shipped.read_text(encoding="utf-8"))
            ids = tokenizer("", add_special_tokens=True)["input_ids"]
            # Where plain text begins with a BOS by the tokenizer's own rule, a conversation does too.
            begins = tokenizer.bos_token_id is not None and ids[:1] == [tokenizer.bos_token_id]
            tokenizer.chat_template = ("{{- bos_token }}" if begins else "") + text
        else:
            tokenizer.chat_template = _unix(Path(wanted).expanduser().read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        names = ", ".join(shipped_templates())
        near = hint(nearest(wanted, shipped_templates()))
        raise ModelError(
            say(
                f"tokenizer.chat_template: found '{wanted}', expected one of {names}, or a Jinja file in UTF-8{near}",
                f"tokenizer.chat_template: '{wanted}'을(를) 읽을 수 없습니다. {names} 가운데 하나 또는 UTF-8 Jinja 파일이어야 합니다{near}",
            )
        ) from None
    tokenizer._dadeum_template_name = Path(wanted).name


def _unix(text: str) -> str:
    # Jinja reads all line ends as one; kept equal, so that the text's hash survives being saved.
    return text.replace("\r\n", "\n").replace("\r", "\n")
