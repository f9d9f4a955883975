"""The verbs, with one line each: all that `--help` and completion need, so neither imports anything else."""

# verb: (English, Korean, words that may follow it)
VERBS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "quickstart": (
        "See all of it in minutes, offline, on Korean law",
        "몇 분 만에 모두 보기: 인터넷 없이, 한국 민법으로",
        (),
    ),
    "init": ("Make a workspace with a commented experiment", "작업 폴더와 설명이 달린 실험 파일 만들기", ()),
    "doctor": (
        "Check Python, torch, memory, disk, extras, tokens",
        "파이썬, torch, 메모리, 디스크, 추가 패키지, 토큰 점검",
        (),
    ),
    "plan": ("Show what would run, why, and what it needs", "무엇이 왜 실행되고 무엇이 필요한지 보기", ()),
    "run": (
        "Do everything that is not yet done, from data to export",
        "데이터부터 내보내기까지 남은 일을 모두 하기",
        (),
    ),
    "data": (
        "One data stage: download, preprocess, format; check data; show what is trained",
        "데이터 단계 하나: download, preprocess, format. 데이터 점검: check. 학습하는 것 보기: show",
        ("download", "preprocess", "format", "check", "show"),
    ),
    "train": ("Train, from an experiment or from flags", "실험 파일이나 플래그로 학습하기", ()),
    "eval": (
        "Score the base or the tuned model on the test rows",
        "기본 모델 또는 학습한 모델을 시험 행으로 채점하기",
        (),
    ),
    "compare": ("Hold models against each other, with intervals", "모델들을 구간과 함께 비교하기", ()),
    "ask": ("Ask a model one question", "모델에 질문 하나 하기", ()),
    "chat": ("Talk with a model", "모델과 대화하기", ()),
    "batch": ("Answer a file of questions", "질문 파일에 모두 답하기", ()),
    "predict": (
        "Say labels, numbers or scores of a file of rows",
        "행이 든 파일의 라벨, 수, 점수 예측하기",
        (),
    ),
    "bench": ("Measure tokens per second, first token, memory", "초당 토큰, 첫 토큰 시간, 메모리 재기", ()),
    "tokens": (
        "Show special tokens, their ids and places, how text is cut",
        "특수 토큰의 번호와 쓰이는 곳, 글이 잘리는 방식 보기",
        (),
    ),
    "explain": (
        "Take one training step on your data apart, beside the Trainer's",
        "내 데이터로 하는 학습 한 단계를 뜯어보기, Trainer와 나란히",
        (),
    ),
    "export": (
        "Make something of a finished run: merged, gguf",
        "끝난 실행으로 결과물 만들기: merged, gguf",
        ("merged", "gguf"),
    ),
    "runs": (
        "The runs: list, show, compare, rm",
        "실행들: list, show, compare, rm",
        ("list", "show", "compare", "rm"),
    ),
    "reproduce": (
        "Run a run again from its own record, and hold the two against each other",
        "기록대로 실행을 다시 해 두 결과를 견주기",
        (),
    ),
    "report": (
        "Write the report of a run again, as a page or for docs/",
        "실행의 보고서를 페이지나 docs/에 둘 글로 다시 쓰기",
        (),
    ),
    "track": (
        "Trackers: send what they lack, see what they have, open MLflow's pages",
        "추적 도구: 못 보낸 것 보내기, 보낸 것 보기, MLflow 화면 열기",
        ("send", "status", "ui"),
    ),
    "lesson": (
        "Learn by doing: compare, special-tokens, preprocess, explain, train",
        "해 보며 배우기: compare, special-tokens, preprocess, explain, train",
        ("compare", "special-tokens", "preprocess", "explain", "train"),
    ),
    "schema": ("Print the JSON Schema of the experiment file", "실험 파일의 JSON Schema 출력", ()),
    "completion": ("Print the completion script of a shell", "셸 자동 완성 스크립트 출력", ("bash", "zsh", "fish")),
}
RUNS_AFTER = ("runs", "reproduce", "report")
FILES_AFTER = ("plan", "run", "train", "eval", "explain", "data", "export")
