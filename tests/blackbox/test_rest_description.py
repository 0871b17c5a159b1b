# SPDX-License-Identifier: Apache-2.0
"""openapi.yaml as a whole, by the rules of OpenAPI 3.1.0: what a generator of clients or a page of documentation would trip
over. That answers are as described is checked with every request (rest.py)."""
import re

import pytest

from rest import description, jsonschema, operations

pytestmark = pytest.mark.ours

# What we use of JSON Schema; another word is a typing error, or a new one that belongs here.
KEYWORDS = {"type", "properties", "required", "additionalProperties", "items", "enum", "default", "minimum", "format", "description"}
# Objects of OpenAPI 3.1.0 (sections 4.8.1 to 4.8.17) with the members that we use of them.
MEMBERS = {
    "document": {"openapi", "info", "servers", "security", "paths", "components"},
    "operation": {"operationId", "summary", "security", "parameters", "requestBody", "responses"},
    "parameter": {"name", "in", "required", "description", "schema"},
    "response": {"description", "content"},
    "body": {"required", "content"},
}


def is_of(kind, node):
    assert set(node) <= MEMBERS[kind], f"{kind}: {set(node) - MEMBERS[kind]}"
    return node


def target(node):
    """The same without references; each must lead somewhere, and stand alone."""
    while "$ref" in node:
        assert set(node) == {"$ref"} and node["$ref"].startswith("#/components/"), node
        place = description()
        for part in node["$ref"][2:].split("/"):
            assert part in place, f"{node['$ref']} leads nowhere"
            place = place[part]
        node = place
    return node


def check_schema(schema):
    if "$ref" in schema:
        target(schema)
        return
    assert set(schema) <= KEYWORDS, set(schema) - KEYWORDS
    assert "type" in schema, schema
    assert set(schema.get("required", [])) <= set(schema.get("properties", {})), schema
    for each in schema.get("properties", {}).values():
        check_schema(each)
    for name in ("items", "additionalProperties"):
        if isinstance(schema.get(name), dict):
            check_schema(schema[name])


def check_content(node):
    assert node["content"], node
    for kind, media in node["content"].items():
        assert re.fullmatch(r"[a-z]+/[a-z]+", kind) and set(media) == {"schema"}, kind
        check_schema(media["schema"])


def walk(node, where=""):
    yield where, node
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for name, each in items:
        yield from walk(each, f"{where}/{name}")


def test_nothing_is_null():
    """YAML takes an unquoted comma in {...} for the end of a member, and what follows for a member without a value."""
    assert [where for where, node in walk(description()) if node is None] == []


def test_the_document():
    document = is_of("document", description())
    assert document["openapi"] == "3.1.0" and {"title", "version"} <= set(document["info"])
    for schema in document["components"]["schemas"].values():
        check_schema(schema)
        jsonschema.Draft202012Validator.check_schema(schema)
    for kind, check in (("responses", "response"), ("requestBodies", "body")):
        for node in document["components"][kind].values():
            check_content(is_of(check, node))
    named = {name for scheme in document["security"] for name in scheme}
    assert named == set(document["components"]["securitySchemes"])
    used = {node for where, node in walk(document) if where.endswith("/$ref")}
    made = {f"#/components/{kind}/{name}" for kind in ("schemas", "responses", "requestBodies") for name in document["components"][kind]}
    assert used == made


def test_operations():
    seen = set()
    for path, item in description()["paths"].items():
        holes = set(re.findall(r"{(\w+)}", path))
        for method in set(item) - {"parameters"}:
            assert method in ("get", "post", "put", "delete"), method
            operation = is_of("operation", item[method])
            assert operation["summary"] and operation["operationId"] not in seen, path
            seen.add(operation["operationId"])
            parameters = [is_of("parameter", target(each)) for each in item.get("parameters", []) + operation.get("parameters", [])]
            for each in parameters:
                assert each["in"] in ("path", "query") and (each["in"] == "query" or each["required"]), each
                check_schema(each["schema"])
            names = [each["name"] for each in parameters]
            assert len(set(names)) == len(names) and {each["name"] for each in parameters if each["in"] == "path"} == holes, path
            if "requestBody" in operation:
                check_content(is_of("body", target(operation["requestBody"])))
            for status, response in operation["responses"].items():
                assert re.fullmatch(r"[1-5]\d\d|default", status), f"{method} {path}: {status}"
                response = is_of("response", target(response))
                assert response["description"]
                check_content(response)
    assert len(seen) == len(list(operations()))


def test_what_can_go_wrong_anywhere():
    for path, item in description()["paths"].items():
        for method in set(item) - {"parameters"}:
            responses = item[method]["responses"]
            assert target(responses["default"]) is description()["components"]["responses"]["Failed"], path
            if re.search("user|dumpdata|loaddata|quota_scan", path):
                assert {"500", "503"} <= set(responses), f"{method} {path}"
