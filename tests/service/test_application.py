"""The OpenAPI description, checked by schemathesis; a stand-in draws, so that it takes seconds."""

import pytest
from tests.service.serving import png_of, serving
from tests.service.stand_in import StandIn

pytest.importorskip("fastapi", reason="the extra serve is not installed")
pytest.importorskip("schemathesis", reason="schemathesis is not installed")
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from toile.service.application import routes
from toile.service.desk import Desk
from toile.service.settings import Settings

TOKEN = "correct-horse-battery"
OFFERED = Settings(token=TOKEN, queue=64)
PICTURES = ("photo", "person", "garment", "wearer", "target", "mask", "wearer_mask", "target_mask")
FEW = settings(
    max_examples=3,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def service():
    with serving(Desk(StandIn(), OFFERED)) as client:
        yield client


api = schemathesis.openapi.from_dict(routes(Desk(StandIn(), OFFERED)).openapi())


def with_real_pictures(case) -> bool:
    """Put real pictures into a form that is right otherwise, as no schema can say "is a PNG"."""
    if not (
        isinstance(case.body, dict) and all(part.mode.is_positive for part in case.meta.components.values())
    ):
        return False
    pictures = {
        name: [png_of()] if isinstance(case.body[name], list) else png_of()
        for name in set(PICTURES) & set(case.body)
    }
    case.body = case.body | pictures  # a new one, as cases share theirs
    return True


@api.parametrize()
@FEW
def test_the_service_does_what_its_description_says(case, service):
    changed = with_real_pictures(
        case
    )  # which the check of bad forms takes for bad ones, as bytes are no text
    case.call_and_validate(
        base_url=str(service.base_url),
        headers={"Authorization": f"Bearer {TOKEN}"},
        excluded_checks=[positive_data_acceptance, *([negative_data_rejection] if changed else [])],
    )
