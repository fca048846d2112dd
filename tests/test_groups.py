"""Tests of one group share what is dear to make, so the runner must keep them on one worker."""

import os

import pytest


@pytest.mark.xdist_group("together")
def test_the_runner_keeps_groups_together(request: pytest.FixtureRequest) -> None:
    """It goes by the name of the test; a version of pytest that hides the group from it made everything twice."""
    side_by_side = "PYTEST_XDIST_WORKER" in os.environ
    assert side_by_side is request.node.nodeid.endswith("@together")
