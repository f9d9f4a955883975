"""How far evidence was sent, and what of it belongs there."""

from pathlib import Path

from dadeum.track.position import (
    Position,
    Tail,
    file_of,
    files_of,
    numbers,
    point_of,
    positions,
    read_position,
    scores,
    started_at,
    tracked_runs,
    unsent,
)
from tests.track.support import RUN, begin, lines, make_evidence, write_lines


def test_what_is_sent_and_what_stays(tmp_path: Path) -> None:
    evidence = make_evidence(tmp_path, lines(1))
    for name in (".hidden", "tensorboard/events", "track/x.json", "report.html", "evaluation/tasks/a/base.json"):
        (evidence / name).parent.mkdir(parents=True, exist_ok=True)
        (evidence / name).write_text("{}", encoding="utf-8")
    (evidence / "link.json").symlink_to("/etc/hostname")
    assert [name for name, _, _ in files_of(evidence)] == [
        "config.yaml", "evaluation/comparison.json", "evaluation/tasks/a/base.json", "report.html", "training_stats.json",
    ]  # fmt: skip


def test_a_file_that_changed_is_sent_again(tmp_path: Path) -> None:
    evidence = make_evidence(tmp_path, lines(1, 2, 3))
    position = begin(evidence)
    assert unsent(evidence, position) == (4, 3)
    position.files = {name: stamp for name, _, stamp in files_of(evidence)}
    position.training = position.validation = 3
    assert unsent(evidence, position) == (0, 0)
    (evidence / "config.yaml").write_text("name: other\n", encoding="utf-8")
    write_lines(evidence, lines(4), mode="a")
    assert unsent(evidence, position) == (1, 1)


def test_it_survives_and_a_damaged_one_is_none(tmp_path: Path) -> None:
    evidence = make_evidence(tmp_path, [])
    position = Position({"type": "mlflow", "uri": None}, "here", {"run": "7"}, 4, 2)
    position.write(evidence)
    assert read_position(evidence, "mlflow") == position and positions(evidence) == [position]
    assert tracked_runs(tmp_path) == [evidence]
    file_of(evidence, "mlflow").write_text('{"settings": {', encoding="utf-8")
    assert read_position(evidence, "mlflow") is None and positions(evidence) == []
    position.forget()
    assert (position.training, position.validation, position.memory) == (-1, -1, {"run": "7"})


def test_lines_come_in_parts_and_only_whole(tmp_path: Path) -> None:
    evidence = make_evidence(tmp_path, lines(*range(1, 451), every=1000))
    tail = Tail(evidence / "metrics.jsonl")
    assert [len(tail.read()) for _ in range(4)] == [200, 200, 50, 0] and tail.ended
    with tail.path.open("a", encoding="utf-8") as file:
        file.write('{"step": 451')
    assert tail.read() == [] and tail.ended
    with tail.path.open("a", encoding="utf-8") as file:
        file.write("}\n")
    assert not tail.ended and tail.read() == [{"step": 451}]
    assert Tail(evidence / "nowhere").read() == [] and Tail(evidence / "nowhere").ended


def test_points() -> None:
    assert numbers({"step": 1, "time": 2.0, "a": 1, "b": None, "c": "x", "d": True, "e": float("inf"), "f": 0.5}) == {
        "a": 1.0,
        "f": 0.5,
    }
    assert point_of({"step": 3, "loss": 1, "time": 7.5}, 100.0) == (3, 7.5, {"loss": 1.0})
    assert point_of({"step": 3, "loss": 1}, 100.0) == (3, 103.0, {"loss": 1.0})  # the same whenever it is sent
    assert started_at(RUN) == started_at(f"{RUN}-2") > 0 and started_at("other") == 0.0


def test_scores_of_a_comparison_that_is_damaged(tmp_path: Path) -> None:
    evidence = make_evidence(tmp_path, [])
    assert scores(evidence) == {"evaluation/base/rougeL": 0.1, "evaluation/tuned/rougeL": 0.25}
    for text in ("{", "[]", '{"metrics": 3}', '{"metrics": [{"name": "a"}]}'):
        (evidence / "evaluation/comparison.json").write_text(text, encoding="utf-8")
        assert scores(evidence) == {}
