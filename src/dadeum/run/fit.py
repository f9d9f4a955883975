"""Choices that cannot go together, found before data are made and weights are read."""

from typing import Any

from dadeum.config.experiment import Experiment
from dadeum.core.errors import ConfigError
from dadeum.core.language import say
from dadeum.core.settings import MemberSettings
from dadeum.model import quantize
from dadeum.model.adapters import ADAPTERS, Beside, NeedsWeights, refuse
from dadeum.model.heads import parts
from dadeum.run.purpose import objective_of
from dadeum.run.stages import Lab, Plan
from dadeum.train.objectives import OBJECTIVES


def go_together(experiment: Experiment) -> None:
    """Raises ModelError where the adapter does not go with choices of other sections, MissingExtra where one is lacking.

    Raises ConfigError where the objective needs another adapter.
    """
    quantize.refuse(experiment.model, experiment.adapter)
    refuse(
        experiment.adapter,
        Beside(
            packing=experiment.data.packing,
            gradient_checkpointing=experiment.train.gradient_checkpointing,
            bits=experiment.model.quantization.bits if experiment.model.quantization else 0,
        ),
    )
    objective = objective_of(experiment)
    member = OBJECTIVES.of(objective)
    if hasattr(member, "refuse"):
        member.refuse(objective, experiment.adapter)


def fits(lab: Lab, plan: Plan) -> None:
    """Raises ModelError where the adapter does not go with the other choices, or not onto the model. Reads no weights.

    Raises TrainError where this machine cannot compute in `train.precision`.
    """
    import torch

    from dadeum.generate.place import default_device
    from dadeum.train.precision import resolve

    experiment = lab.experiment
    go_together(experiment)
    resolve(experiment.train.precision, torch.device(default_device()))
    _teacher_fits(experiment, plan)
    model = experiment.model
    source: Any = model.config if model.init == "random" and model.config else plan.places.model
    if source is None:
        return
    from dadeum.model.count import adapt, on_meta
    from dadeum.model.headed import without_output
    from dadeum.model.new_rows import rows_of

    try:
        made = on_meta(source, trusted=model.trust_remote_code)
        if parts(experiment.head):
            without_output(made)
        # Which ids the new tokens get is not known yet; any that have no row will do.
        new = range(rows_of(made), rows_of(made) + len(experiment.tokenizer.new_tokens))
        adapt(experiment.adapter, made, new_tokens=new, untied=model.untie_embeddings)
    except NeedsWeights:
        return


def _teacher_fits(experiment: Experiment, plan: Plan) -> None:
    """Raises ModelError where a teacher that is here does not go with the model's tokenizer."""
    place, tokenizer = plan.places.teacher, plan.places.tokenizer
    if place is None or tokenizer is None:
        return
    from dadeum.tokenizer.load import load_tokenizer

    objective = experiment.train.objective
    known = load_tokenizer(tokenizer, known=True, new_tokens=tuple(experiment.tokenizer.new_tokens))
    OBJECTIVES.of(objective).fits(objective, known, place)


def mergeable(adapter: MemberSettings, target: str) -> None:
    """Raises ConfigError for a target that needs a whole model, of an adapter that cannot become one."""
    member = ADAPTERS.of(adapter)
    if not member.freezes_base or member.mergeable(adapter):
        return
    kind = getattr(adapter, "peft_type", adapter.type)
    raise ConfigError(
        say(
            f"export: found '{target}', which is a whole model, but adapter '{kind}' with these settings cannot be merged into "
            "its base; set export to [] (the adapter itself is the result, in final/)",
            f"export: '{target}'은(는) 온전한 모델인데, 이 설정의 '{kind}' 어댑터는 기본 모델에 병합할 수 없습니다. "
            "export를 []로 하세요(결과는 final/의 어댑터입니다)",
        )
    )
