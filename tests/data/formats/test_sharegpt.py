"""ShareGPT rows with calls of tools."""

from dadeum.data.kinds import Recogniser


def test_calls_and_observations() -> None:
    row = {
        "conversations": [
            {"from": "human", "value": "찾아 줘"},
            {"from": "function_call", "value": '{"name": "find", "arguments": {"what": ["쌀"]}}'},
            {"from": "observation", "value": '{"found": 2}'},
            {"from": "gpt", "value": "둘이요"},
        ],
        "tools": '[{"name": "find", "description": "찾기", "parameters": {"type": "object"}}]',
    }
    how, kind = Recogniser()("f", list(row))
    found = how(row)
    assert kind == "sharegpt" and found.tools[0]["function"]["name"] == "find"
    call = {"type": "function", "function": {"name": "find", "arguments": {"what": ["쌀"]}}}
    assert found.messages == (
        {"role": "user", "content": "찾아 줘"},
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "content": '{"found": 2}'},
        {"role": "assistant", "content": "둘이요"},
    )


def test_several_calls_in_one_message() -> None:
    row = {
        "conversations": [
            {"from": "human", "value": "?"},
            {"from": "function_call", "value": '[{"name": "a", "arguments": {}}, {"name": "b", "arguments": "{}"}]'},
        ]
    }
    called = Recogniser()("f", list(row))[0](row).messages[1]["tool_calls"]
    assert [c["function"]["name"] for c in called] == ["a", "b"]
