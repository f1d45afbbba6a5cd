"""Writes what transformers renders of published chat templates: chat_templates.json.gz.

pip download --no-deps -d DIR axolotl==0.19.0 xinference==4.1.0
python tests/goldens/chat_templates.py DIR

The templates are those that axolotl, xinference and trl (all Apache-2.0) ship for the models of many houses, and a few of our
own that print every kind of value. strftime_now is given 26 July 2024.
"""
import datetime
import glob
import gzip
import hashlib
import json
import sys
import zipfile
from pathlib import Path

import transformers
import trl
from transformers.utils import chat_template_utils as utils

OUT = Path(__file__).parent / "text" / "chat_templates.json.gz"
MOST = 7000  # characters of a template, but for a few long ones
LONG = {"command_a", "jamba", "gptoss", "gemma4", "minicpm5-2b", "qwen3_8_training", "MiniMax-M3", "nemotron_3_nano"}
NOW = datetime.datetime(2024, 7, 26)
BOS, EOS = "<s>", "</s>"

CALL = dict(id="call_ab12", type="function", function=dict(name="get_weather", arguments=dict(city="Paris", days=3, metric=True)))
TOOL = dict(type="function", function=dict(name="get_weather", description="Weather of a city", parameters=dict(type="object", properties=dict(city=dict(type="string", description="<City> & 'name'"), days=dict(type="integer")), required=["city"])))
U, A, S = (lambda c, r=role: dict(role=r, content=c) for role in ("user", "assistant", "system"))
CONVERSATIONS = {
    "single": [U("Why is the sky blue?"), A("Rayleigh scattering.")],
    "system": [S("You are terse."), U("Hi\n\nthere"), A("  Hello!\n")],
    "multi": [U("One"), A("<think>\nhm\n</think>\n\nTwo"), U("Three"), A("Four")],
    "empty": [U(""), A("")],
    "unicode": [S("Sé breve 🙂"), U("¿Qué es {{ x }} {% y %}? 素早い\u00a0\u2028 \u001c\t\r\nÎΣ"), A("Ⅷ <b>&amp;'\"\\ 👩‍👩‍👧 ß \u3000")],
    "tools": [U("Weather in Paris?"), dict(role="assistant", content="", tool_calls=[CALL]), dict(role="tool", name="get_weather", tool_call_id="call_ab12", content='{"t": 21.5}'), A("21.5 °C")],
}
PRINTED = {
    "values": "{{ messages[0] }}|{{ [1, 2.0, true, none, 'it\\'s', \"q\\\"\", messages[0].content] }}|{{ {'a': (1, 2), 'b': ('x', 'y')} }}|{{ true }} {{ none }} {{ false }} {{ 7 / 2 }} {{ 4 / 2 }} {{ 7 // 2 }} {{ -7 % 3 }}",
    "tests": "{% for m in messages %}{{ m.content is not none }}{{ m.x is defined }}{{ m.content is string }}{{ m['content'] is not undefined }}{{ m is mapping }}{{ m.tool_calls is none }}{% endfor %}",
    "crlf": "{% for m in messages %}\r\n  {% if loop.first %}\r\n<|{{ m.role }}|>\r\n  {% endif %}\r\n{{ m.content }}\r\n{% endfor %}\r\nend\r\n",
    "json": "{{ messages | tojson }}\n{{ messages | tojson(indent=2) }}\n{{ {'b': 1, 'a': [1.5, {}, []]} | tojson(indent=4, sort_keys=true) }}{{ tools | tojson }}",
    "undefined prints": "{{ bos_tokens }}|{{ messages[0].name }}|{% if cls_token %}x{% endif %}|{{ x | default('y') }}|{{ x ~ 'z' }}|{{ x | length }}{% for y in x %}{% endfor %}",
    "undefined token joined": "{{ cls_token + messages[0].content }}",
    "undefined token joined from the right": "{{ messages[0].content + sep_token }}",
    "attribute of undefined": "{{ message.content }}",
    "undefined called": "{{ strftime('%Y') }}",
    "undefined to json": "{{ x | tojson }}",
    "clock": "{{ strftime_now('%d %B %Y') }} {{ strftime_now('%Y-%m-%d %H:%M:%S %A %a %j %p %I %y %b') }} {{ date_string }}",
    "methods": "{% for m in messages %}{% set c = m.content %}{{ c.strip() }}|{{ c.split('i') }}|{{ c.split() }}|{{ c.split(None, 1) }}|{{ c.rsplit(' ', 1) }}|{{ c.upper() }}|{{ c.title() }}|{{ c.capitalize() }}|{{ c[1:3] }}|{{ c[::-1] }}|{{ c[-1:] }}|{{ c.replace('e', 'E', 1) }}|{{ c | trim | length }}|{{ c.startswith(('W', 'H')) }}|{{ c.find('e') }}|{{ c.splitlines() }}|{{ c.lstrip('W') }}{% endfor %}",
    "filters": "{{ messages | map(attribute='role') | list }}{{ messages | selectattr('role', 'equalto', 'user') | list | length }}{{ messages | map(attribute='content') | join('; ') }}{{ (messages | last)['content'] }}{{ messages | rejectattr('role', 'in', ['user']) | list | length }}{{ [3, 1, 2] | sort }}{{ [3, 1, 2] | max }}{{ {'b': 1, 'a': 2} | dictsort }}{{ 'a b' | replace(' ', '_') }}{{ '3' | int + 1 }}{{ 2.5 | round }}{{ [1, 2] | sum }}{{ ['a', 'A', 'b'] | unique | list }}{{ 'x\ny' | indent(2) }}",
    "scopes": "{% set n = namespace(i=0, s='') %}{% set x = 'outer' %}{% for m in messages %}{% set x = m.role %}{% set n.i = n.i + 1 %}{% if loop.index0 == 1 %}{% continue %}{% endif %}{{ x }}{{ loop.previtem.role if loop.previtem is defined }}{% endfor %}{{ x }}{{ n.i }}{% macro f(a, b='B') %}[{{ a }}{{ b }}{{ x }}]{% endmacro %}{{ f(1) }}{{ f(a='q', b=2) }}{% set y %}  {{ f(0) }}{% endset %}{{ y }}{{ range(3) | list }}{{ 'a' in 'cat' and 'role' in messages[0] }}{{ not 'x' in [1] }}{{ 'yes' if messages | length > 2 else 'no' }}",
    "break": "{% for m in messages %}{{ loop.index }}{% if m.role == 'assistant' %}a{% break %}{% endif %}b{% else %}none{% endfor %}",
    "refusal": "{% if messages[0].role == 'user' %}{{ raise_exception('No user first') }}{% endif %}ok",
}


