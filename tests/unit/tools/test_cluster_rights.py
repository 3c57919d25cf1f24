"""The matrix of the cluster's rights is of the chart that there is, and the page of the matrix."""

from tests.platform import page, rights


def test_the_matrix_was_asked_of_the_present_chart_and_questions() -> None:
    assert rights.kept()["made_of"] == rights.made_of(), (
        "ask a cluster again: make rights-cluster VET_TEST_KUBECONFIG=..."
    )


def test_the_page_has_the_matrix() -> None:
    text = page.FILE.read_text()
    assert text == page.renewed(text, rights.kept()), "ask again: make rights-cluster VET_TEST_KUBECONFIG=..."


def test_nobody_but_the_administrator_makes_anything_or_reads_a_secret() -> None:
    found = rights.kept()
    for who, tried in found["attempts"].items():
        let_in = {what for what, came in tried.items() if came == "allowed"}
        assert (who == "admin") == ("read a Secret" in let_in), f"{who}: {let_in}"
        if who != "admin":
            assert let_in <= {"logs of the application", "another image of the application"}, f"{who}: {let_in}"
    for who in set(found["rights"]) - {"admin"}:
        for place, verbs in found["rights"][who].items():
            assert not {"secrets", "pods/exec", "nodes/proxy", "serviceaccounts/token"} & set(verbs), (
                f"{who} in {place}"
            )
