"""C5: a chat template that comes with a model tries to leave its sandbox."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from dadeum.core.errors import DataError
from dadeum.data.render import Renderer
from dadeum.tokenizer.load import load_tokenizer
from tests.data.chats import talk

ESCAPES = [
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ ().__class__.__base__.__subclasses__() }}",
    "{{ [].__class__.__mro__ }}",
    "{{ {}.__class__.__bases__[0] }}",
    "{{ messages.__class__.__mro__ }}",
    "{{ messages[0].__class__.__init__ }}",
    "{{ messages.__init__.__globals__ }}",
    "{{ (1).__class__.__mro__ }}",
    "{{ ''['__class__']['__mro__'] }}",
    "{{ ''|attr('__class__')|attr('__mro__') }}",
    "{{ (''|attr('__cla' ~ 'ss__')).mro() }}",
    "{{ (''|attr(['__cla','ss__']|join)).__mro__ }}",
    "{{ ['']|map(attribute='__class__')|map(attribute='__mro__')|list }}",
    "{{ '{0.__class__.__mro__}'.format(messages) }}",
    "{{ '{0.__init__.__globals__}'.format(cycler) }}",
    "{{ '%s'|format(messages.__class__.__mro__) }}",
    "{{ ('{0.__class__.__mro__}'|attr('format'))(1) }}",
    "{{ '{x.__class__.__mro__}'.format_map({'x': 1}) }}",
    "{{ cycler.__init__.__globals__.os.popen('touch {file}') }}",
    "{{ joiner.__init__.__globals__.os.system('touch {file}') }}",
    "{{ namespace.__init__.__globals__.os.system('touch {file}') }}",
    "{{ lipsum.__globals__.os.popen('touch {file}').read() }}",
    "{{ lipsum['__globals__']['os'].popen('touch {file}') }}",
    "{{ range.__class__.__mro__ }}",
    "{{ dict.__class__.__mro__ }}",
    "{{ dict.__init__.__globals__['os'] }}",
    "{{ raise_exception.__globals__['jinja2'] }}",
    "{{ raise_exception.__code__.co_consts }}",
    "{{ strftime_now.__self__.__class__ }}",
    "{{ strftime_now.__func__.__globals__ }}",
    "{{ self.__init__.__globals__ }}",
    "{{ self._TemplateReference__context.parent }}",
    "{{ loop.__class__.__mro__ }}",
    "{% for m in messages %}{{ loop.__init__.__globals__ }}{% endfor %}",
    "{% macro f() %}{% endmacro %}{{ f.__init__.__globals__ }}",
    "{% macro f() %}{{ caller.__globals__.x }}{% endmacro %}{% call f() %}{% endcall %}",
    "{% set ns = namespace() %}{% set ns.__class__ = 1 %}",
    "{% set ns = namespace(__class__=1) %}",
    "{{ messages.append(1) }}",
    "{{ messages[0].update({'role': 'x'}) }}",
    "{{ messages.clear() }}",
    "{% include '/etc/passwd' %}",
    "{% import 'os' as os %}{{ os.getcwd() }}",
    "{% extends '/etc/passwd' %}",
    "{{ range(10 ** 9)|list }}",
    "{{ import('os') }}",
    "{{ open('{file}', 'w').write('x') }}",
    "{{ eval('1') }}",
    "{{ __import__('os').system('touch {file}') }}",
    "{{ tools.__class__.__init__.__globals__ }}",
]


@pytest.fixture(scope="module")
def tokenizer(material: Path) -> Any:
    return load_tokenizer(material / "tokenizers" / "klue-roberta-type")


@pytest.mark.parametrize("escape", ESCAPES)
def test_every_escape_is_one_sentence(
    escape: str, tokenizer: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_process(*_: object, **__: object) -> None:
        raise AssertionError("a process was made")

    for name in ("system", "popen", "fork", "posix_spawn"):
        monkeypatch.setattr(os, name, no_process)
    monkeypatch.setattr(subprocess, "Popen", no_process)
    monkeypatch.chdir(tmp_path)
    tokenizer.chat_template = escape.replace("{file}", str(tmp_path / "made"))
    row = talk("질문", "답")
    renderer = Renderer(tokenizer, template_name="stranger")
    for ask in (renderer.prompt_ids, renderer.text, lambda m: renderer.samples(m, "assistant")):
        with pytest.raises(DataError, match="the chat template of stranger") as caught:
            ask(row)
        assert "\n" not in str(caught.value)
        assert not caught.value.__cause__
    assert list(tmp_path.iterdir()) == []
    assert row == talk("질문", "답")
