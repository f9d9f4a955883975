"""A conversation: its history and its commands. Draws nothing; the command line does."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from dadeum.core.artifact import write_json
from dadeum.core.errors import ArtifactError
from dadeum.core.language import say
from dadeum.generate.engine import Engine
from dadeum.generate.reply import Reply

Kind = Literal["help", "reset", "save", "system", "exit", "unknown", "incomplete"]
COMMANDS = ("/help", "/reset", "/save PATH", "/system TEXT", "/exit")


@dataclass(frozen=True)
class Command:
    """What a line that begins with `/` asks for."""

    kind: Kind
    text: str = ""


def command(line: str) -> Command | None:
    """The command in a line; None where the line is something to say to the model."""
    word, _, rest = line.strip().partition(" ")
    rest = rest.strip()
    match word:
        case "/help" | "/?":
            return Command("help")
        case "/reset":
            return Command("reset")
        case "/exit" | "/quit":
            return Command("exit")
        case "/system":
            return Command("system", rest)
        case "/save":
            return Command("save", rest) if rest else Command("incomplete", "/save PATH")
        case _:
            # A question may begin with a path; only a bare word after the slash is taken for a mistyped command.
            return Command("unknown", word) if word.startswith("/") and word[1:].isalpha() else None


def help_text() -> str:
    """What can be typed."""
    return say(
        "/reset forgets the conversation, /system TEXT sets the system message (empty: the model's own), "
        "/save PATH writes the messages as JSON, /exit leaves",
        "/reset 대화 지우기, /system 글 시스템 메시지 바꾸기(비우면 모델의 것), /save 경로 메시지를 JSON으로 저장, /exit 끝내기",
    )


class Chat:
    """One conversation with an engine."""

    def __init__(
        self,
        engine: Engine,
        *,
        max_new_tokens: int = 256,
        temperature: float = 0.0,
        top_p: float = 1.0,
        seed: int = 0,
        system: str | None = None,
    ) -> None:
        self.engine = engine
        self.exchanges: list[list[dict[str, Any]]] = []  # each a question as it was sent, and its answer
        self.system = system
        self.forgotten = 0  # exchanges that the context had no room for when the last question was asked
        self.last: Reply | None = None
        self.max_new_tokens, self.temperature, self.top_p, self.seed = max_new_tokens, temperature, top_p, seed
        self._saved: set[Path] = set()

    def messages(self, text: str) -> list[dict[str, Any]]:
        """What the model is given when `text` is said now; where that does not fit, the oldest exchanges are left out.

        Raises ModelError where even `text` alone has no room.
        """
        context = self.engine.context
        for forgotten in range(len(self.exchanges) + 1):
            self.forgotten = forgotten
            history = [m for exchange in self.exchanges[forgotten:] for m in exchange]
            found = self._with_system(self.engine.contract.messages(text, history))
            size = len(self.engine.prompt_ids(found))
            if context is None or size + min(self.max_new_tokens, context // 2) <= context:
                break
        self.engine.room(size, 1)
        return found

    def say(self, text: str) -> Iterator[str]:
        """Pieces of the answer; the exchange is remembered when they are through, or when reading them was stopped."""
        stream = self.engine.stream(
            self.messages(text),
            max_new_tokens=self.max_new_tokens,
            temperature=self.temperature,
            top_p=self.top_p,
            seed=self.seed + len(self.exchanges),
        )
        try:
            yield from stream
        finally:
            stream.close()
            self.last = stream.reply
            if self.last is not None and self.last.text.strip():
                answer = {"role": "assistant", "content": self.last.text}
                self.exchanges.append([*self.engine.contract.turn(text), answer])

    def do(self, asked: Command) -> str:
        """Carry out a command and tell what was done; `exit` is the caller's."""
        match asked.kind:
            case "help":
                return help_text()
            case "reset":
                self.exchanges.clear()
                return say("the conversation is forgotten", "대화를 지웠습니다")
            case "system":
                self.system = asked.text or None
                return say("the system message is set", "시스템 메시지를 바꾸었습니다")
            case "save":
                return self.save(asked.text)
            case "exit":
                return ""
            case _:
                known = ", ".join(COMMANDS)
                return say(
                    f"found '{asked.text}', expected one of: {known}",
                    f"'{asked.text}'은(는) 없습니다. 쓸 수 있는 명령: {known}",
                )

    def save(self, path: str | Path) -> str:
        """Write the messages as JSON; a file that this conversation did not write is left alone (ArtifactError)."""
        try:
            target = Path(path).expanduser().absolute()
            if target.exists() and target not in self._saved:
                raise ArtifactError(
                    say(
                        f"{path}: is there already; choose another name",
                        f"{path}: 이미 있는 파일입니다. 다른 이름을 쓰세요",
                    )
                )
            write_json(target, self._with_system([m for exchange in self.exchanges for m in exchange]))
        # No such user in `~user`, a name that no file can have, a place that cannot be written.
        except (OSError, RuntimeError, ValueError) as error:
            why = getattr(error, "strerror", None) or str(error)
            raise ArtifactError(say(f"{path}: cannot be written ({why})", f"{path}: 쓸 수 없습니다 ({why})")) from None
        self._saved.add(target)
        return say(f"saved {path}", f"{path}에 저장했습니다")

    def _with_system(self, messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if self.system is None:
            return messages
        rest = messages[1:] if messages and messages[0]["role"] == "system" else messages
        return [{"role": "system", "content": self.system}, *rest]
