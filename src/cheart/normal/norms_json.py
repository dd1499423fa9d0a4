"""How a model's norms.json must look (:mod:`cheart.schemas`)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from cheart.schemas import MOST_SUBJECTS, Closed, Digest, Finite, Text

Rows = list[list[Finite]]


class DistributionJson(Closed):
    """:class:`cheart.normal.norms.Norms`, whose own check holds the sizes to one another."""

    format: Literal[1]
    names: Annotated[list[Text], Field(min_length=1, max_length=1000)]
    mean: Rows
    spread: Rows
    quantiles: Rows
    precision: Rows
    errors: dict[Annotated[str, Field(pattern=r"^[0-9]+(\.[0-9]+)?$")], Rows]
    correlation: Rows
    hearts: Annotated[int, Field(ge=1, le=MOST_SUBJECTS)]
    source: Text


class NormsJson(Closed):
    """A model's norms.json."""

    fingerprint: Digest
    seed: int
    norms: DistributionJson
