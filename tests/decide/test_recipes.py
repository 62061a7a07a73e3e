"""
Recipes: what is refused, in which words; what changes a digest; which way it goes up to the eldest.
"""

import pytest

from blueprints import recipe
from blueprints.problem import BlueprintError
from tasks import bakery

GOOD = """
image: {name}
summary: A test.
parent: {parent}
packages: [openssl]
tests: [{{name: it works, run: "true"}}]
"""


@pytest.fixture
def folder(tmp_path):
    """
    Writes recipes into a folder.
    """

    def write(name, text=GOOD, parent="debian-12"):
        file = tmp_path / name / recipe.FILE
        file.parent.mkdir(exist_ok=True)
        file.write_text(text.format(name=name, parent=parent))
        return file

    write.path = tmp_path
    return write


def test_the_recipes_of_this_checkout_are_good():
    """
    Every template's image has a recipe, each grows from `base`, and each proves something in its builder.
    """
    known = recipe.all_recipes(bakery.FOLDER)

    assert known.keys() == bakery.recipe_names()
    assert known.keys() == {"base", "web", "postgres", "rabbitmq", "slurm", "cache"}
    assert {one.parent for one in known.values()} == {"debian-12", "base"}
    assert all(one.tests for one in known.values())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("packages: [openssl]", "pakages: [openssl]"), "did you mean 'packages'?"),
        (("[openssl]", "[OpenSSL]"), "packages[0]: must be a Debian package's name"),
        (("[openssl]", "[openssl, openssl]"), "openssl stands here twice"),
        (("image: {name}", "image: other"), "is 'other' in a folder called 'base'"),
        (('tests: [{{name: it works, run: "true"}}]', "tests: []"), "tests: "),
        (("parent: {parent}", ""), "lacks the key 'parent'"),
        (("summary: A test.", "remove: [/etc]\nsummary: x"), "take the system away"),
        (("summary: A test.", "remove: [../x]\nsummary: x"), "an absolute path"),
        (
            (
                "summary: A test.",
                "files: [{{path: /etc/x, content: y, permissions: rw}}]\nsummary: x",
            ),
            "must be octal",
        ),
        (("summary: A test.", "timeout_seconds: 1\nsummary: x"), "timeout_seconds"),
        (("image: {name}", "image: {name}\nimage: b"), "stands here twice"),
        (("packages: [openssl]", "packages: ["), "not YAML"),
    ],
)
def test_what_is_wrong_is_said_with_file_and_field(folder, change, said):
    """
    One sentence that names the file, where it is wrong, and what would be right.
    """
    file = folder("base", GOOD.replace(*change))

    with pytest.raises(BlueprintError) as caught:
        recipe.all_recipes(folder.path)

    assert str(file) in str(caught.value)
    assert said in str(caught.value)


def test_parents_do_not_go_round_in_circles(folder):
    """
    Two recipes that are each other's parents are refused.
    """
    folder("base", parent="web")
    folder("web", parent="base")

    with pytest.raises(BlueprintError, match="leads back to the image itself"):
        recipe.all_recipes(folder.path)


def test_a_recipe_nobody_wrote_is_met_with_what_there_is(folder):
    """
    A slip of the pen is answered with the nearest name.
    """
    folder("base")
    known = recipe.all_recipes(folder.path)

    with pytest.raises(recipe.RecipeUnknown, match="did you mean 'base'"):
        recipe.find("bsae", known, folder.path)


def test_a_digest_changes_with_the_recipe_and_with_what_it_grows_from(folder):
    """
    A change in the parent shows in the child; one in a sister does not.
    """
    for name, parent in (("base", "debian-12"), ("web", "base"), ("cache", "base")):
        folder(name, parent=parent)
    before = recipe.all_recipes(folder.path)
    folder("base", GOOD.replace("[openssl]", "[openssl, curl]"))
    after_parent = recipe.all_recipes(folder.path)
    folder("base")
    folder("cache", GOOD.replace("[openssl]", "[redis]"), parent="base")
    after_sister = recipe.all_recipes(folder.path)

    assert [one.image for one in recipe.lineage("web", before)] == ["base", "web"]
    assert recipe.digest("web", before) != recipe.digest("web", after_parent)
    assert recipe.digest("web", before) == recipe.digest("web", after_sister)
