// Checks the imports between the page's folders: state/ stays pure, only view/ knows the DOM.

import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { test } from "node:test";

const PAGE = new URL("../../../s3-website/public/js/", import.meta.url);
const FOLDERS = ["aws", "services", "state", "view"];
/** The folders that each folder may import. */
const MAY_IMPORT = { state: [], aws: ["state"], services: ["aws", "state"], view: ["state"] };

const files = FOLDERS.flatMap((folder) =>
  readdirSync(new URL(folder, PAGE)).map((name) => `${folder}/${name}`),
);

for (const file of files) {
  test(`${file} imports only from the folders that its own may import`, () => {
    const folder = posix.dirname(file);
    const text = readFileSync(new URL(file, PAGE), "utf8");
    const modules = [...text.matchAll(/(?:from |\bimport\()"(\.[^"]+)"/g)]
      .map(([, name]) => posix.normalize(posix.join(folder, name)))
      // "../state.js" and the like are only types
      .filter((path) => existsSync(new URL(path, PAGE)));
    const folders = new Set(modules.map((path) => posix.dirname(path)));
    folders.delete(folder);
    assert.deepEqual([...folders].filter((name) => !MAY_IMPORT[folder].includes(name)), []);
  });
}
