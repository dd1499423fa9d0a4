"""The shape of the house, read from the sources: arrows point down, no circle, no long file, no model by its class."""

import ast
from functools import cache
from pathlib import Path

import pytest

import cheart

SRC = Path(cheart.__file__).parent
FILES = {
    ".".join(path.relative_to(SRC.parent).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(SRC.rglob("*.py"))
}

ORDER = (
    "errors", "assignments", "_version", "files", "schemas", "provenance", "progress",
    "grid", "labels", "conditions", "phenotypes", "validity", "heart", "evidence", "cohort_table", "cohort",
    "population",
    "align", "io", "metrics", "export", "datasets", "mesh", "plot",
    "simulation", "segmentation", "models", "verify", "training", "hearts", "completions", "model", "normal",
    "pages", "evaluation",
    "paper",
    "cli", "__main__", "cheart",
)  # fmt: skip
"""Rooms from the ground up. Nothing imports from a room that comes later."""

FACES = ("cheart.heart", "cheart.cohort")
"""Objects that a person holds: their methods import the room that does the work (plot, mesh, export) when called."""

THE_PACKAGE = "cheart"
"""Its names are looked up lazily, so that the command line may call ``cheart.simulate`` as a person does."""

CONCRETE = {
    "CHeart": "cheart",
    "CVAE": "cvae",
    "CVAEGAN": "cvae_gan",
    "CGAN": "cgan",
    "PCA": "pca",
    "Ridge": "ridge",
    "PlaneMotion": "motion",
}
"""Classes of models, and the files of ``models/`` that may name them: all others ask the registry."""

MOST_LINES = 400


@cache
def tree(module):
    return ast.parse(FILES[module].read_text(encoding="utf-8"))


def imports(module):
    """What a module imports of cheart, and whether in a function; what is for type checkers alone is left out."""
    found = []

    def walk(node, inside):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
                continue
            if isinstance(child, ast.ImportFrom) and (child.module or "").split(".")[0] == "cheart":
                full = [f"{child.module}.{alias.name}" for alias in child.names]
                found.extend((name if name in FILES else child.module, inside) for name in full)
            elif isinstance(child, ast.Import):
                found.extend((alias.name, inside) for alias in child.names if alias.name.split(".")[0] == "cheart")
            walk(child, inside or isinstance(child, ast.FunctionDef))

    walk(tree(module), False)
    return found


def arrows(module):
    """The modules that a module needs; of a face, those that it needs at once."""
    found = imports(module)
    return {to for to, inside in found if to not in (module, THE_PACKAGE) and not (inside and module in FACES)}


def room(module):
    return module.split(".")[1] if "." in module else module


def test_every_room_has_its_place():
    assert {room(module) for module in FILES} <= {*ORDER}


@pytest.mark.parametrize("name", ORDER)
def test_arrows_point_down(name):
    modules = [module for module in FILES if room(module) == name]
    below = {*ORDER[: ORDER.index(name) + 1]}
    up = [f"{m} -> {to}" for m in modules for to in arrows(m) if room(to) not in below]
    assert not up


def test_no_circle():
    left = {module: arrows(module) & set(FILES) for module in FILES}
    while free := [module for module, needs in left.items() if not needs & set(left)]:
        left = {module: needs for module, needs in left.items() if module not in free}
    circle = [*left][:1]
    while circle and circle[-1] not in circle[:-1]:
        circle.append(sorted(left[circle[-1]] & set(left))[0])
    assert not circle, " -> ".join(circle)


def test_no_file_is_long():
    lines = {module: len(path.read_text(encoding="utf-8").splitlines()) for module, path in FILES.items()}
    assert not {module: n for module, n in lines.items() if n > MOST_LINES}


def test_no_model_is_named_by_its_class_outside_its_file():
    found = []
    for module in FILES:
        own = {kind for kind, file in CONCRETE.items() if module == f"cheart.models.{file}"}
        names = {node.id for node in ast.walk(tree(module)) if isinstance(node, ast.Name)}
        names |= {a.name for node in ast.walk(tree(module)) if isinstance(node, ast.ImportFrom) for a in node.names}
        allowed = own | ({"CVAE"} if module == "cheart.models.cvae_gan" else set())  # which extends it
        found += [f"{module}: {kind}" for kind in sorted(names & set(CONCRETE) - allowed)]
    assert not found


@pytest.mark.parametrize("module", FILES)
def test_no_name_is_given_twice_in_a_module(module):
    """Linters see it of functions; a constant that is silently replaced changes what the ones above it do."""
    names = []
    for node in tree(module).body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        names += [target.id for target in targets if isinstance(target, ast.Name)]
    assert sorted(names) == sorted(set(names))
