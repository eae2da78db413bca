import assert from "node:assert/strict";
import { test } from "node:test";
import { createSource } from "../../../../s3-website/public/js/aws/source.js";
import { bucket } from "./answers.js";

test("the data lies beside the page, on AWS and in path style", async () => {
  for (const base of ["https://b.s3.eu-west-1.amazonaws.com/", "http://127.0.0.1:4566/b/"]) {
    const { asked, signed } = bucket(200, JSON.stringify({ messages: [] }));
    const source = createSource({ dataPrefix: "data/" }, `${base}index.html`, Date.now);
    await source.transcript({ signed }, "default", "");
    assert.equal(asked[0].url, `${base}data/default.json`);
  }
});
