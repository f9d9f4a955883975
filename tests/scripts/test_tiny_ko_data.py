"""What tiny-ko is trained on, from a small copy of the three sources."""

import csv
import gzip
import hashlib
import unicodedata
from pathlib import Path

import pytest
from transformers import AutoTokenizer

from dadeum.core.workspace import Workspace
from dadeum.data.render import Renderer
from dadeum.data.sources import Row, text
from dadeum.tokenizer.load import load_tokenizer
from scripts import tiny_ko_data

FILES = (
    *("tiny_ko_train.txt", "tiny_ko_chat.csv", "tiny_ko_recall.txt", "tiny_ko_recall.csv"),
    *("tiny_ko_samples.txt", "tiny_ko_heldout.txt", "tiny_ko_kept_out.txt"),
)
LAW = ("전세권이란 무엇인가요?", "전세금을 내고 부동산을 쓰는 권리입니다.")


def write_rows(path: Path, *rows: tuple[str, ...], bom: bool = False) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8-sig" if bom else "utf-8", newline="") as file:
        csv.writer(file).writerows(rows)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    reviews = [review(n) for n in range(200)]
    reviews += [reviews[0], LAW[1], "  "]
    (folder / "ko_text").mkdir(parents=True)
    with gzip.open(folder / tiny_ko_data.REVIEWS, "wt", encoding="utf-8") as file:
        file.write("".join(f"{line}\n" for line in reviews))
    pairs = [(f"{n}번 질문이 뭐야?", f"{n}번 답이에요.", "0") for n in range(60)]
    write_rows(folder / tiny_ko_data.PAIRS, ("Q", "A", "label"), *pairs, (*LAW, "0"))
    # A question of the pairs again, decomposed and with other blanks: a twin, wherever it is held out.
    # Every other one is another wording, marked 0.
    twins = [
        (str(n), "1", "2", unicodedata.normalize("NFD", f"{n}번  질문이 뭐야?"), f"물음 {n}?", str(n % 2))
        for n in range(60)
    ]
    head = ("id", "qid1", "qid2", "question1", "question2", "is_duplicate")
    write_rows(folder / tiny_ko_data.QUESTIONS, head, *twins, bom=True)
    write_rows(folder / tiny_ko_data.TEST_ROWS, ("question", "answer", "category"), (*LAW, "전세"))
    return folder


def made(data: Path, raw: Path, *more: Path) -> Path:
    tiny_ko_data.make(data, raw, more, count=40, size=300)
    return raw


def read(path: Path) -> list[str]:
    settings = text.Settings(path=str(path))
    rows = text.read(settings, text.files(settings, Workspace(path.parent)))
    return [row.values["text"] for row in rows if isinstance(row, Row)]


def plain(written: str) -> str:
    return " ".join(unicodedata.normalize("NFC", written).casefold().split())


def test_what_is_held_out_or_tests_later_is_not_trained(data: Path, tmp_path: Path) -> None:
    raw = made(data, tmp_path / "raw")
    held = read(raw / "tiny_ko_heldout.txt")
    assert len(held) == 40
    lines = {plain(line) for sample in read(raw / "tiny_ko_train.txt") for line in sample.split("\n")}
    lines |= {plain(side) for pair in chats(raw) for side in pair}
    forbidden = {plain(sample.split("\n")[0]) for sample in held} | {plain(side) for side in LAW}
    assert not lines & forbidden
    assert any("\n" in sample for sample in held), "no pair was held out, so the twins were not tried"


def review(n: int) -> str:
    return f"영화 {n}번은 정말 재미있고 배우 연기가 좋아요 \\{n}"


def chats(raw: Path, name: str = "tiny_ko_chat.csv") -> list[tuple[str, str]]:
    with (raw / name).open(encoding="utf-8") as file:
        return [(row["question"], row["answer"]) for row in csv.DictReader(file)]


def test_every_other_sample_is_trained_and_comes_back_as_it_was(data: Path, tmp_path: Path) -> None:
    raw = made(data, tmp_path / "raw")
    samples, held = read(raw / "tiny_ko_samples.txt"), read(raw / "tiny_ko_heldout.txt")
    assert sorted(s for s in [*samples, *held] if s.startswith("영화")) == sorted(map(review, range(200)))
    lines = {line for sample in read(raw / "tiny_ko_train.txt") for line in sample.split("\n")}
    assert {s for s in samples if s.startswith("영화")} == {
        line for line in [*lines, *(answer for _, answer in chats(raw))] if line.startswith("영화")
    }


