import assert from "node:assert/strict";
import { test } from "node:test";
import { ROWS, spanAround, spanAtEnd, spanKept } from "../../../../s3-website/public/js/view/virtual_list.js";

test("the DOM holds the last lines at the end, and a few hundred around a reader above", () => {
  assert.deepEqual(spanAtEnd(10), { from: 0, to: 10 });
  assert.deepEqual(spanAtEnd(5000), { from: 5000 - ROWS, to: 5000 });
  for (let first = 0; first < 5000; first += 7) {
    const { from, to } = spanAround(first, 5000);
    assert.equal(to - from, ROWS);
    assert.ok(from <= first && first < to);
  }
});

test("the lines in the DOM stay the same until the reader comes near their edge", () => {
  const span = { from: 1000, to: 1300 };
  assert.equal(spanKept(span, 1100, 5000), span);
  assert.deepEqual(spanKept(span, 1050, 5000), { from: 900, to: 1200 });
  assert.deepEqual(spanKept(span, 1200, 5000), { from: 1050, to: 1350 });
  assert.deepEqual(spanKept({ from: 0, to: 40 }, 3, 40), { from: 0, to: 40 });
  assert.deepEqual(spanKept({ from: 0, to: 300 }, 3, 300), { from: 0, to: 300 });
});
