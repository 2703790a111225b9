"""Templates are Go's, as far as `--format` uses them."""

import pytest

from wherry.cli.errors import CliError
from wherry.cli.template import Template
from wherry.cli.template_values import as_go

DATA = {
    "Name": "/web",
    "Count": 3,
    "Size": 1.5,
    "Running": True,
    "Labels": {"a.b": "1", "c": "2"},
    "Mounts": [{"Name": "v1"}, {"Name": "v2"}],
    "Nothing": None,
    "State": {"Health": {"Status": "healthy"}},
}


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{.Name}}", "/web"),
        ("a {{.Count}} b", "a 3 b"),
        ("{{.Running}} {{.Size}} {{.Nothing}}", "true 1.5 <no value>"),
        ("{{.State.Health.Status}}", "healthy"),
        ("{{json .Mounts}}", '[{"Name":"v1"},{"Name":"v2"}]'),
        ("{{.Labels}}", "map[a.b:1 c:2]"),
        ('{{index .Labels "a.b"}}', "1"),
        ("{{index .Mounts 1}}", "map[Name:v2]"),
        ("{{range .Mounts}}{{.Name}},{{end}}", "v1,v2,"),
        ("{{range $i, $m := .Mounts}}{{$i}}={{$m.Name}};{{end}}", "0=v1;1=v2;"),
        ("{{range $k, $v := .Labels}}{{$k}}={{$v}} {{end}}", "a.b=1 c=2 "),
        ("{{range .Nothing}}x{{else}}none{{end}}", "none"),
        ("{{if .Running}}up{{else}}down{{end}}", "up"),
        ("{{if eq .Count 4}}four{{else if eq .Count 3}}three{{end}}", "three"),
        ("{{if and .Running (gt .Count 2)}}yes{{end}}", "yes"),
        ("{{if or .Nothing .Count}}yes{{end}}", "yes"),
        ("{{if not .Nothing}}yes{{end}}", "yes"),
        ("{{with .State}}{{.Health.Status}} {{$.Name}}{{end}}", "healthy /web"),
        ("{{$x := .Count}}{{$x}}", "3"),
        ("{{.Name | upper}}", "/WEB"),
        ('{{join (split .Name "e") "-"}}', "/w-b"),
        ('{{printf "%s-%d" .Name .Count}}', "/web-3"),
        ("{{len .Mounts}}", "2"),
        ("{{slice .Name 1}}", "web"),
        ("{{title .State.Health.Status}}", "Healthy"),
        ('{{title "on-failure a_b"}}', "On-Failure A_b"),
        ('{{split "ab" ""}}', "[a b]"),
        (
            '{{printf "%d %s %5d|%-4s|%q" "x" 5 7 "a" "b"}}',
            '%!d(string=x) %!s(int=5)     7|a   |"b"',
        ),
        ('{{printf "%s"}} {{printf "a" 1}}', "%!s(MISSING) a%!(EXTRA int=1)"),
        ('{{lt 1 2}} {{le "a" "a"}} {{gt 2 1}} {{ge 1 2}}', "true true true false"),
        ('{{define "x"}}[{{.}}]{{end}}{{template "x" .Count}}', "[3]"),
        ('{{block "y" .Name}}<{{.}}>{{end}}', "</web>"),
        ('{{index .Labels "nope"}}|', "|"),
        ("a  {{- .Count -}}  b", "a3b"),
        ("{{/* a note */}}x", "x"),
        ('{{"quoted \\"text\\""}}', 'quoted "text"'),
        ("{{(index .Mounts 0).Name}}", "v1"),
        ('{{range .Mounts}}{{if eq .Name "v2"}}{{break}}{{end}}{{.Name}}{{end}}', "v1"),
    ],
)
def test_a_template_gives_what_go_gives(source, text):
    assert Template(source).execute(DATA) == text


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("{{.ID", "template parsing error: template: :1: unclosed action"),
        ("{{nope .X}}", 'function "nope" not defined'),
        ("{{if .X}}", "unexpected EOF"),
        ("{{end}}", "unexpected {{end}}"),
        ("{{}}", "missing value for command"),
    ],
)
def test_a_mistake_is_told_when_the_template_is_read(source, reason):
    with pytest.raises(CliError) as failure:
        Template(source)
    assert reason in failure.value.message


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("{{.State.Nope}}", '1:8: executing "" at <.State.Nope>: map has no entry for key "Nope"'),
        ("a\n{{upper .Count}}", '2:9: executing "" at <.Count>: wrong type for value; expected'),
        ("{{(index .Mounts 9).Name}}", "at <index .Mounts 9>: error calling index: index out of"),
        ('{{eq .Name (len "a")}}', '<eq .Name (len "a")>: error calling eq: incompatible types'),
        ("{{lt .Mounts 1}}", "<lt .Mounts 1>: error calling lt: invalid type for comparison"),
        ("{{len true}}", "error calling len: len of type bool"),
        ("{{range .Name}}{{end}}", "at <.Name>: range can't iterate over /web"),
        ('{{template "nope"}}', 'template "nope" not defined'),
        ("{{slice .Name 9}}", "error calling slice: index out of range: 9"),
        ("{{.Name.More}}", "can't evaluate field More in type string"),
        ("{{.Nothing.More}}", "nil pointer evaluating"),
    ],
)
def test_a_mistake_is_told_with_its_place_where_go_refuses_to_evaluate(source, reason):
    with pytest.raises(CliError) as failure:
        Template(source).execute(as_go(DATA))
    assert reason in failure.value.message


def test_structs_and_maps_are_printed_as_go_prints_them():
    value = as_go(
        {
            "HostConfig": {"RestartPolicy": {"Name": "no", "MaximumRetryCount": 0}, "Binds": None},
            "Labels": {"b": "2", "a": "1"},
            "Mounts": [{"Type": "bind", "Source": "/a", "Destination": "/b", "RW": True}],
            "Health": None,
        }
    )
    for source, text in (
        ("{{.HostConfig.RestartPolicy}}", "{no 0}"),
        ("{{.HostConfig.Binds}}", "[]"),
        ("{{.Labels}} {{json .Labels}}", 'map[a:1 b:2] {"a":"1","b":"2"}'),
        ("{{.Mounts}}", "[{bind  /a /b   true }]"),
        ("{{range .Mounts}}{{.Name}}|{{.Driver}}{{end}}", "|"),
        ("{{.Health}} {{json .Health}} {{if .Health}}x{{else}}none{{end}}", "<nil> null none"),
        (
            "{{json .HostConfig}}",
            '{"RestartPolicy":{"Name":"no","MaximumRetryCount":0},"Binds":null}',
        ),
        ("{{.Healthcheck}}{{.StopSignal}}", "<nil>"),
    ):
        assert Template(source).execute(value) == text


def test_a_missing_key_is_an_error_only_where_it_is_asked_for():
    assert Template("{{.Nope}}").execute(DATA) == "<no value>"
    with pytest.raises(CliError, match='map has no entry for key "Nope"'):
        Template("{{.Nope}}").execute(as_go(DATA))
