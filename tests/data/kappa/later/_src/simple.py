import json
from pathlib import Path

import greeting


def handler(event, context):
    config = json.loads(Path("config.json").read_text())
    return {"text": greeting.text(), "stage": config["stage"]}
