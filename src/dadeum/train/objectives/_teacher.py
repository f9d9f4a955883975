"""The teacher of a distillation: asked anew at each step, or once for its most likely tokens, which stay with the run.

    <checkpoints>/teacher/   train-00000.safetensors …  validation-00000.safetensors …  starts.safetensors

A shard holds for each trained token of some rows `ids` and `values` (log-probabilities, n × k) and `rest`; a resumed run reads
them, and needs no teacher.
"""

import gc
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from dadeum.core.artifact import damage, read_manifest, writing
from dadeum.core.errors import ConfigError, ModelError, TrainError
from dadeum.core.fingerprint import fingerprint
from dadeum.core.language import say
from dadeum.model.files import is_adapter

if TYPE_CHECKING:
    import numpy as np
    import torch
    from torch import Tensor, nn

    from dadeum.model.divergence import Teaching
    from dadeum.train.loop import Loop, Rows

FOLDER = "teacher"
TEACHER = "train.objective.teacher_model_name_or_path"
# Tokens of a batch that the teacher reads alone, and elements of its logits: 256 MB of float32.
TOKENS, LOGITS = 2048, 1 << 26
SHARD = 1 << 26  # bytes, about


class Wanted(NamedTuple):
    """The settings of an objective that concern its teacher."""

    dtype: str
    trusted: bool
    temperature: float
    top_k: int | None


def refuse_place(place: Path) -> None:
    """Raises ModelError where the folder is no whole model."""
    if is_adapter(place):
        raise ModelError(
            say(
                f"{TEACHER}: {place} is an adapter, expected a whole model; export it and name its folder merged/",
                f"{TEACHER}: {place}은(는) 어댑터입니다. 온전한 모델이어야 하니 export한 merged/ 폴더를 쓰세요",
            )
        )


def refuse_vocabulary(tokenizer: Any, place: Path) -> None:
    """Raises ModelError where the teacher's tokenizer gives other ids than the model's `tokenizer`."""
    from dadeum.tokenizer.load import load_tokenizer
    from dadeum.tokenizer.same import difference

    names = say("the model's", "모델"), say("the teacher's", "교사 모델")
    found = difference(tokenizer, load_tokenizer(place, known=True), names)
    if found is not None:
        raise ModelError(
            say(
                f"{TEACHER}: {place} has another vocabulary than the model ({found}); take a teacher with the model's tokenizer",
                f"{TEACHER}: {place}의 어휘가 모델과 다릅니다({found}). 모델과 토크나이저가 같은 교사 모델을 쓰세요",
            )
        )


class Asked:
    """A teacher in evaluation mode, without gradients, that reads each batch before the model learns from it."""

    def __init__(self, model: "nn.Module") -> None:
        self.model = model

    def tensors(self, rows: "np.ndarray[Any, Any]", source: "Rows") -> "Mapping[str, Tensor]":
        """Nothing is known of rows before they are read."""
        return {}

    def teaching(self, batch: "Mapping[str, Tensor]") -> "Teaching":
        """What it says before each trained token, in its own type whatever the arithmetic of the training."""
        import torch

        from dadeum.model.divergence import Teaching
        from dadeum.model.nll import token_logits

        with torch.no_grad(), torch.autocast(batch["input_ids"].device.type, enabled=False):
            return Teaching(token_logits(self.model, batch).logits)


class Stored:
    """The most likely tokens of a teacher that is gone."""

    def __init__(self, folder: Path, sources: "Mapping[str, Rows]") -> None:
        from safetensors.torch import load_file

        self.folder, self.sources = folder, sources
        self.starts = {part: at.numpy() for part, at in load_file(folder / "starts.safetensors").items()}
        self.width = int(self.starts.pop("width"))
        self._open: dict[str, Any] = {}

    def tensors(self, rows: "np.ndarray[Any, Any]", source: "Rows") -> "Mapping[str, Tensor]":
        """What was said before each trained token of these rows, in their order."""
        import torch

        part = next(name for name, of in self.sources.items() if of is source)
        found = [self._row(part, int(row)) for row in rows]
        return {f"teacher_{name}": torch.cat([row[name] for row in found]) for name in found[0]}

    def _row(self, part: str, row: int) -> "dict[str, Tensor]":
        import numpy as np
        from safetensors import safe_open

        firsts = self.starts[f"{part}.shards"]
        shard = int(np.searchsorted(firsts, row, side="right")) - 1
        name = f"{part}-{shard:05d}.safetensors"
        if name not in self._open:
            self._open[name] = safe_open(self.folder / name, framework="pt")
        starts = self.starts[part]
        begin = int(starts[firsts[shard]])
        cut = slice(int(starts[row]) - begin, int(starts[row + 1]) - begin)
        return {key: self._open[name].get_slice(key)[cut] for key in ("ids", "values", "rest")}

    def teaching(self, batch: "Mapping[str, Tensor]") -> "Teaching":
        """What was laid beside the batch."""
        from dadeum.model.divergence import Teaching

        return Teaching(batch["teacher_values"], batch["teacher_ids"].long(), batch["teacher_rest"], self.width)


