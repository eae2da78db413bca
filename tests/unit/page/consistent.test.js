// Whatever happens in a chat, in the end the screen shows what a consistent Query answers: history.js.
// The histories are played by workers: they use every core, and the test runner does not trace them.

import assert from "node:assert/strict";
import { once } from "node:events";
import { cpus } from "node:os";
import { test } from "node:test";
import { Worker } from "node:worker_threads";

const HISTORIES = 2_004;
const HISTORY = new URL("history.js", import.meta.url);

test("the screen is what a consistent Query answers", async () => {
  const parts = cpus().map(() => []);
  for (let seed = 1; seed <= HISTORIES; seed += 1) parts[seed % parts.length].push(seed);
  const asked = parts.map(async (workerData) => (await once(new Worker(HISTORY, { workerData }), "message"))[0]);
  for (const queries of await Promise.all(asked)) assert.ok(queries > 0);
});
