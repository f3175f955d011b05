"""The stories, each on a town of its own."""

import pytest

from support.database import Database
from support.stories import Play, Table, stories


@pytest.mark.parametrize("story", stories(), ids=str)
def test_story(story: Table, database: Database) -> None:
    Play(story.town(database.app_url)).run(story)