def prepare(wanted: Wanted, loop: "Loop") -> Asked | Stored:
    """The teacher of a training. Raises ModelError and TrainError where it does not go with the model or the rows."""
    if wanted.top_k is None:
        return Asked(_loaded(wanted, loop))
    sources = {"train": loop.samples}
    if len(loop.validation_samples):
        sources["validation"] = loop.validation_samples
    folder = loop.job.checkpoints / FOLDER
    facts = {"run": loop.job.fingerprint, "data": loop.conditions["data"], "k": wanted.top_k, "T": wanted.temperature}
    mark = fingerprint(facts, {part: len(rows) for part, rows in sources.items()})
    if loop.processes.main and not _whole(folder, mark):
        _write(wanted, loop, sources, folder, mark)
    loop.processes.wait()
    return Stored(folder, sources)


def _whole(folder: Path, mark: str) -> bool:
    manifest = read_manifest(folder)
    return manifest is not None and manifest.fingerprint == mark and damage(folder, manifest) is None


def _loaded(wanted: Wanted, loop: "Loop") -> "nn.Module":
    """The teacher on the device, frozen, after it was held against the model's tokenizer and the rows."""
    from dadeum.data.contract import open_prompt
    from dadeum.model.configuration import check_vocabulary
    from dadeum.model.few_bits import held_bytes
    from dadeum.model.load import load_for_inference
    from dadeum.model.new_rows import rows_of
    from dadeum.train.memory import sized
    from dadeum.train.weights import PROMPT

    place = loop.job.teacher_place
    if place is None:
        raise ConfigError(say(f"{TEACHER}: is not there", f"{TEACHER}: 없습니다"))
    refuse_place(place)
    tokenizer, _ = open_prompt(loop.job.formatted / PROMPT)
    refuse_vocabulary(tokenizer, place)
    model = load_for_inference(place, device=loop.processes.device, dtype=wanted.dtype, trusted=wanted.trusted)
    check_vocabulary(rows_of(model), tokenizer)
    model.requires_grad_(False)
    _fits(loop, model)
    size = sized(held_bytes(model))
    loop.reporter.note(say(f"the teacher takes {size} of memory", f"교사 모델이 메모리 {size}를 씁니다"))
    return model


def _fits(loop: "Loop", model: Any) -> None:
    """Raises TrainError where samples have more places than the teacher, or would change how it reads others."""
    from dadeum.model.configuration import rotation_limit

    longest = max(int(loop.samples.longest), int(loop.validation_samples.longest))
    limit = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    if isinstance(limit, int) and longest > limit:
        raise TrainError(
            say(
                f"data.max_length: the longest sample has {longest} tokens, but the teacher has only {limit} positions; "
                f"set data.max_length to at most {limit}",
                f"data.max_length: 가장 긴 샘플이 토큰 {longest}개인데 교사 모델의 위치는 {limit}개뿐입니다. "
                f"data.max_length를 {limit} 이하로 하세요",
            )
        )
    turns = rotation_limit(model.config)
    alone = not loop.job.packing and loop.job.train.per_device_train_batch_size == 1
    if turns is not None and longest > turns and not alone:
        raise TrainError(
            say(
                f"data.max_length: the longest sample has {longest} tokens, and past {turns} the teacher rotates all samples of a "
                f"batch otherwise; set data.max_length to at most {turns}, or data.packing to false and "
                "train.per_device_train_batch_size to 1",
                f"data.max_length: 가장 긴 샘플이 토큰 {longest}개인데, {turns}개를 넘으면 교사 모델은 배치의 모든 샘플을 다르게 "
                f"회전합니다. data.max_length를 {turns} 이하로 하거나, data.packing을 false로, "
                "train.per_device_train_batch_size를 1로 하세요",
            )
        )


