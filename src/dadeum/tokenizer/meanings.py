"""What special tokens are for, in a line: by their role, and by the names that model makers give them."""

import re
from collections.abc import Sequence

from dadeum.core.language import say

END_OF_TURN, NOT_A_TOKEN = "end_of_turn", "not_a_token"
_BY_ROLE = {
    "bos": ("begins a text", "글의 시작"),
    "eos": ("ends a text", "글의 끝"),
    "pad": ("fills up a batch", "배치를 채움"),
    "unk": ("unknown letters", "모르는 글자"),
    "cls": ("the whole text", "글 전체"),
    "sep": ("parts two texts", "두 글을 나눔"),
    "mask": ("hides a word", "낱말을 가림"),
    END_OF_TURN: ("ends an answer", "답의 끝"),
    NOT_A_TOKEN: ("ordinary text here", "여기서는 보통 글"),
}
# The first that is found in the name counts.
_BY_NAME = [
    (r"unused|reserved|extra_id|^<SPECIAL_\d+>$", "free to use", "비어 있음"),
    (r"im_start|start_of_turn|start_header_id|role_start", "begins a message", "메시지의 시작"),
    (r"end_header_id|role_end", "ends a message's role", "메시지 역할의 끝"),
    (r"im_end|end_of_turn|eot_id|END_OF_TURN", "ends a message", "메시지의 끝"),
    (r"eom_id", "ends a call of a tool", "도구 호출의 끝"),
    (r"begin_of_text|begin▁of▁sentence", "begins a text", "글의 시작"),
    (r"endoftext|end_of_text|end▁of▁sentence", "ends a document", "문서의 끝"),
    (r"/?think", "around the reasoning", "추론을 감쌈"),
    (r"python_tag|tool|function", "tools", "도구"),
    (r"\[/?INST\]", "around what the user says", "사용자의 말을 감쌈"),
    (r"SYS", "around the system prompt", "시스템 프롬프트를 감쌈"),
    (r"fim_|_fim|PRE>|SUF>|MID>", "fills gaps in code", "코드의 빈 곳 채우기"),
    (r"vision|image|video|audio|box|quad|object_ref", "pictures, sound", "그림, 소리"),
    (r"repo_?name|file_sep|filename|gh_stars", "code data", "코드 자료"),
    (r"issue_|jupyter_|commit_|empty_output", "code data", "코드 자료"),
    (r"system", "the system's message", "시스템 메시지"),
    (r"user", "the user's message", "사용자 메시지"),
    (r"assistant", "the assistant's message", "어시스턴트 메시지"),
    (r"mask", "hides a word", "낱말을 가림"),
    (r"pad", "fills up", "채움"),
]  # fmt: skip


def meaning(name: str, roles: Sequence[str]) -> str:
    """One line on a token, in the reader's language; empty where neither role nor name says anything."""
    # An end of turn that is the eos besides ends an answer first of all.
    counted = [role for role in roles if role in _BY_ROLE and not (role == "eos" and END_OF_TURN in roles)]
    told = [say(*_BY_ROLE[role]) for role in counted]
    if told:
        return "; ".join(told)
    if not name.strip(" \t\r\n▁"):
        return say("a run of blanks", "이어진 빈칸")
    for pattern, english, korean in _BY_NAME:
        if re.search(pattern, name):
            return say(english, korean)
    return ""
