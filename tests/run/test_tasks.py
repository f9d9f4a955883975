"""The tasks of an experiment: what its scores are made from, taken over, and shown."""

from pathlib import Path

from dadeum.core.artifact import read_json
from dadeum.core.progress import Silent
from dadeum.core.workspace import Workspace
from dadeum.run.stages import make_plan
from dadeum.run.tasks import beside_of, fetch_tasks, measured_with, task_facts, tasks_of
from tests.evaluate.judge_server import Judge, judging
from tests.evaluate.tasks import workspace_with_tasks
from tests.run.lab import NAME, cli, copy, fine, inside, open_lab, runs_of

MINE = "configs/tasks/mine.yaml"


def test_they_are_part_of_what_scores_are_made_from(written: Path) -> None:
    workspace_with_tasks(written / "elsewhere")
    (written / "configs/tasks").mkdir()
    for name in ("rows.jsonl", MINE):
        (written / name).write_bytes((written / "elsewhere" / name).read_bytes())

    def prints() -> dict[str, str]:
        with inside(written):
            plan = make_plan(open_lab(NAME, [f"evaluate.tasks=[general-text, {MINE}]"]))
        return {step.name: step.fingerprint for step in plan.steps}

    first = prints()
    with (written / MINE).open("a", encoding="utf-8") as file:
        file.write("# more\n")
    changed = {name for name, found in prints().items() if found != first[name]}
    assert changed - {"report"} == {"eval base", "eval tuned", "compare"}


def test_a_typo_is_told_before_anything_is_made(written: Path) -> None:
    said = cli(written, "plan", NAME, "evaluate.tasks=[general-txt]")
    assert said.code == 2 and "did you mean 'general-text'" in said.errors[0]


def test_what_a_metric_reads_is_part_of_what_its_scores_are_made_from(written: Path) -> None:
    encoder, baselines = written / "encoder", written / "baselines.csv"
    encoder.mkdir()
    bertscore = f"evaluate.metrics=[{{type: bertscore, model: {encoder}, rescale: {baselines}}}]"

    def found() -> dict[str, str | None]:
        with inside(written):
            return measured_with(open_lab(NAME, [bertscore]).experiment, Workspace.here())

    names = {f"bertscore: {encoder}", f"bertscore: {baselines}"}
    nothing = found()
    assert names | {"torchmetrics version"} == set(nothing) and {nothing[name] for name in names} == {None}
    baselines.write_text("LAYER,P,R,F\n")
    (encoder / "config.json").write_text("{}")
    first = found()
    (encoder / "model.safetensors").write_bytes(b"weights")
    second = found()
    assert all(first[name] for name in names) and {n for n in names if first[n] != second[n]} == {
        f"bertscore: {encoder}"
    }


def test_an_experiment_with_a_head_has_none(written: Path) -> None:
    with inside(written):
        plain = open_lab(NAME, []).experiment
        headed = open_lab(NAME, ["head={type: regression}", "train.objective=head"]).experiment
        here = Workspace.here()
        assert [t.name for t in tasks_of(plain, here)] == ["general-text"] and tasks_of(headed, here) == []
        assert list(task_facts(plain, here)) == ["task general-text"] and task_facts(headed, here) == {}
        assert len(beside_of(headed, here).tasks) == 1  # it is told that these are not asked
        assert fetch_tasks(plain, here, Silent()) == []


def test_the_bases_scores_are_taken_over_and_both_stand_in_the_comparison(done: Path, tmp_path: Path) -> None:
    root = copy(done, tmp_path / "again")
    fine(root, "run", NAME, "train.learning_rate=0.02", "export=[]")
    first, second = runs_of(root)
    for kind in ("base", "tuned"):
        assert (first.evaluation / f"tasks/general-text/{kind}.json").is_file()
    taken = second.evaluation / "tasks/general-text/base.json"
    assert taken.read_bytes() == (first.evaluation / "tasks/general-text/base.json").read_bytes()
    rows = read_json(second.evaluation / "comparison.json")["tasks"]
    assert [(row["task"], row["metric"]) for row in rows] == [
        ("general-text", "bits_per_byte"),
        ("general-text", "perplexity"),
    ]
    assert all(row["interval"] and row["n"] == 60 for row in rows)


def test_a_judge_is_asked_in_the_comparison_alone(ran: Path) -> None:
    """Another judge makes no score stale; what it said stands in the comparison."""
    with judging(Judge(lambda one, two: '{"better": "tie"}')) as server:
        judge = f"evaluate.judge={{base_url: '{server.url}', model: j, retries: 0}}"
        with inside(ran):
            plan = make_plan(open_lab(NAME, [judge]))
        stale = [step.name for step in plan.steps if not step.fresh]
        assert stale[0] == "compare" and not {"eval base", "train", "eval tuned"} & set(stale)
        said = fine(ran, "run", NAME, judge).out
    assert "Judge j: answers against those of base" in said and "0/4/0" in said
    (run,) = runs_of(ran)
    found = read_json(run.evaluation / "comparison.json")["judge"]
    assert found["models"]["tuned"]["win_rate"] == 0.5 and (run.evaluation / "judge.jsonl").is_file()
