"""
The buttons that bake: one image, or all of them; and the week's schedule, so that images are never older than a week's security fixes.
"""

from __future__ import annotations

from prefect import flow
from prefect.artifacts import create_markdown_artifact

from flows import stage
from fournines.model.plain import markdown
from tasks import artifacts, bakery
from tasks.bake_listening import BakeFailed
from tasks.bakery import Batch
from tasks.step_runs import work_as_task_run


@flow(name="bake-image", flow_run_name="bake {image}", persist_result=False)
def bake_image(
    image: str,
    again: bool = False,  # noqa: FBT001, FBT002  a form's field
) -> list[str]:
    """
    Bake an image from its recipe, prove it, and make it the current one. What it grows from is baked first when it must be.

    Args:
        image: A recipe in deployments/images.
        again: Even when its recipe is unchanged: for newer packages.
    """
    return _baked((image,), again=again)


@flow(name="bake-images", flow_run_name="bake all images", persist_result=False)
def bake_images(
    again: bool = False,  # noqa: FBT001, FBT002  a form's field
) -> list[str]:
    """
    Bake every image there is a recipe for. Services move to the new ones at their next deploy.

    Args:
        again: Even when its recipe is unchanged: for newer packages.
    """
    return _baked((), again=again)


def _baked(names: tuple[str, ...], *, again: bool) -> list[str]:
    with stage.workshop() as workshop:
        batch = bakery.bake(
            workshop, names, again=again, perform=work_as_task_run, tell=stage.tell
        )
    _show(names, batch)
    if not batch.ok:
        raise BakeFailed("; ".join(f"{n}: {why}" for n, why in batch.failed.items()))
    return batch.lines()


def _show(names: tuple[str, ...], batch: Batch) -> None:
    rows = [
        f"| {one.image.name} | {sum(one.seconds.values()):.0f} | {one.image.size_bytes / 1e6:.0f} | "
        f"{markdown(', '.join(one.image.versions))} |"
        for one in batch.baked
    ]
    table = ["| image | seconds | MB | versions |", "|---|---|---|---|", *rows]
    said = [f"- {markdown(line)}" for line in batch.lines()]
    create_markdown_artifact(
        markdown="\n".join([*said, "", *(table if rows else [])]),
        key=artifacts.key("baked", *(names or ("all",))),
    )
