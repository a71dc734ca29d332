"""Where a tab shows what came of it: the picture, its siblings, how far it is, and what went wrong."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from toile.app.results import Shown, error_html, notes_html, progress_html, save_results
from toile.app.running import Moment, Work
from toile.app.workroom import Workroom
from toile.errors import ToileError
from toile.tasks.request import Request

STOPPED = "stopped; what was finished is kept"
Updates = dict[Any, Any]
RequestsOf = Callable[..., Sequence[Request]]
"""Makes requests of what a tab's components say; raises `ToileError` where they make none."""


@dataclass(frozen=True, kw_only=True)
class ResultArea:
    """The parts of a tab that show what came of it."""

    picture: gr.Image
    """The result, and before that what is there by now."""
    gallery: gr.Gallery
    """All pictures, where there are several."""
    download: gr.DownloadButton
    """The PNG of the picture that is shown."""
    run: gr.Button
    """Starts."""
    stop: gr.Button
    """Stops."""
    status: gr.HTML
    """How far it is."""
    message: gr.HTML
    """What went wrong, and remarks."""
    shown: gr.State
    """What the gallery shows, as `Shown`."""

    @property
    def outputs(self) -> list[Any]:
        """Everything that changes while work is done."""
        return [
            self.picture,
            self.gallery,
            self.download,
            self.run,
            self.stop,
            self.status,
            self.message,
            self.shown,
        ]


def result_picture(label: str, name: str) -> gr.Image:
    """The place of the result, beside the inputs."""
    return gr.Image(
        label=label,
        elem_id=f"{name}-result",
        elem_classes=["slot", "result"],
        interactive=False,
        height=340,
        buttons=["fullscreen"],
        placeholder="It will be shown here",
    )


def result_area(picture: gr.Image, name: str, verb: str) -> ResultArea:
    """Draw what is below the pictures.

    Args:
        picture: made by `result_picture`.
        name: of the tab, for the elements' names.
        verb: on the button.
    """
    with gr.Row(elem_classes=["actions"]):
        run = gr.Button(verb, variant="primary", elem_id=f"{name}-run", min_width=140)
        stop = gr.Button("Stop", variant="stop", elem_id=f"{name}-stop", visible=False, min_width=140)
        download = gr.DownloadButton(
            "Download PNG", elem_id=f"{name}-download", visible=False, min_width=140, size="lg"
        )
    status = gr.HTML(elem_id=f"{name}-status", elem_classes=["status"])
    message = gr.HTML(elem_id=f"{name}-message", elem_classes=["message"])
    gallery = gr.Gallery(
        label="All pictures",
        show_label=False,
        elem_id=f"{name}-gallery",
        elem_classes=["candidates"],
        columns=4,
        height="auto",
        object_fit="contain",
        allow_preview=False,
        interactive=False,
        visible=False,
        buttons=[],
    )
    return ResultArea(
        picture=picture,
        gallery=gallery,
        download=download,
        run=run,
        stop=stop,
        status=status,
        message=message,
        shown=gr.State([]),
    )


def do_work(room: Workroom, area: ResultArea, requests_of: RequestsOf) -> Callable[..., Iterator[Updates]]:
    """What the tab's button does: make requests, follow the work, and show what came of it."""

    def work(request: gr.Request, *values: Any) -> Iterator[Updates]:
        yield _begun(area)
        visitor, doing = str(request.session_hash), None
        try:
            requests = requests_of(*values)
            for asked in requests:
                room.limits.check(asked, room.atelier.models)
            doing = Work(room.atelier, requests, room.turns)
            room.in_progress.start(visitor, doing)
            for moment in doing.follow():
                yield _going_on(area, moment)
            yield _over(area, room, doing)
        except ToileError as error:
            yield _idle(area) | {area.message: error_html(str(error))}
        finally:
            if doing is not None:
                doing.stop()  # it goes on only where the visitor has left
                room.in_progress.end(visitor, doing)

    return _as_generator(work)


def _as_generator(work: Callable[..., Iterator[Updates]]) -> Callable[..., Iterator[Updates]]:
    """The same for gradio, which looks for `yield` in the function, and for who asks in its annotations.

    A function that is wrapped, as our tests do to check its types, shows neither.
    """
    listener: Any = lambda request, *values: (yield from work(request, *values))  # noqa: E731
    listener.__annotations__ = {"request": gr.Request}
    found: Callable[..., Iterator[Updates]] = listener
    return found


def wire(room: Workroom, area: ResultArea, inputs: Sequence[Any], requests_of: RequestsOf) -> dict[str, Any]:
    """Connect a tab's buttons.

    Args:
        room: does the work.
        area: of the tab.
        inputs: components whose values make requests.
        requests_of: makes them.

    Returns:
        The arguments of the listener that does the work, for examples that start it as well.
    """
    listener: dict[str, Any] = {
        "fn": do_work(room, area, requests_of),
        "inputs": list(inputs),
        "outputs": area.outputs,
        "show_progress": "hidden",
        "concurrency_id": "work",
        "concurrency_limit": room.limits.waiting
        + 2,  # our own line says who is next, and who is one too many
        "api_visibility": "private",
    }
    area.run.click(**listener)

    def stop(request: gr.Request) -> None:
        room.in_progress.stop(str(request.session_hash))

    area.stop.click(stop, queue=False, api_visibility="private", show_progress="hidden")

    def choose(shown: list[Shown], event: gr.SelectData) -> tuple[Any, Any]:
        chosen = shown[event.index] if event.index < len(shown) else shown[0]
        return chosen.path, gr.update(value=chosen.path)

    area.gallery.select(
        choose,
        inputs=[area.shown],
        outputs=[area.picture, area.download],
        show_progress="hidden",
        api_visibility="private",
    )
    return listener


def _begun(area: ResultArea) -> Updates:
    return {
        area.run: gr.update(visible=False),
        area.stop: gr.update(visible=True),
        area.download: gr.update(visible=False),
        area.gallery: gr.update(visible=False, value=None),
        area.picture: gr.update(value=None),
        area.status: progress_html(Moment()),
        area.message: "",
        area.shown: [],
    }


def _going_on(area: ResultArea, moment: Moment) -> Updates:
    told: Updates = {area.status: progress_html(moment)}
    return told if moment.preview is None else told | {area.picture: moment.preview}


def _idle(area: ResultArea) -> Updates:
    return {area.run: gr.update(visible=True), area.stop: gr.update(visible=False), area.status: ""}


def _over(area: ResultArea, room: Workroom, work: Work) -> Updates:
    """What came of it; what was finished before it failed or was stopped is shown as well."""
    notes = [note for result in work.results[:1] for note in result.notes]
    said = notes_html(notes) if work.results else ""
    if work.error is not None:
        said = error_html(work.error) + said
    elif work.stopped:
        said = notes_html([STOPPED if work.results else "stopped"]) + said
    if not work.results:
        return _idle(area) | {area.message: said, area.picture: gr.update(value=None)}
    shown = save_results(work.results, room.results)
    several = [(one.path, one.caption) for one in shown]
    return _idle(area) | {
        area.picture: shown[0].path,
        area.gallery: gr.update(value=several, visible=True, selected_index=0)
        if len(shown) > 1 or work.results[0].scores
        else gr.update(visible=False),
        area.download: gr.update(value=shown[0].path, visible=True),
        area.message: said,
        area.shown: shown,
    }
