"""What a template may use up: time, memory, the size of one operation."""

import gc
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dadeum.core.errors import DataError
from dadeum.data import bounds
from dadeum.data.bounds import SECONDS, Allowance, Exceeded, bounded
from dadeum.data.template import ChatTemplate, Refusal
from dadeum.tokenizer.load import load_tokenizer
from tests.data.chats import talk

ROW = talk("질문", "답")


class Nobody:
    """As much of a tokenizer as a template wants."""

    special_tokens_map: dict[str, str] = {}

    def __init__(self, text: str) -> None:
        self.chat_template = text


def made(text: str) -> ChatTemplate:
    return ChatTemplate(Nobody(text), name="t", kwargs={}, today="2026-01-31")


HUGE = [
    "{{ 'x' * 10 ** 9 }}",
    "{{ 10 ** 9 * 'x' }}",
    "{{ [0] * 10 ** 9 }}",
    "{{ 10 ** (10 ** 10) }}",
    "{{ 7 ** (7 ** 9) }}",
    "{% set n = namespace(x=10 ** 1000) %}{% for i in range(99) %}{% set n.x = n.x * n.x %}{% endfor %}",
    "{{ '%999999999d' % 1 }}",
    "{{ '%*d' % (10 ** 9, 1) }}",
    "{{ '%999999999d'|format(1) }}",
    "{{ '{:>999999999}'.format(1) }}",
    "{{ '{:{w}}'.format(1, w=10 ** 9) }}",
    "{{ '{:>999999999}'|attr('format')(1) }}",
    "{{ '{x:>999999999}'.format_map({'x': 1}) }}",
    "{{ 'x'.center(10 ** 9) }}",
    "{{ 'x'.ljust(10 ** 9) }}",
    "{{ 'x'.zfill(10 ** 9) }}",
    "{{ '\t'.expandtabs(10 ** 9) }}",
    "{{ ('x'|safe).rjust(10 ** 9) }}",
    "{{ 'x'|center(10 ** 9) }}",
    "{{ 'x\ny'|indent(10 ** 9) }}",
    "{{ ('x' * 10 ** 6).replace('x', 'y' * 10 ** 6) }}",
    "{{ ('x' * 10 ** 6)|replace('x', 'y' * 10 ** 6) }}",
    "{{ ('y' * 10 ** 6).join([0] * 10 ** 6) }}",
    "{{ (['y' * 10 ** 6, 'z'] * 100000)|join('') }}",
    "{{ range(100000)|map('string')|join('y' * 10 ** 6) }}",
    "{{ [1]|batch(10 ** 9, 0)|list }}",
    "{{ 1.5|round(10 ** 9, 'floor') }}",
    "{{ {'a': [1]}|tojson(indent=10 ** 9) }}",
    "{{ ('x' * 10 ** 6)|wordwrap(1, wrapstring='y' * 10 ** 6) }}",
    "{% set a = [0] * 1000 %}{% set b = [a] * 1000 %}{{ ([b] * 1000)|tojson }}",
]
SLOW = [
    "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
    "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(60) }}",
    "{{ lipsum(n=10 ** 9) }}",
    "{% set a = [0] * 1000 %}{% set b = [a] * 1000 %}{{ [b] * 1000 }}",
    "{% for a in range(99999) %}{% if (range(99999)|sum) == -1 %}x{% endif %}{% endfor %}",
]
GROWING = [
    "{% set n = namespace(x='x' * 1000) %}{% for i in range(60) %}{% set n.x = n.x + n.x %}{% endfor %}{{ n.x }}",
    "{% set n = namespace(x='x' * 1000) %}{% for i in range(60) %}{% set n.x = n.x ~ n.x %}{% endfor %}{{ n.x }}",
    "{% macro d(x) %}{{ x }}{{ x }}{% endmacro %}{% set n = namespace(x='x' * 1000) %}"
    "{% for i in range(60) %}{% set n.x = d(n.x) %}{% endfor %}",
    "{% for a in range(99999) %}{% for b in range(99999) %}{{ 'x' * 1000 }}{% endfor %}{% endfor %}",
]


