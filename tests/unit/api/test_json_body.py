"""Bodies read as Go's encoding/json reads them."""

import pytest

from wherry.api.json_body import decode
from wherry.base.errors import InvalidParameter
from wherry.model.docker.container import CreateRequest, HostConfig, Ulimit
from wherry.model.docker.exec import ExecCreateRequest


def test_names_match_in_any_case_and_unknown_ones_are_passed_over() -> None:
    read = decode(b'{"image":"a","hostconfig":{"MEMORY":5},"Nothing":[1]}', CreateRequest)
    assert (read.image, read.host_config) == ("a", HostConfig(memory=5))


def test_null_leaves_a_field_alone_at_every_depth() -> None:
    host = b'{"ShmSize":null,"Ulimits":[null]}'
    data = b'{"Image":"a","Tty":null,"Labels":{"a":null},"HostConfig":' + host + b"}"
    read = decode(data, CreateRequest)
    assert read.labels == {"a": ""}
    assert read.host_config == HostConfig(ulimits=[Ulimit()])
    assert decode(b"null", CreateRequest) == CreateRequest()


def test_the_text_of_an_escape_is_not_the_escape() -> None:
    assert decode(b'{"Image":"a\\\\u0000"}', CreateRequest).image == "a\\u0000"


def test_arrays_of_a_fixed_length_are_filled_and_cut() -> None:
    assert decode(b'{"ConsoleSize":[7]}', ExecCreateRequest).console_size == (7, 0)
    assert decode(b'{"ConsoleSize":[7,8,9]}', ExecCreateRequest).console_size == (7, 8)


FIELD = "Go struct field CreateRequest."


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"{", "unexpected EOF"),
        (b'{"Image":"a\\u0000b"}', "no text may hold a null character"),
        (b"[" * 100_000, "exceeded max depth"),
        (b'{"Image":5}', f"json: cannot unmarshal number into {FIELD}Image of type string"),
        (b'{"Env":"A=B"}', f"json: cannot unmarshal string into {FIELD}Env of type []string"),
        (b'{"HostConfig":{"Memory":"1g"}}',
         f"json: cannot unmarshal string into {FIELD}HostConfig.Memory of type int64"),
        (b'{"HostConfig":{"Memory":1.5}}',
         f"json: cannot unmarshal number 1.5 into {FIELD}HostConfig.Memory of type int64"),
        (b'{"StopTimeout":9999999999999999999}',
         f"json: cannot unmarshal number 9999999999999999999 into {FIELD}StopTimeout of type "
         "int64"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_in_gos_words(data: bytes, text: str) -> None:
    with pytest.raises(InvalidParameter) as refused:
        decode(data, CreateRequest)
    assert refused.value.message == f"invalid JSON: {text}"


def test_what_follows_the_value_is_refused() -> None:
    with pytest.raises(InvalidParameter, match="unexpected content after JSON"):
        decode(b"{} {}", CreateRequest)
