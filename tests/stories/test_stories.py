"""The stories, each on a town of its own."""

import pytest

from support.database import Database
from support.stories import Play, Table, stories
from support.town import build


@pytest.mark.parametrize("story", stories(), ids=str)
def test_story(story: Table, database: Database) -> None:
    Play(build(database.app_url, *story.edits, more=story.more)).run(story)
