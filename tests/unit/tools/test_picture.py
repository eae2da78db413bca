"""docs/architecture.svg shows the imports as they are: python -m tools.picture draws it anew."""

from itertools import pairwise
from xml.etree import ElementTree

import pytest

from tools.picture.__main__ import PICTURE, ROOT
from tools.picture.draw import BLOCKS, picture
from tools.picture.graph import PAGE, Box, read_imports
from tools.picture.layout import BOX_WIDTH, laid_out, levels, needed

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def imports():
    return read_imports(ROOT)


def box(name):
    return Box("kappa", name)


def test_the_picture_is_of_the_imports_as_they_are(imports):
    assert PICTURE.read_text("utf-8") == picture(imports), "run: python -m tools.picture"


def test_every_package_has_a_box(imports):
    texts = {
        "".join(text.itertext())
        for text in ElementTree.fromstring(picture(imports)).iter(f"{SVG}text")
    }
    folders = {path.parent.name for path in (ROOT / "kappa").glob("*/__init__.py")}
    assert len(folders) > 7
    assert folders | {"site", "stack", "testkit", "sns", "dynamodb", "shared", "main.js"} <= texts


def test_the_picture_of_the_data_flow_names_parts_that_the_page_has():
    page, picture = ROOT / PAGE, ElementTree.parse(ROOT / "docs/data-flow.svg").getroot()
    _page, aws = picture.findall(f"{SVG}rect[@class='panel']")
    boxes = [
        (float(box.get("x")), text.text)
        for box, text in pairwise(picture)
        if box.get("class") in ("box", "box push")
    ]
    parts = {text for x, text in boxes if x < float(aws.get("x"))}
    files = {path.stem for path in page.glob("services/*.js")}
    assert {"reading", "pushing"} < parts
    assert parts <= files | {path.name for path in page.iterdir()}


def test_an_arrow_that_others_imply_is_left_out():
    a, b, c = box("a"), box("b"), box("c")
    assert needed({a: {b, c}, b: {c}, c: set()}) == {(a, b), (b, c)}


def test_a_circle_is_an_error_that_names_it():
    a, b = box("a"), box("b")
    with pytest.raises(ValueError, match="kappa/a > kappa/b > kappa/a"):
        levels({a: {b}, b: {a}})


@pytest.mark.parametrize("panels", BLOCKS)
def test_no_boxes_overlap_and_all_stand_in_their_panels(imports, panels):
    layout = laid_out(imports, list(panels))
    for row in layout.rows:
        boxes = [cell for cell in row if isinstance(cell, Box)]
        centres = sorted(layout.centre[cell] for cell in boxes)
        assert all(right - left >= BOX_WIDTH for left, right in pairwise(centres))
        for cell in boxes:
            left, right = layout.sides[cell.panel]
            assert left <= layout.centre[cell] - BOX_WIDTH / 2
            assert layout.centre[cell] + BOX_WIDTH / 2 <= right


@pytest.mark.parametrize("panels", BLOCKS)
def test_every_arrow_leads_down_row_by_row(imports, panels):
    layout = laid_out(imports, list(panels))
    place = {cell: number for number, row in enumerate(layout.rows) for cell in row}
    assert layout.paths
    for path in layout.paths:
        assert all(place[lower] == place[upper] + 1 for upper, lower in pairwise(path))


def test_a_script_imports_what_its_code_names_and_not_its_comments(tmp_path):
    files = {
        "main.js": 'import { a } from "./view/a.js";\n'
        '/** @typedef {import("./types/t.js").T} T */\n// from "./no/n.js"\n',
        "view/a.js": 'export const a = () => import("../state/s.js");\n',
        "state/s.js": 'import {\n  one,\n} from "./other.js";\n',
    }
    for name, text in files.items():
        path = tmp_path / PAGE / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "resources.py").write_text("")
    pages = {one.name: others for one, others in read_imports(tmp_path).items() if others}
    assert pages == {"main.js": {Box("page", "view")}, "view": {Box("page", "state")}}
