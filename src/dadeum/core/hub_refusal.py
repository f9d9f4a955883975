"""What a refusal of the Hub means to the user: one sentence each, with what was probably meant and what to do."""

import os
from pathlib import Path
from typing import Literal

from dadeum.core.download import NETWORK, asked_to_wait, is_timeout
from dadeum.core.errors import HubError
from dadeum.core.language import say
from dadeum.core.near import hint, near_folder, nearest

Kind = Literal["model", "dataset"]
TIMEOUT = 3.0  # seconds
# What the examples and guides use, so that a slip in them is told without asking anybody.
KNOWN: dict[Kind, tuple[str, ...]] = {
    "model": (
        "HuggingFaceTB/SmolLM2-135M",
        "meta-llama/Llama-3.2-1B",
        "meta-llama/Llama-3.2-1B-Instruct",
        "TinyLlama/TinyLlama-1.1B-Chat-v1.0",
        "google/gemma-3-1b-it",
        "Qwen/Qwen2.5-0.5B",
        "Qwen/Qwen2.5-0.5B-Instruct",
        "Qwen/Qwen2.5-1.5B-Instruct",
        "Qwen/Qwen3-4B-Instruct-2507",
        "naver-hyperclovax/HyperCLOVAX-SEED-Text-Instruct-0.5B",
    ),
    "dataset": (
        "ohilikeit/empathetic_dialogues_mutli_turn_ko",
        "songys/Question_pair",
        "songys/Chatbot_data",
        "e9t/nsmc",
        "beomi/KoAlpaca-v1.1a",
        "TheFinAI/Fino1_Reasoning_Path_FinQA",
        "klue/klue",
        "kuotient/orca-math-korean-dpo-pairs",
    ),
}


def cache() -> Path:
    """The cache that all programs of this user share."""
    for variable in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        if os.environ.get(variable):
            return Path(os.environ[variable]).expanduser()
    home = os.environ.get("HF_HOME") or Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache", "huggingface")
    return Path(home).expanduser() / "hub"


class Unreachable(HubError):
    """The Hub does not answer: down, refused, too slow."""


def near_hub_name(kind: Kind, name: str) -> str | None:
    """The repository that was probably meant: one that this user has in the cache, or that our examples use."""
    try:
        folders = [f.name for f in cache().glob(f"{kind}s--*--*")]
    except OSError:
        folders = []
    names = [*KNOWN[kind], *(folder.split("--", 1)[1].replace("--", "/") for folder in folders)]
    names = [known for known in names if known != name]
    short = {known.rpartition("/")[2].lower(): known for known in names}
    return nearest(name, names, cutoff=0.8) or short.get(nearest(name.rpartition("/")[2], short, cutoff=0.9) or "")


def _hint(kind: Kind, name: str) -> str:
    return hint(near_hub_name(kind, name) or near_folder(name))


def offline_error(kind: Kind, name: str) -> HubError:
    """It is not here, and the user forbids the network."""
    near = _hint(kind, name)
    return HubError(
        say(
            f"{name}: not in the cache, and HF_HUB_OFFLINE forbids the network; unset it, or give a local folder{near}",
            f"{name}: 내려받은 것이 없고 HF_HUB_OFFLINE 때문에 네트워크를 쓸 수 없습니다. 설정을 풀거나 폴더를 지정하세요{near}",
        )
    )


def endpoint() -> str | None:
    """Another address of the Hub (`HF_ENDPOINT`)."""
    return os.environ.get("HF_ENDPOINT", "").rstrip("/") or None


def token() -> str | None:
    """The user's token; None without one."""
    return os.environ.get("HF_TOKEN") or os.environ.get("HUGGING_FACE_HUB_TOKEN") or None


