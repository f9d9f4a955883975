"""Bad input through the command line: one sentence, exit code 2, no traceback, and nothing half-written."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from dadeum.core import hub as client
from tests.data.small import make_tokenizer
from tests.hub_server import Hub, refused_url, serve
from tests.run.lab import NAME, YAML, Said, cli, files_below, fine, make_workspace, runs_of, whole_artifacts

YAML_FILE = f"configs/{NAME}.yaml"


def refused(said: Said, *words: str, code: int = 2) -> None:
    """One sentence, and it says this."""
    assert said.code == code, said
    assert len(said.errors) == 1, said.err
    assert "Traceback" not in said.err + said.out
    for word in words:
        assert word in said.errors[0], said.errors[0]


def write(root: Path, name: str, text: str) -> None:
    (root / name).write_text(text, encoding="utf-8")


LONG = "question,answer\n" + "".join(f"q{n},{'긴 답 ' * 60}\n" for n in range(30))


@pytest.mark.parametrize(
    ("csv", "words"),
    [
        (None, ["rows.csv", "no such"]),
        ("", ["rows.csv", "empty"]),
        ("question,answer\n", ["rows.csv"]),
        ("id,label\n1,2\n3,4\n", ["id, label"]),
        ("question,answer\n" + "".join(f"q{n},a{n}\n" for n in range(20)) + "no answer here,\n", ["rows.csv:22"]),
        (LONG, ["data.max_length"]),
    ],
)
@pytest.mark.parametrize("verb", ["run", "plan"])
def test_rows(written: Path, csv: str | None, words: list[str], verb: str) -> None:
    (written / "rows.csv").unlink()
    if csv is not None:
        write(written, "rows.csv", csv)
    refused(cli(written, verb, NAME), *words)
    whole_artifacts(written)
    assert not (written / "checkpoints").exists() and runs_of(written) == []
    left = set(files_below(written / "data")) if (written / "data").exists() else set()
    assert all("faulty" in name or "preprocessed-" in name for name in left)


def test_a_faulty_row_is_listed_and_can_be_left_out(written: Path) -> None:
    with (written / "rows.csv").open("a", encoding="utf-8") as file:
        file.write("답이 없는 질문,\n")
    refused(cli(written, "run", NAME), "rows.csv:62", "data.faulty_rows=drop")
    (listing,) = (written / "data" / "processed").iterdir()
    assert listing.name.startswith("faulty-") and "rows.csv:62" in listing.read_text(encoding="utf-8")
    said = fine(written, "data", "format", NAME, "data.faulty_rows=drop")
    assert "1 rows left out" in said.out


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("tokenizer.name_or_path=./none",), "./none"),
        (("model={name_or_path: ./none}",), "./none"),
        (("model={name_or_path: tokenizer}",), "tokenizer"),
        (("model.config.model_type=lama",), "lama"),
        (("data.sources.0.path=tokenizer",), "tokenizer"),
        (("data.prompt=none.yaml",), "none.yaml"),
        (("tokenizer.chat_template=nonsense",), "nonsense"),
        (("tokenizer.chat_template=chatm",), "did you mean 'chatml'?"),
        (("tokenizer.name_or_path=./tokeniser",), "did you mean './tokenizer'?"),
        (("data.split.test=0",), "test"),
        (("train.save_steps=1.5",), "train.save_steps"),
        (("model.config.max_position_embeddings=16",), "16"),
    ],
)
def test_settings_that_cannot_be(written: Path, words: tuple[str, ...], expected: str) -> None:
    refused(cli(written, "run", NAME, *words), expected)
    whole_artifacts(written)
    assert not list(written.glob("checkpoints/*/*/final"))


def test_a_model_without_a_chat_template(written: Path) -> None:
    make_tokenizer(written / "bare", None)
    refused(cli(written, "run", NAME, "tokenizer.name_or_path=bare"), "chat_template")
    assert not (written / "checkpoints").exists()
    fine(written, "plan", NAME, "tokenizer.name_or_path=bare", "tokenizer.chat_template=chatml")


@pytest.mark.parametrize(
    "text", ["{", "- a\n- b\n", "name: [\n", "name: a\nname: b\n", "", "\x00", "name: tiny\n\tx: 1\n"]
)
@pytest.mark.parametrize("verb", ["run", "train", "eval"])
def test_no_experiment(written: Path, text: str, verb: str) -> None:
    write(written, YAML_FILE, text)
    before = files_below(written)
    said = cli(written, verb, NAME)
    assert said.code == 2 and said.errors and "Traceback" not in said.err
    assert all(line.startswith("error: configs/tiny.yaml") for line in said.errors)
    assert files_below(written) == before


def test_every_fault_of_a_file_in_a_line_of_its_own(written: Path) -> None:
    write(
        written,
        YAML_FILE,
        YAML.replace("max_length: 128", "max_lenght: 128").replace("r: 4", "r: four") + "\nextra: 1\n",
    )
    said = cli(written, "run", NAME)
    assert said.code == 2 and len(said.errors) == 3
    assert all(line.startswith("error: configs/tiny.yaml:") for line in said.errors)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("rnu", NAME), "did you mean 'run'?"),
        (("run", NAME, "--fast"), "--fast"),
        (("run",), "EXPERIMENT"),
        (("run", NAME, "train.learning_rate"), "key=value"),
        (("ask", ""), "the question is empty"),
        (("ask", "hi", "-m", "nothing-like-it"), "nothing-like-it"),
        (("batch", "none.txt", "-o", "a.md"), "none.txt"),
        (("chat", "-m", "./none"), "./none"),
    ],
)
def test_words(written: Path, words: tuple[str, ...], expected: str) -> None:
    before = files_below(written)
    refused(cli(written, *words), expected)
    assert files_below(written) == before


class TestHub:
    """Models by name: unknown, behind a gate, and a Hub that is down."""

    @pytest.fixture(autouse=True)
    def own_cache(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "cache"))
        for name in ("HF_TOKEN", "HF_HUB_OFFLINE", "HUGGING_FACE_HUB_TOKEN"):
            monkeypatch.delenv(name, raising=False)

    @pytest.mark.parametrize(
        "words",
        [
            ("run", NAME, "model={name_or_path: someone/unknown}"),
            ("data", "download", NAME, "tokenizer.name_or_path=someone/unknown"),
            ("train", "--model", "someone/unknown", "--dataset-path", "rows.csv"),
            ("run", NAME, "data.sources=[{type: hub, name: someone/unknown}]"),
            ("ask", "hi", "-m", "someone/unknown"),
        ],
    )
    def test_unknown(self, written: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]) -> None:
        with serve(Hub({})) as hub:
            monkeypatch.setenv("HF_ENDPOINT", hub.url)
            refused(cli(written, *words), "someone/unknown: no such", "on the Hub")
        whole_artifacts(written)
        assert not (written / "checkpoints").exists()

    def test_gated(self, written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        files = {f.name: f.read_bytes() for f in (written / "tokenizer").iterdir()}
        hub = Hub({"models/someone/gated": {**files, "model.safetensors": b"", "config.json": b"{}"}})
        hub.gated.add("models/someone/gated")
        with serve(hub):
            monkeypatch.setenv("HF_ENDPOINT", hub.url)
            refused(cli(written, "run", NAME, "model={name_or_path: someone/gated}"), "accept its licence", "HF_TOKEN")

    @pytest.mark.parametrize("kind", ["models", "datasets"])
    def test_cut_then_the_same_command_goes_on(self, written: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
        monkeypatch.setattr("dadeum.core.download.PAUSE", 0.01)
        files = {f.name: f.read_bytes() for f in (written / "tokenizer").iterdir()}
        name, words = "tokenizer.json", ["tokenizer.name_or_path=someone/cut"]
        if kind == "datasets":
            name, words = "rows.csv", ["data.sources=[{type: hub, name: someone/cut}]"]
            files = {name: (written / name).read_bytes()}
        with serve(Hub({f"{kind}/someone/cut": files}, stuck={name: 1000})) as hub:
            monkeypatch.setenv("HF_ENDPOINT", hub.url)
            command = ("data", "preprocess", NAME, *words)
            refused(
                cli(written, *command), f"someone/cut: {name}: the connection was cut, 1,000 /", "run the same command"
            )
            hub.stuck.clear()
            hub.asked.clear()
            fine(written, *command)
            assert (name, "bytes=1000-", 206) in hub.asked
        whole_artifacts(written)

    def test_down(self, written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        waits: list[float] = []
        monkeypatch.setattr(client, "time", SimpleNamespace(sleep=waits.append))
        monkeypatch.setenv("HF_ENDPOINT", refused_url())
        refused(cli(written, "run", NAME, "model={name_or_path: someone/model}"), "cannot be reached")
        assert waits == [client.PAUSE] * (client.ATTEMPTS - 1), "one question, tried again once"

    def test_what_was_downloaded_needs_no_hub(self, done: Path, written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """A base from the Hub: a plan asks nobody, a run fetches once, and the next one asks nobody again."""
        (base,) = (done / "checkpoints" / NAME).glob("base-*")
        files = {f.name: f.read_bytes() for f in base.iterdir() if f.name != "manifest.json"}
        words = ("model={name_or_path: someone/base}", "tokenizer={}")
        with serve(Hub({"models/someone/base": files})) as hub:
            monkeypatch.setenv("HF_ENDPOINT", hub.url)
            fine(written, "plan", NAME, "--no-data", *words)
            assert hub.requests == []
            fine(written, "run", NAME, *words)
            asked = len(hub.requests)
            assert asked and "▶" not in fine(written, "run", NAME, *words).out and len(hub.requests) == asked
            fine(written, "data", "download", NAME, *words)
            assert len(hub.requests) > asked, "asked for by name, it looks whether there is something new"
        monkeypatch.setenv("HF_ENDPOINT", refused_url())
        said = fine(written, "run", NAME, *words)
        assert "▶" not in said.out and said.err == ""
        assert fine(written, "ask", "3번 질문은?", "--max-new-tokens", "3").out

    def test_a_local_experiment_asks_nobody(self, done: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        with serve(Hub({})) as hub:
            monkeypatch.setenv("HF_ENDPOINT", hub.url)
            fine(done, "run", NAME)
            fine(done, "plan", NAME)
            assert hub.requests == []

    def test_a_plan_without_data_asks_nobody(self, written: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        with serve(Hub({})) as hub:
            monkeypatch.setenv("HF_ENDPOINT", hub.url)
            said = fine(written, "plan", NAME, "--no-data", "model={name_or_path: someone/model}")
            assert "after the download" in said.out and "not here yet" in said.out and hub.requests == []


@pytest.mark.parametrize("name", ["experiments", "data", "checkpoints", "data/processed"])
def test_a_file_where_a_folder_is_expected(written: Path, name: str) -> None:
    (written / name).parent.mkdir(exist_ok=True)
    write(written, name, "mine")
    refused(cli(written, "run", NAME), Path(name).name)
    assert (written / name).read_text(encoding="utf-8") == "mine"


@pytest.fixture
def locked_down() -> "object":
    """A workspace that the user may read, not write; root is somebody else meanwhile."""
    with tempfile.TemporaryDirectory() as place:
        root = make_workspace(Path(place) / "lab")
        fine(root, "--version")
        for folder in (Path(place), *[d for d in root.rglob("*") if d.is_dir()], root):
            folder.chmod(0o555)
        yield root
        for folder in (Path(place), root, *[d for d in root.rglob("*") if d.is_dir()]):
            folder.chmod(0o755)


@pytest.mark.parametrize("words", [("run", NAME), ("data", "preprocess", NAME), ("init",)])
def test_a_workspace_that_cannot_be_written(done: Path, locked_down: Path, words: tuple[str, ...]) -> None:
    nobody: Callable[[int], None] = os.seteuid
    before = files_below(locked_down)
    root = os.geteuid() == 0
    if root:
        nobody(65534)
    try:
        said = cli(locked_down, *words)
    finally:
        if root:
            nobody(0)
    refused(said, "Permission denied")
    assert files_below(locked_down) == before


def test_output_dir_that_holds_files_of_the_user(written: Path) -> None:
    """Told before anything is trained for hours."""
    (written / "results").mkdir()
    write(written, "results/thesis.txt", "years of work")
    said = cli(written, "run", NAME, "output_dir=results")
    refused(said, "thesis.txt")
    assert "▶ train" not in said.out
    assert files_below(written / "results") == {"thesis.txt": b"years of work"}
