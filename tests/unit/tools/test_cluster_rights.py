"""The matrix of the cluster's rights is of the chart that there is, and the page of the matrix."""

import pytest

from settings.namespaces import namespaces
from settings.release_sets import SETS
from tests.platform import controllers, page, rights


def test_the_matrix_was_asked_of_the_present_chart_and_questions() -> None:
    assert rights.kept()["made_of"] == rights.made_of(), (
        "ask a cluster again: make rights-cluster VET_TEST_KUBECONFIG=..."
    )


@pytest.mark.parametrize("set_name", SETS)
def test_the_controllers_were_asked_about_in_the_present_versions(set_name: str) -> None:
    answers = rights.kept()["controllers"][set_name]
    assert answers["made_of"] == controllers.made_of(set_name), (
        "ask a cluster again: make rights-cluster VET_TEST_KUBECONFIG=..."
    )
    assert {what for may in answers["accounts"].values() for what in may} <= set(controllers.QUESTIONS)


@pytest.mark.parametrize("set_name", SETS)
def test_whoever_reads_every_secret_is_on_dedicated_servers(set_name: str) -> None:
    """Decision 0092; what is in kube-system is put there by its values, and ingress-nginx is on the servers anyway."""
    places = {name for name, each in namespaces("vet-app").items() if each.annotations(dedicated=True)}
    accounts = rights.kept()["controllers"][set_name]["accounts"]
    reading = {who.partition("/")[0] for who, may in accounts.items() if "reads every Secret" in may}
    assert reading, "no controller reads Secrets: the matrix was asked wrongly"
    assert reading <= places | {"kube-system", "ingress-nginx"}, reading


def test_the_page_has_the_matrix() -> None:
    text = page.FILE.read_text()
    assert text == page.renewed(text, rights.kept()), "ask again: make rights-cluster VET_TEST_KUBECONFIG=..."


def test_nobody_but_the_administrator_makes_anything_or_reads_a_secret() -> None:
    answers = rights.kept()
    for who, tried in answers["attempts"].items():
        let_in = {what for what, came in tried.items() if came == "allowed"}
        assert (who == "admin") == ("read a Secret" in let_in), f"{who}: {let_in}"
        if who != "admin":
            assert let_in <= {"logs of the application", "another image of the application"}, f"{who}: {let_in}"
    for who in set(answers["rights"]) - {"admin"}:
        for place, verbs in answers["rights"][who].items():
            assert not {"secrets", "pods/exec", "nodes/proxy", "serviceaccounts/token"} & set(verbs), (
                f"{who} in {place}"
            )
