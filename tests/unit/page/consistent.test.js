// Whatever happens in a chat, the screen finally shows what a consistent Query returns: see history.js. Workers
// play the histories, to use every core without the test runner's tracing.

import assert from "node:assert/strict";
import { once } from "node:events";
import { cpus } from "node:os";
import { test } from "node:test";
import { Worker } from "node:worker_threads";

const HISTORIES = process.env.TEST_CASES === "all" ? 10_020 : 1_002;
const HISTORY = new URL("history.js", import.meta.url);

test("the screen is what a consistent Query answers", async () => {
  const parts = cpus().map(() => []);
  for (let seed = 1; seed <= HISTORIES; seed += 1) parts[seed % parts.length].push(seed);
  const asked = parts.map(async (workerData) => (await once(new Worker(HISTORY, { workerData }), "message"))[0]);
  for (const queries of await Promise.all(asked)) assert.ok(queries > 0);
});