def test_some_reviews_of_a_joined_text_come_again(data: Path, tmp_path: Path) -> None:
    texts = read(made(data, tmp_path / "raw") / "tiny_ko_train.txt")
    joined = [text.split("\n") for text in texts if text.count("\n") == tiny_ko_data.JOINED + tiny_ko_data.AGAIN - 1]
    assert joined
    for lines in joined:
        first, again = lines[: tiny_ko_data.JOINED], lines[tiny_ko_data.JOINED :]
        assert len(set(first)) == len(first)
        assert len(set(again)) == len(again) and set(again) <= set(first)


def test_conversations_are_pairs_other_wordings_and_beginnings(data: Path, tmp_path: Path) -> None:
    raw = made(data, tmp_path / "raw")
    samples = {plain(s) for s in read(raw / "tiny_ko_samples.txt")}
    begun = [(question, answer) for question, answer in chats(raw) if answer.startswith("영화")]
    assert begun and all(answer.startswith(f"{question} ") and plain(answer) in samples for question, answer in begun)
    rest = [(question, answer) for question, answer in chats(raw) if not answer.startswith("영화")]
    wordings = [
        (question, answer) for question, answer in rest if answer.startswith("물음") and "질문" in plain(question)
    ]
    assert wordings and all(int(answer.removeprefix("물음 ").rstrip("?")) % 2 == 0 for _, answer in wordings)
    assert all(plain(f"{question}\n{answer}") in samples for question, answer in rest if "답" in answer)


def test_the_second_part_gives_reviews_back_and_holds_samples_alone(data: Path, tmp_path: Path) -> None:
    raw = made(data, tmp_path / "raw")
    samples = set(read(raw / "tiny_ko_samples.txt"))
    recalled = chats(raw, "tiny_ko_recall.csv")
    echoed = [question for question, answer in recalled if question == answer]
    pairs = [f"{question}\n{answer}" for question, answer in recalled if question != answer]
    again = read(raw / "tiny_ko_recall.txt")
    assert echoed and pairs and set(echoed) <= samples and set(pairs) <= samples
    assert set(again) <= samples and set(pairs) < set(again) and not set(again) & set(echoed)


def test_the_list_names_the_hash_of_each_text_that_is_kept_out(data: Path, tmp_path: Path) -> None:
    more = tmp_path / "more.csv"
    write_rows(more, ("question", "answer"), ("더 있는  질문", "더 있는 답"))
    raw = made(data, tmp_path / "raw", more)
    listed = dict(line.split("\t") for line in (raw / "tiny_ko_kept_out.txt").read_text(encoding="utf-8").splitlines())
    for written, place in (("더 있는 질문", "more.csv"), (LAW[0], "civil_law_qa_dataset.csv")):
        assert listed[hashlib.sha256(written.encode()).hexdigest()] == place
    assert "civil_law_qa_test.csv" in listed.values()


def test_the_same_files_give_the_same_bytes(data: Path, tmp_path: Path) -> None:
    first, second = made(data, tmp_path / "a"), made(data, tmp_path / "b")
    for name in (*FILES, "tiny_ko_tokenizer/tokenizer.json", "tiny_ko_tokenizer/tokenizer_config.json"):
        assert (first / name).read_bytes() == (second / name).read_bytes(), name


def test_the_tokenizer_loads_everywhere_and_loses_nothing(data: Path, tmp_path: Path) -> None:
    folder = made(data, tmp_path / "raw") / "tiny_ko_tokenizer"
    ours, theirs = load_tokenizer(folder), AutoTokenizer.from_pretrained(str(folder))
    written = "제303조 전세권 😀\n  둘째 줄  ㄱㄴ\té"
    ids = ours(written)["input_ids"]
    assert theirs(written)["input_ids"] == ids
    assert ours.decode(ids[1:]) == written
    assert ids[0] == ours.bos_token_id == ours.eos_token_id
    assert len(ours) == 300
    digits = [token for token in ours.get_vocab() if token.isdigit()]
    assert max(map(len, digits)) == 1


def test_a_conversation_begins_as_plain_text_does_and_ends_at_its_turn(data: Path, tmp_path: Path) -> None:
    tokenizer = load_tokenizer(made(data, tmp_path / "raw") / "tiny_ko_tokenizer")
    renderer = Renderer(tokenizer)
    question = [{"role": "user", "content": "안녕?"}]
    assert renderer.text(question, add_generation_prompt=True) == (
        "<|endoftext|><|im_start|>user\n안녕?<|im_end|>\n<|im_start|>assistant\n"
    )
    assert renderer.prompt_ids(question)[:2] == [tokenizer.eos_token_id, 1]
    assert set(renderer.stop_ids) == {tokenizer.eos_token_id, tokenizer.convert_tokens_to_ids("<|im_end|>")}


def test_without_the_data_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("DADEUM_DATA", raising=False)
    assert tiny_ko_data.main([str(tmp_path)]) == 2
    assert "DADEUM_DATA" in capsys.readouterr().err