def _trained(rows: "Rows") -> "np.ndarray[Any, Any]":
    """Of each row where its trained tokens begin among those of all, and behind the last their number."""
    import numpy as np

    counts = [np.count_nonzero(rows[i].weights[1:] > 0) for i in range(len(rows))]
    return np.concatenate([[0], np.cumsum(counts, dtype=np.int64)]).astype(np.int64)


def _write(wanted: Wanted, loop: "Loop", sources: "Mapping[str, Rows]", folder: Path, mark: str) -> None:
    """Ask the teacher once, and let it go."""
    import torch
    from safetensors.torch import save_file

    from dadeum.model.new_rows import rows_of
    from dadeum.train import rng
    from dadeum.train.state import not_written

    assert wanted.top_k is not None
    starts = {part: _trained(rows) for part, rows in sources.items()}
    total = sum(int(at[-1]) for at in starts.values())
    _room(loop, total * (8 * wanted.top_k + 4))
    with rng.unchanged():
        teacher = Asked(_loaded(wanted, loop))
        try:
            with writing(folder, kind=FOLDER, fingerprint=mark, made_from=loop.conditions, points=FOLDER) as aside:
                index = {part: torch.from_numpy(at) for part, at in starts.items()}
                width = min(rows_of(loop.module), rows_of(teacher.model))
                index["width"] = torch.tensor(width)
                for part, rows in sources.items():
                    loop.reporter.start(say(f"teacher: {part}", f"교사 모델: {part}"), len(rows), say("rows", "행"))
                    firsts = []
                    for number, (first, tensors) in enumerate(_shards(wanted, loop, teacher, rows, width)):
                        save_file(tensors, aside / f"{part}-{number:05d}.safetensors")
                        firsts.append(first)
                    index[f"{part}.shards"] = torch.tensor(firsts, dtype=torch.int64)
                save_file(index, aside / "starts.safetensors")
        except OSError as error:
            raise not_written(folder, error) from None
    del teacher
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def _shards(
    wanted: Wanted, loop: "Loop", teacher: Asked, rows: "Rows", width: int
) -> "Iterator[tuple[int, dict[str, torch.Tensor]]]":
    """Of some rows at a time the first, and what the teacher says of them all."""
    import torch

    from dadeum.model.divergence import most_likely

    assert wanted.top_k is not None
    first, done, size = 0, 0, 0
    kept: list[dict[str, torch.Tensor]] = []
    for chosen in _batches(loop, teacher.model, rows):
        batch = {k: v.to(loop.processes.device) for k, v in loop.lay_out(chosen, rows).tensors.items()}
        known = most_likely(teacher.teaching(batch).values, wanted.top_k, wanted.temperature, width)
        assert known.ids is not None and known.rest is not None
        found = {"ids": known.ids.int(), "values": known.values, "rest": known.rest}
        kept.append({key: value.cpu() for key, value in found.items()})
        done, size = done + len(chosen), size + sum(value.nbytes for value in kept[-1].values())
        loop.reporter.advance(done)
        if size >= SHARD or done == len(rows):
            yield first, {key: torch.cat([part[key] for part in kept]).contiguous() for key in found}
            first, size, kept = done, 0, []


def _batches(loop: "Loop", model: Any, rows: "Rows") -> "Iterator[np.ndarray[Any, Any]]":
    """Rows in their order, as many as the teacher reads at once; one by one where they would change each other's rotations."""
    import numpy as np

    from dadeum.model.configuration import rotation_limit
    from dadeum.model.new_rows import rows_of

    most = 1 if rotation_limit(model.config) is not None else min(TOKENS, LOGITS // rows_of(model))
    lengths = np.asarray(rows.lengths)
    at = 0
    while at < len(lengths):
        end = at + 1
        while end < len(lengths) and int(lengths[at : end + 1].max()) * (end + 1 - at) <= most:
            end += 1
        yield np.arange(at, end)
        at = end


def _room(loop: "Loop", need: int) -> None:
    """Raises TrainError unless so many bytes fit the disk."""
    loop.job.checkpoints.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(loop.job.checkpoints).free
    if free < need:
        have, want = f"{free / 1e9:.2f} GB", f"{need / 1e9:.2f} GB"
        raise TrainError(
            say(
                f"{loop.job.checkpoints}: {have} free, but the teacher's most likely tokens need {want}; make room, lower "
                "train.objective.store_top_k, or leave it out",
                f"{loop.job.checkpoints}: 여유 공간이 {have}인데 교사 모델의 상위 토큰에 {want}가 필요합니다. 공간을 확보하거나 "
                "train.objective.store_top_k를 줄이거나 빼세요",
            )
        )
