"""What the figures of the page stand on: the assets of 2015, and Lighthouse's result."""

import gzip
import io
import tarfile

from bench import page_2015
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


def test_a_file_is_measured_plain_and_compressed(tmp_path):
    body = b"body { color: black }" * 100
    with tarfile.open(tmp_path / "page-1.0.tgz", "w:gz") as packed:
        info = tarfile.TarInfo("package/dist/page.css")
        info.size = len(body)
        packed.addfile(info, io.BytesIO(body))
    found = page_2015.measured(tmp_path, "page@1.0", "dist/page.css")
    assert (found.size_bytes, found.gzip_bytes) == (2_100, len(gzip.compress(body, mtime=0)))


def test_without_npm_the_recorded_sizes_stand_in_and_that_is_said(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assets = page_2015.read()
    assert sum(one.size_bytes for one in assets.files) == 698_197
    assert "as recorded" in assets.note


def test_a_category_without_a_score_has_none():
    assert lighthouse.scores_of(result(performance=0.976, best_practices=None)) == [98, 100, 0]


def test_only_what_did_not_pass_is_told():
    assert lighthouse.findings(result()) == [("told", "A title 2 s")]
