"""Lighthouse's result, as it is read."""

from tools import lighthouse


def audit(score, **more):
    return {"title": "A title", "score": score} | more


def result(**scores):
    audits = {"passed": audit(1), "told": audit(0.5, displayValue="2 s"), "not-asked": audit(None)}
    refs = [{"id": name} for name in audits]
    categories = {
        name: {"score": scores.get(name.replace("-", "_"), 1), "auditRefs": []}
        for name in lighthouse.CATEGORIES
    }
    categories["performance"]["auditRefs"] = refs
    return {"categories": categories, "audits": audits}


def test_a_category_without_a_score_counts_as_0():
    assert lighthouse.scores_of(result(performance=0.976, best_practices=None)) == [98, 100, 0]


def test_only_what_did_not_pass_is_told():
    assert lighthouse.findings(result()) == [("told", "A title 2 s")]
