"""The JSON Schema of campaigns.

`protocols/campaigns/campaign.schema.json` is the copy that their first line names.
"""

from __future__ import annotations

import json
from typing import Any

from nakctl.campaign.model import CampaignWords
from nakctl.protocol.schema import tidy

FILE = "campaign.schema.json"
TITLE = "nakctl campaign"


def schema() -> dict[str, Any]:
    made = tidy(CampaignWords.model_json_schema(by_alias=True))
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": TITLE, **made}


def text() -> str:
    """The schema as it is checked in."""
    return json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"
