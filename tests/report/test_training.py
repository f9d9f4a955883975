"""Curves and what they come to."""

import json
from pathlib import Path

from dadeum.report.blocks import Facts, Figure, Section, Text
from dadeum.report.evidence import gather
from dadeum.report.training import training
from tests.report.made_up import lines, run, whole


def facts(section: Section) -> dict[str, str]:
    return dict(pair for block in section.blocks if isinstance(block, Facts) for pair in block.pairs)


def names(section: Section) -> list[str]:
    return [block.name for block in section.blocks if isinstance(block, Figure)]


def texts(section: Section) -> str:
    return "\n".join(block.text for block in section.blocks if isinstance(block, Text))


def test_every_curve_of_a_run(tmp_path: Path) -> None:
    section = training(gather(whole(tmp_path)))
    assert names(section) == ["loss", "learning_rate", "grad_norm", "tokens_per_second", "memory"]
    assert facts(section) == {
        "loss": "4 → 0.2",
        "validation loss": "0.5",
        "gradient norm": "at most 1, at step 1",
        "memory": "at most 1.0 GB",
    }
    loss = next(block for block in section.blocks if isinstance(block, Figure))
    assert loss.legend == ((0, "training"), (1, "validation"))


def test_a_validation_loss_that_rose_again_is_said(tmp_path: Path) -> None:
    rows = [{"step": step, "loss": 1.0, "validation_loss": value} for step, value in ((1, 3.0), (2, 1.5), (3, 2.5))]
    section = training(gather(run(tmp_path, {"metrics.jsonl": "".join(json.dumps(row) + "\n" for row in rows)})))
    assert facts(section)["validation loss"] == "2.5; best 1.5 at step 2, and higher since: it began to learn by heart"


def test_without_validation_without_curves_with_one_point(tmp_path: Path) -> None:
    row = '{"step": 1, "loss": 2.0}\n'
    assert "No curves" in texts(training(gather(run(tmp_path))))
    found = training(gather(run(tmp_path, {"metrics.jsonl": row})))
    assert "the data have no validation part" in texts(found) and "measured once" in texts(found) and not names(found)
    evidence = gather(run(tmp_path, {"metrics.jsonl": row * 2}))
    evidence.statistics = {"parts": {"validation": {"rows": 3}}}
    assert "not measured yet" in texts(training(evidence))


def test_what_the_objective_shows_is_drawn_too(tmp_path: Path) -> None:
    rows = [{"step": step, "loss": 1.0, "rewards/<b>": step} for step in (1, 2)]
    section = training(gather(run(tmp_path, {"metrics.jsonl": "".join(json.dumps(row) + "\n" for row in rows)})))
    assert names(section) == ["loss", "other0"]


def test_a_spike_of_one_step_in_many_is_in_the_picture(tmp_path: Path) -> None:
    text = (
        lines(3000)
        + '{"step": 3001, "loss": 1, "grad_norm": 12345.0}\n'
        + "".join(json.dumps({"step": step, "grad_norm": 1.0}) + "\n" for step in range(3002, 6000))
    )
    section = training(gather(run(tmp_path, {"metrics.jsonl": text})))
    assert facts(section)["gradient norm"].startswith("at most 1.234e+04, at step 3,001")
    (norm,) = (block for block in section.blocks if isinstance(block, Figure) and block.name == "grad_norm")
    assert "logarithmic" in norm.title
    from xml.etree import ElementTree

    paths = [
        node.attrib["d"]
        for node in ElementTree.fromstring(norm.svg).iter()
        if "var(--p4)" in node.attrib.get("style", "")
    ]
    heights = [float(pair.split()[-1]) for pair in paths[0].replace("M", "L").split("L") if pair.strip()]
    assert min(heights) < 0.5 * max(heights), "the peak stands high above the rest"
