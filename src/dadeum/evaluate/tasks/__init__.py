"""What is asked beside a run's own test rows: one YAML file a task, `TaskSettings` (config/task.py) is its contract.

    dataset: {type: hub, name: KorQuAD/squad_kor_v1, split: validation}   one source, as in `data.sources`
    prompt: korquad            how a row becomes messages, as `data.prompt` (or `format` and `columns`); plain text needs none
    metrics: [exact_match]     as `evaluate.metrics`
    shots: 3                   examples before each question
    limit: 200                 at most so many rows, evenly spread
    max_new_tokens: 32         the longest answer

Rows take the way that all rows take: source, format, prompt, the chat template of the model, the engine. Where the source has
parts, `test` is scored (else `validation`) and examples come from `train`; else the first `shots` rows are the examples, and
are not scored. What opens the conversation is the task's own (`system_prompt`), never that of an experiment.

To add a task, add a file: here under the name that users write in `evaluate.tasks`, or anywhere in a workspace
(`configs/tasks/mine.yaml`), named by its path. Paths in a file start at the workspace; of a file in this folder, at this folder.
"""
