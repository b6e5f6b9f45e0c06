"""Reads Kubernetes manifests as the tools of their users do.

    check_manifests.py render DIRECTORY   prints what kustomize, that of kubectl, makes of a folder, as JSON
    check_manifests.py read FILE          prints the documents of a YAML file, as JSON
    check_manifests.py check < DOCUMENTS  prints what is wrong with them: a list of sentences

Kubernetes' own kinds are held against its schemas, in which unknown keys are errors; those of KEDA against models that
were made from its schemas. Other kinds have no schema here, and are passed over.
"""

import json
import pathlib
import subprocess
import sys

import yaml

KUBERNETES = "1.37"
WITHOUT_SCHEMA = {"traefik.io/v1alpha1"}


def documents(text):
    return [document for document in yaml.safe_load_all(text) if document]


def render(directory):
    kubectl = pathlib.Path(sys.executable).with_name("kubectl")
    rendered = subprocess.run([kubectl, "kustomize", directory], capture_output=True, text=True)
    if rendered.returncode:
        sys.exit(rendered.stderr)
    return documents(rendered.stdout)


def lost(written, read, path):
    """The places of what is in the first and not in the second: keys that a model does not know."""
    if isinstance(written, dict) and isinstance(read, dict):
        for key, value in written.items():
            if key in read:
                yield from lost(value, read[key], f"{path}.{key}")
            else:
                yield f"{path}.{key} is unknown"
    elif isinstance(written, list) and isinstance(read, list):
        for index, (one, other) in enumerate(zip(written, read)):
            yield from lost(one, other, f"{path}[{index}]")


def problems_with_keda(document):
    # Reading manifests needs none of this, and it takes a second to load.
    import pydantic
    from cloudcoil.models.keda import v1alpha1 as keda

    try:
        model = getattr(keda, document["kind"]).model_validate(document)
    except pydantic.ValidationError as error:
        return [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()]
    return lost(document, model.model_dump(by_alias=True, mode="json"), "")


def problems(document):
    import kubernetes_validate

    if document["apiVersion"] in WITHOUT_SCHEMA:
        return
    if document["apiVersion"] == "keda.sh/v1alpha1":
        yield from problems_with_keda(document)
        return
    try:
        kubernetes_validate.validate(document, KUBERNETES, strict=True)
    except kubernetes_validate.ValidationError as error:
        yield f"{'.'.join(map(str, error.path))}: {error.message}"
    except kubernetes_validate.SchemaNotFoundError:
        yield "there is no such kind in Kubernetes " + KUBERNETES


def check(found):
    names = ((document, f"{document['kind']} {document['metadata']['name']}") for document in found)
    return [f"{name}: {problem}" for document, name in names for problem in problems(document)]


match sys.argv[1:]:
    case ["render", directory]:
        report = render(directory)
    case ["read", file]:
        report = documents(pathlib.Path(file).read_text())
    case ["check"]:
        report = check(json.load(sys.stdin))
    case _:
        sys.exit(__doc__)
json.dump(report, sys.stdout)