def sentence(kind: Kind, name: str, revision: str, error: Exception) -> HubError | None:
    """What the error means to the user; None for faults of ours."""
    from huggingface_hub import constants, errors

    host = endpoint() or str(constants.ENDPOINT)
    if isinstance(error, errors.HFValidationError):
        return HubError(
            say(
                f"{name}: no name of a {kind} on the Hub and no folder here; expected owner/name or a path{_hint(kind, name)}",
                f"{name}: Hub의 이름도, 있는 폴더도 아닙니다. owner/name 또는 경로를 쓰세요{_hint(kind, name)}",
            )
        )
    page = f"{host}/{'datasets/' if kind == 'dataset' else ''}{name}"
    status = getattr(getattr(error, "response", None), "status_code", None)
    if isinstance(error, errors.RevisionNotFoundError):
        there = _branches(kind, name)
        listed = f" ({', '.join(there[:8])})" if there else ""
        near = hint(nearest(revision, there))
        return HubError(
            say(
                f"{name}: has no revision '{revision}'; expected a branch, tag or commit{listed}{near}",
                f"{name}: '{revision}' 리비전이 없습니다. 브랜치, 태그, 커밋을 쓰세요{listed}{near}",
            )
        )
    if isinstance(error, errors.GatedRepoError) or status == 403:
        return HubError(
            say(
                f"{name}: is gated; accept its licence on its page ({page}) and put HF_TOKEN=… into .env",
                f"{name}: 허락이 필요합니다. 그 페이지({page})에서 라이선스에 동의하고 .env에 HF_TOKEN=…을 넣으세요",
            )
        )
    if isinstance(error, errors.RepositoryNotFoundError) or status in (401, 404):
        return _unknown(kind, name, status)
    if status == 429:
        wait = asked_to_wait(error)
        return Unreachable(
            say(
                f"{host} had too many requests; wait {wait:.0f} seconds, then run again (HF_TOKEN=… in .env allows more)",
                f"{host}에 요청이 너무 많았습니다. {wait:.0f}초 뒤에 다시 하세요 (.env의 HF_TOKEN=…이 있으면 더 많이 됩니다)",
            )
        )
    if status is not None:
        return Unreachable(
            say(
                f"{host} answers with error {status}, try again later, or give a local folder for {name}",
                f"{host}이(가) 오류 {status}을(를) 답합니다. 나중에 다시 하거나 {name} 대신 폴더를 쓰세요",
            )
        )
    if is_timeout(error):
        return Unreachable(
            say(
                f"{host} does not answer in time; check the connection, or give a local folder for {name}",
                f"{host}이(가) 제때 답하지 않습니다. 연결을 확인하거나 {name} 대신 폴더를 쓰세요",
            )
        )
    if (
        isinstance(error, (ConnectionError, errors.OfflineModeIsEnabled))
        or type(error).__module__.split(".")[0] in NETWORK
    ):
        return Unreachable(
            say(
                f"{host} cannot be reached; check the connection, or give a local folder for {name}",
                f"{host}에 연결할 수 없습니다. 연결을 확인하거나 {name} 대신 폴더를 쓰세요",
            )
        )
    return None


def _branches(kind: Kind, name: str) -> list[str]:
    """Branches and tags, where the Hub tells them at once; it is only a help."""
    from huggingface_hub import constants, get_session
    from huggingface_hub.utils import build_hf_headers

    try:
        url = f"{endpoint() or constants.ENDPOINT}/api/{kind}s/{name}/refs"
        found = get_session().get(url, headers=build_hf_headers(token=token()), timeout=TIMEOUT).json()
        return [str(ref["name"]) for key in ("branches", "tags") for ref in found.get(key, [])]
    except Exception:
        return []


def _unknown(kind: Kind, name: str, status: int | None) -> HubError:
    if status == 401 and token():
        return HubError(
            say(
                f"{name}: the Hub does not accept HF_TOKEN for it; renew the token, or check the spelling of the name",
                f"{name}: Hub이 HF_TOKEN을 받아들이지 않습니다. 토큰을 새로 받거나 이름의 철자를 확인하세요",
            )
        )
    near = _hint(kind, name)
    return HubError(
        say(
            f"{name}: no such {kind} on the Hub, and no such folder; check the spelling (private ones need HF_TOKEN in .env){near}",
            f"{name}: Hub에도 폴더에도 없습니다. 철자를 확인하세요 (비공개라면 .env에 HF_TOKEN이 필요합니다){near}",
        )
    )