def templates(folder):
    """(name, package, source), each source once."""
    for path in sorted(Path(trl.__file__).parent.glob("**/*.jinja")):
        yield path.stem, "trl", path.read_text()
    for package in ("axolotl", "xinference"):
        with zipfile.ZipFile(glob.glob(f"{folder}/{package}*.whl")[0]) as wheel:
            for name in sorted(wheel.namelist()):
                if name.endswith(".jinja"):
                    yield Path(name).stem, package, wheel.read(name).decode()
                elif name.endswith(".json") and "llm" in name:
                    yield from models(json.loads(wheel.read(name)), package)


def models(value, package, name=""):
    if isinstance(value, dict):
        name = value.get("model_name", name)
        if isinstance(value.get("chat_template"), str):
            yield name, package, value["chat_template"]
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from models(inner, package, name)


def render(template, conversation):
    # the cache gives this very template again, so the clock can be set
    utils._compile_jinja_template(template).globals["strftime_now"] = NOW.strftime
    try:
        tokens = dict(bos_token=BOS, eos_token=EOS, pad_token="<pad>", unk_token="<unk>")
        tools = [TOOL] if conversation == "tools" else None
        return utils.render_jinja_template([CONVERSATIONS[conversation]], tools=tools, chat_template=template, date_string="26 Jul 2024", **tokens)[0][0]
    except Exception as error:
        return dict(error=f"{type(error).__name__}: {error}")


def main():
    seen, rows = set(), []
    own = [(f"own: {name}", "rewardbook", source) for name, source in PRINTED.items()]
    for name, package, source in [*templates(sys.argv[1]), *own]:
        key = hashlib.sha1(source.encode()).hexdigest()
        if key in seen or "messages" not in source and package != "rewardbook" or len(source) > MOST and name not in LONG:
            continue
        seen.add(key)
        rows.append(dict(name=name, package=package, template=source, rendered={c: render(source, c) for c in CONVERSATIONS}))
    versions = dict(transformers=transformers.__version__, trl=trl.__version__)
    golden = dict(versions=versions, tokens=dict(bos_token=BOS, eos_token=EOS, pad_token="<pad>", unk_token="<unk>"), tools=[TOOL], conversations=CONVERSATIONS, rows=rows)
    OUT.write_bytes(gzip.compress(json.dumps(golden, ensure_ascii=False).encode(), 9, mtime=0))
    refused = sum(isinstance(text, dict) for row in rows for text in row["rendered"].values())
    print(f"{len(rows)} templates, {sum(len(row['rendered']) for row in rows)} renderings, {refused} refused, {OUT.stat().st_size} bytes")


main()
