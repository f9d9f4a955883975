"""Tokens that an experiment adds to a tokenizer: each is one token wherever it is read. Imports no torch."""

import re
from collections.abc import Sequence
from typing import Any

from dadeum.core.errors import ModelError
from dadeum.core.language import say

ROLES = ("system", "user", "assistant", "tool", "developer", "model")
# No blanks around: the closest neighbours that a token can have in running text.
BEFORE, AFTER = "가", "나"


def add_tokens(tokenizer: Any, tokens: Sequence[str]) -> None:
    """Add `tokens` with the next ids. One that the chat template writes becomes a control token, which no text of a row
    can forge; any other is there for texts, and is read as itself in them.

    Raises ModelError for a token that the tokenizer knows already, or that is not read as itself.
    """
    from tokenizers import AddedToken

    known = tokenizer.get_vocab()
    for token in tokens:
        if token in known:
            raise ModelError(
                say(
                    f"tokenizer.add_special_tokens: found '{token}', which the tokenizer has already (id {known[token]}); leave it out",
                    f"tokenizer.add_special_tokens: '{token}'은(는) 토크나이저에 이미 있습니다(번호 {known[token]}). 빼세요",
                )
            )
    source = tokenizer.chat_template or ""
    made = [AddedToken(token, special=written_by(source, token), normalized=False) for token in tokens]
    tokenizer.backend_tokenizer.add_tokens(made)
    for token in tokens:
        number = tokenizer.convert_tokens_to_ids(token)
        if tokenizer.encode(f"{BEFORE}{token}{AFTER}", add_special_tokens=False).count(number) != 1:
            raise ModelError(
                say(
                    f"tokenizer.add_special_tokens: '{token}' inside a text is not read as one token; choose another name",
                    f"tokenizer.add_special_tokens: '{token}'이(가) 글 속에서 한 토큰으로 읽히지 않습니다. 다른 이름을 고르세요",
                )
            )


def written_by(template: str, token: str) -> bool:
    """Whether a chat template writes `token`: as it stands, or around a role (`'<|' + message['role'] + '|>'`)."""
    if token in template:
        return True
    for role in ROLES:
        head, found, tail = token.partition(role)
        if not (found and head and tail):
            continue
        begins = re.search(rf"{re.escape(head)}(?:['\"]|\s*{{{{)", template)
        ends = re.search(rf"(?:['\"]|}}}}\s*){re.escape(tail)}", template)
        if begins and ends:
            return True
    return False