@pytest.mark.parametrize("text", HUGE)
def test_one_operation_that_makes_something_huge_is_not_begun(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No timer runs here, so what says Exceeded is the look at the operation before it begins."""
    monkeypatch.setattr(Allowance, "_ready", False)
    template, why = made(text), []
    explain = template._failure
    monkeypatch.setattr(template, "_failure", lambda error, *more: why.append(type(error)) or explain(error, *more))
    with pytest.raises(Refusal, match="the chat template of t uses up more time or memory"):
        template.render(ROW)
    assert why == [Exceeded]


def broken_off(text: str) -> None:
    template = made(text)
    with pytest.raises(Refusal, match=r"uses up more time or memory than a conversation may take \(") as caught:
        template.render(ROW)
    assert "\n" not in str(caught.value)
    template.compiled = None  # for the next rows it is not run again
    with pytest.raises(Refusal, match="uses up more"):
        template.render(ROW)


@pytest.mark.parametrize("text", SLOW)
def test_what_goes_on_for_ever_is_broken_off_by_its_time(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "MEMORY", 1 << 60)
    monkeypatch.setattr(bounds, "SECONDS", 0.1)
    broken_off(text)


@pytest.mark.parametrize("text", GROWING)
def test_what_grows_for_ever_is_broken_off_by_its_memory(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds, "MEMORY", 1 << 25)
    monkeypatch.setattr(bounds, "SECONDS", 1e9)
    broken_off(text)


def test_the_time_is_the_threads_own_and_as_much_as_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither waiting nor what other threads do is held against a template."""
    now = 7.0
    monkeypatch.setattr(bounds, "time", SimpleNamespace(thread_time=lambda: now))  # there is no other clock
    monkeypatch.setattr(bounds, "MEMORY", 1 << 60)
    with Allowance():
        running = Allowance._running
        assert running is not None
        now += SECONDS - 0.01
        running.look()
        now += 0.01
        with pytest.raises(Exceeded):
            running.look()
    assert SECONDS == 1 and "(1 s of processor time, 512 MiB)" in str(made("{{ 1 }}")._failure(Exceeded()))


def test_pythons_collector_is_no_cost_of_a_template() -> None:
    """With a model in memory it takes a second, which an honest template was refused for."""
    template = made("{% set n = namespace(x=[]) %}{% for i in range(5000) %}{% set n.x = [[i], n.x] %}{% endfor %}ok")
    inside: list[bool] = []

    def heard(phase: str, info: dict[str, int]) -> None:
        inside.append(Allowance._running is not None)

    gc.callbacks.append(heard)
    try:
        assert template.render(ROW) == "ok" and gc.isenabled()
        gc.collect()
        gc.disable()
        assert template.render(ROW) == "ok" and not gc.isenabled()
    finally:
        gc.enable()
        gc.callbacks.remove(heard)
    assert inside and True not in inside


def test_what_costs_little_stays() -> None:
    text = (
        "{{ 'ab' * 3 }} {{ 2 ** 10 }} {{ 7 % 4 }} {{ '%s-%d' % ('x', 2) }} {{ '{:>4}'.format('x') }} {{ 'x'.center(3) }}|"
        "{{ 'a,b'.replace(',', ';') }} {{ ', '.join(['a', 'b']) }} {{ ['a', 'b']|map('upper')|join('+') }} "
        "{{ 'x'|center(3) }} {{ {'a': [1, 2]}|tojson(indent=1) }} {{ 1.25|round(1) }} {{ 'a\nb'|indent(2) }} "
        "{{ [1, 2]|sum }} {{ [1, 2, 3]|batch(2)|list }}"
    )
    want = (
        'ababab 1024 3 x-2    x  x | a;b a, b A+B  x  {\n "a": [\n  1,\n  2\n ]\n} 1.2 a\n  b 3 [[1, 2], [3]]'.replace(
            "| a;b", "|a;b"
        )
    )
    assert made(text).render(ROW) == want


def test_a_wrong_argument_is_still_the_templates_own_fault() -> None:
    with pytest.raises(DataError, match="stops with") as caught:
        made("{{ 'x'.center('a') }}").render(ROW)
    assert not isinstance(caught.value, Refusal)


def test_a_bomb_that_waits_for_its_row_is_found_there() -> None:
    template = made("{% if messages|length > 1 %}{{ 'x' * 10 ** 9 }}{% endif %}ok")
    assert template.render(ROW[:1]) == "ok"
    with pytest.raises(Refusal):
        template.render(ROW)


def test_a_long_conversation_has_more_time_and_stops_itself_only() -> None:
    assert (Allowance(2).seconds, Allowance(250).seconds) == (SECONDS, 3 * SECONDS)
    template = made("{% if messages|length > 150 %}{{ 'x' * 10 ** 9 }}{% endif %}ok")
    with pytest.raises(DataError, match=r"than 200 messages may take \(3 s .*; divide the conversation") as caught:
        template.render(ROW * 100)
    assert not isinstance(caught.value, Refusal) and template.render(ROW) == "ok"


def test_the_timer_runs_with_the_template_only() -> None:
    with Allowance():
        assert signal.getitimer(signal.ITIMER_PROF)[1] > 0
    assert signal.getitimer(signal.ITIMER_PROF) == (0.0, 0.0)
    with pytest.raises(ZeroDivisionError), Allowance():
        _ = 1 / 0
    assert signal.getitimer(signal.ITIMER_PROF) == (0.0, 0.0)
    signal.raise_signal(signal.SIGPROF)  # one that comes late


def test_a_timer_of_somebody_else_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    before = signal.signal(signal.SIGPROF, lambda *_: seen.append(1))
    monkeypatch.setattr(Allowance, "_ready", None)
    try:
        with Allowance():
            assert signal.getitimer(signal.ITIMER_PROF) == (0.0, 0.0)
            signal.raise_signal(signal.SIGPROF)
    finally:
        signal.signal(signal.SIGPROF, before)
    assert seen


ALONE = """
import signal, sys
from tests.data.test_bounds import made, ROW
assert "psutil" not in sys.modules
ready, start = [], signal.setitimer
signal.setitimer = lambda *words: (ready.append("psutil" in sys.modules), start(*words))[1]
made("{{ 1 }}").render(ROW)
sum(range(10**7))
print(bool(ready) and all(ready))
"""


def test_a_process_that_has_rendered_ends_well() -> None:
    """The system must not find the timer running when the interpreter is gone; nor the timer a library half imported."""
    done = subprocess.run([sys.executable, "-c", ALONE], capture_output=True, text=True, encoding="utf-8", check=False)
    assert (done.returncode, done.stdout) == (0, "True\n"), done.stderr


def test_other_threads_render_too() -> None:
    found: list[str] = []
    thread = threading.Thread(target=lambda: found.append(made("{{ messages[0].content }}").render(ROW)))
    thread.start()
    thread.join()
    assert found == ["질문"]


def test_transformers_keeps_its_own_environment(material: Path) -> None:
    """What dadeum bounds is not what others render with."""
    tokenizer: Any = load_tokenizer(material / "tokenizers" / "bora-ko-32k")
    tokenizer.chat_template = "{{ 'x' * 20000000 }}"
    assert len(tokenizer.apply_chat_template(ROW, tokenize=False)) == 20_000_000
    with pytest.raises(Refusal):
        ChatTemplate(tokenizer, name="t", kwargs={}, today="2026-01-31").render(ROW)


def test_bounded_takes_any_sandbox() -> None:
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = bounded(ImmutableSandboxedEnvironment())
    assert environment.from_string("{{ 2 * 3 }}").render() == "6"
    with pytest.raises(Exceeded):
        environment.from_string("{{ 'x' * 99999999 }}").render()
